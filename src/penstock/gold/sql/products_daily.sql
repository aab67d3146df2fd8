-- How often was each product seen, put into the cart, and bought, day by day?
with visits as (
    -- first by session: counting distinct ones costs several times as much
    select
        day,
        product_id,
        session,
        count(*) filter (event_type = 'page_view') as views,
        count(*) filter (event_type = 'add_to_cart') as adds,
        count(*) filter (event_type = 'remove_from_cart') as removes,
        count(*) filter (event_type in ('purchase', 'order_completed', 'purchase_completed')) as purchases,
        sum(revenue) as revenue
    from steps
    where product_id is not null and event_type in (
        'page_view', 'add_to_cart', 'remove_from_cart', 'purchase', 'order_completed', 'purchase_completed'
    )
    group by all
)

select
    day as bucket,
    product_id,
    sum(views)::bigint as views,
    sum(adds)::bigint as adds,
    sum(removes)::bigint as removes,
    sum(purchases)::bigint as purchases,
    count(session) filter (views > 0) as sessions_viewed,
    count(session) filter (adds > 0) as sessions_added,
    count(session) filter (purchases > 0) as sessions_purchased,
    coalesce(sum(revenue), 0)::decimal(38, 2) as revenue
from visits
group by all
