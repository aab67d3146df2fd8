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
    {{ who_came("$first_day_asked", additive) }}
from sessions
