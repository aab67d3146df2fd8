-- ---
-- rollups = ["users_daily"]
-- grain = "day"
-- grains = ["day"]
-- ---
select
    bucket,
    {{ by }} as breakdown,
    users,
    sessions,
    events
from users_daily
order by 1
