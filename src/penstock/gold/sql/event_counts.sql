-- How often did each event happen, hour by hour? Events of known crawlers are counted beside.
select
    hour as bucket,
    event_type,
    count(*) filter (not is_bot) as events,
    count(*) filter (is_bot) as bot_events
from events
group by all
