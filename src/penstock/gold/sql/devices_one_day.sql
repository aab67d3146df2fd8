-- What did they do on each kind of device?
with visits as (
    select
        day,
        device,
        session,
        count(*) filter (event_type = 'page_view') as views,
        count(*) filter (event_type = 'add_to_cart') as adds,
        count(*) filter (event_type in ('purchase', 'order_completed', 'purchase_completed')) as purchases,
        sum(revenue) as revenue
    from one_day
    group by day, device, session
)

select
    day as bucket,
    device,
    count(session) as sessions,
    sum(views)::bigint as views,
    sum(adds)::bigint as adds,
    sum(purchases)::bigint as purchases,
    count(session) filter (adds > 0) as sessions_added,
    count(session) filter (purchases > 0) as sessions_purchased,
    coalesce(sum(revenue), 0)::decimal(38, 2) as revenue
from visits
group by all
