-- How often was each product seen, put into the cart, and bought, day by day?
select
    day as bucket,
    product_id,
    count(*) filter (step = 'view') as views,
    count(*) filter (step = 'add') as adds,
    count(*) filter (step = 'remove') as removes,
    count(*) filter (step = 'purchase') as purchases,
    count(distinct session_id) filter (step = 'view') as sessions_viewed,
    count(distinct session_id) filter (step = 'add') as sessions_added,
    count(distinct session_id) filter (step = 'purchase') as sessions_purchased,
    coalesce(sum(revenue), 0)::decimal(38, 2) as revenue
from (
    select
        *,
        case when event_type = 'page_view' then 'view'
             when event_type = 'add_to_cart' then 'add'
             when event_type = 'remove_from_cart' then 'remove'
             when event_type in ('purchase', 'order_completed', 'purchase_completed') then 'purchase' end as step
    from events
    where not is_bot and product_id is not null
)
where step is not null
group by all
