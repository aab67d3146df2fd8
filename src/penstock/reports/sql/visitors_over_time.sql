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
    {{ who_came("greatest(" ~ bucket ~ ", $first_day_asked)", additive) }}
from sessions
group by 1, 2
order by 1, 2
