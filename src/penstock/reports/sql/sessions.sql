-- Which sessions began on which day of the site's time zone, and what does each say of its visitor?
--
-- One row per session of the tracker. A session that began before the range still has an event in the day before it,
-- because it ends after 30 idle minutes; so that one day more is enough to date every session right.

select
    session_id,
    (min(event_ts) at time zone $zone)::date as day,
    min(first_day) as first_day,
    min(prev_day) as prev_day
from events
where session_id is not null
  and not is_bot
  and event_ts >= ($since::date - interval 1 day) at time zone $zone
  and event_ts < ($until::date + interval 1 day) at time zone $zone
group by session_id
