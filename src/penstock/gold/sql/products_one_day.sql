-- How often was each product seen, put into the cart, and bought, and in how many sessions?
with visits as (
    select
        day,
        product_id,
        session,
        count(*) filter (event_type = 'page_view') as views,
        count(*) filter (event_type = 'add_to_cart') as adds,
        count(*) filter (event_type = 'purchase') as purchases
    from one_day
    where product_id is not null and event_type in ('page_view', 'add_to_cart', 'purchase')
    group by day, product_id, session
)

select
    day as bucket,
    product_id,
    sum(views)::bigint as views,
    sum(adds)::bigint as adds,
    sum(purchases)::bigint as purchases,
    count(session) filter (views > 0) as sessions_viewed,
    count(session) filter (adds > 0) as sessions_added,
    count(session) filter (purchases > 0) as sessions_purchased
from visits
group by all
