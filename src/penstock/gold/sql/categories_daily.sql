-- What happened in each category, by day and event type?
select
    day as bucket,
    category,
    event_type,
    count(*) as events,
    coalesce(sum(revenue), 0)::decimal(38, 2) as revenue
from steps
where category is not null
group by all
