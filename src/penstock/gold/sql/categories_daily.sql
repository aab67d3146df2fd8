-- What happened in each category, by day and event type?
select
    day as bucket,
    category,
    event_type,
    count(*) as events,
    coalesce(sum(revenue), 0)::decimal(38, 2) as revenue
from events
where not is_bot and category is not null
group by all
