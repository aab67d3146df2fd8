-- ---
-- title = "Visitors"
-- question = "How many people came, how many of them for the first time, and how many came back?"
-- example = "penstock report visitors --from 2026-03-01 --to 2026-03-31 --zone Europe/Berlin --compare month"
-- source = "sessions"
-- additive = true
--
-- [columns]
-- sessions = "sessions that began in it"
-- visitors = "different visitors: new, returning and users (none with a filter or breakdown)"
-- new = "who came for the first time"
-- returning = "who had come before"
-- users = "who are told apart by user_id or anonymous_id, and not by the tracker's days"
-- unidentified = "sessions of nobody knows whom"
-- ---
select
    count(*) as sessions,
    {{ visitors_since("$first_day_asked", additive) }} as visitors,
    {{ new_visitors(additive) }} as new,
    {{ returning_since("$first_day_asked", additive) }} as returning,
    {{ known_users() }} as users,
    count(*) filter (first_day is null and user_id is null and anonymous_id is null) as unidentified
from sessions
