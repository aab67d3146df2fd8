-- How much was sold in each hour? Hours without a purchase are not there.
select hour as bucket, count(*) as purchases, coalesce(sum(revenue), 0)::decimal(38, 2) as revenue
from events
where not is_bot and event_type in ('purchase', 'order_completed', 'purchase_completed')
group by all
