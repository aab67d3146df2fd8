-- ---
-- rollups = ["revenue_hourly"]
-- grain = "hour"
-- grains = ["hour", "day", "week", "month"]
-- whole = true
-- ---
select
    {{ bucket }} as bucket,
    {{ by }} as breakdown,
    cast(sum(purchases) as bigint) as purchases,
    sum(revenue) as revenue
from revenue_hourly
group by 1, 2
order by 1, 2
