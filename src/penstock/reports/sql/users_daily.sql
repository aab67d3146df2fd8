-- ---
-- title = "Users and sessions"
-- question = "How many different users and sessions were there each day?"
-- example = "penstock report users_daily --from 7d"
-- grains = ["day", "hour", "week", "month"]
-- breakdown = true
-- notes = ["users are those whom the sender tells apart, by user_id or anonymous_id", "a session over midnight is in both days"]
--
-- [columns]
-- bucket = "where the day begins"
-- breakdown = "the column asked for with --by"
-- users = "different ones"
-- sessions = "different ones"
-- events = "how many"
-- ---
select
    {{ bucket }} as bucket,
    {{ by }} as breakdown,
    count(distinct known_as) as users,
    count(distinct session) as sessions,
    count(*) as events
from events
group by 1, 2
order by 1, 2
