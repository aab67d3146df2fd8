-- How often each event happened, per hour (UTC); events of known crawlers are counted beside.
select
    date_trunc('hour', event_ts) as bucket,
    event_type,
    count(*) filter (not is_bot) as events,
    count(*) filter (is_bot) as bot_events
from events
group by all
