-- ---
-- rollups = ["sessions_daily", "visitors_daily", "sessions"]
-- grain = "day"
-- ---
with came as (
    select {{ new_and_returning("$first_day_asked") }} from visitors_daily
),

counted as (
    select
        cast(coalesce(sum(sessions), 0) as bigint) as sessions,
        cast(coalesce(sum(unidentified), 0) as bigint) as unidentified
    from sessions_daily
),

people as (
    select count(distinct known_as) as users from sessions where first_day is null
)

select sessions, newly + again + users as visitors, newly as new, again as returning, users, unidentified
from counted cross join came cross join people
