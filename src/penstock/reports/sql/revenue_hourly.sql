-- ---
-- title = "Revenue over time"
-- question = "How much was sold in each hour?"
-- example = "penstock report revenue_hourly --from 24h"
-- grains = ["hour", "day", "week", "month"]
-- breakdown = true
-- notes = ["a purchase whose price could not be read counts, without revenue"]
--
-- [columns]
-- bucket = "where the hour begins"
-- breakdown = "the column asked for with --by"
-- purchases = "how many"
-- revenue = "price times quantity, in the shop's currency"
-- ---
select
    {{ bucket }} as bucket,
    {{ by }} as breakdown,
    count(*) as purchases,
    coalesce(sum(revenue), 0) as revenue
from events
where {{ purchase }}
group by 1, 2
order by 1, 2
