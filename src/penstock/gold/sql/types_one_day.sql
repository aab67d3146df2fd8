-- How often did each event happen, in how many sessions, and from when to when?
with visits as (
    -- first by session: counting distinct ones costs several times as much
    select day, event_type, session, count(*) as events, min(event_ts) as first_ts, max(event_ts) as last_ts
    from one_day
    group by day, event_type, session
)

select
    day as bucket,
    event_type,
    sum(events)::bigint as events,
    count(session) as sessions,
    epoch_us(min(first_ts)) as first_us,
    epoch_us(max(last_ts)) as last_us
from visits
group by all
