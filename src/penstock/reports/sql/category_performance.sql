-- ---
-- title = "Category performance"
-- question = "What happened in each category, by day and event type?"
-- example = "penstock report category_performance --from 7d"
-- grains = ["day", "week", "month", "hour"]
--
-- [columns]
-- bucket = "where the day begins"
-- category = "product category"
-- event_type = "what happened"
-- events = "how often"
-- revenue = "of purchases, in the shop's currency"
-- ---
select
    {{ bucket }} as bucket,
    category,
    event_type,
    count(*) as events,
    coalesce(sum(revenue), 0) as revenue
from events
where category is not null
group by 1, 2, 3
order by 1, 2, 3
