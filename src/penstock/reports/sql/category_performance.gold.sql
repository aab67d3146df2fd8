-- ---
-- rollups = ["categories_daily"]
-- grain = "day"
-- grains = ["day", "week", "month"]
-- whole = true
-- filters = ["category", "event_type"]
-- ---
select
    {{ bucket }} as bucket,
    category,
    event_type,
    cast(sum(events) as bigint) as events,
    sum(revenue) as revenue
from categories_daily
group by 1, 2, 3
order by 1, 2, 3
