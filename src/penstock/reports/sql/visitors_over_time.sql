-- ---
-- title = "Visitors over time"
-- question = "How many people came each day, week or month, and how many of them for the first time?"
-- example = "penstock report visitors_over_time --from 12mo --grain month"
-- source = "sessions"
-- grains = ["day", "week", "month"]
-- breakdown = true
-- additive = true
--
-- [columns]
-- bucket = "where the day, week or month begins"
-- breakdown = "the column asked for with --by"
-- sessions = "sessions that began in it"
-- visitors = "different visitors: new, returning and users (none with a filter or breakdown)"
-- new = "who came for the first time"
-- returning = "who had come before"
-- users = "who are told apart by user_id or anonymous_id, and not by the tracker's days"
-- unidentified = "sessions of nobody knows whom"
-- ---
select
    {{ bucket }} as bucket,
    {{ by }} as breakdown,
    count(*) as sessions,
    {{ visitors_since("greatest(" ~ bucket ~ ", $first_day_asked)", additive) }} as visitors,
    {{ new_visitors(additive) }} as new,
    {{ returning_since("greatest(" ~ bucket ~ ", $first_day_asked)", additive) }} as returning,
    {{ known_users() }} as users,
    count(*) filter (first_day is null and user_id is null and anonymous_id is null) as unidentified
from sessions
group by 1, 2
order by 1, 2
