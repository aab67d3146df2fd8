-- ---
-- rollups = ["sessions_daily", "visitors_daily"]
-- grain = "day"
-- grains = ["day"]
-- ---
with came as (
    select bucket, {{ new_and_returning("bucket") }} from visitors_daily group by bucket
)

select
    bucket,
    {{ by }} as breakdown,
    sessions,
    newly + again + users as visitors,
    newly as new,
    again as returning,
    users,
    unidentified
from sessions_daily
join came using (bucket)
order by bucket
