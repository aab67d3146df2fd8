-- ---
-- rollups = ["event_counts"]
-- grain = "hour"
-- grains = ["hour", "day", "week", "month"]
-- whole = true
-- filters = ["event_type"]
-- breakdowns = ["event_type"]
-- parameters = ["event"]
-- ---
select
    {{ bucket }} as bucket,
    {{ by }} as breakdown,
    cast(sum(events) as bigint) as events
from event_counts
where ($event = '' or event_type = $event) and events > 0
group by 1, 2
order by 1, 2
