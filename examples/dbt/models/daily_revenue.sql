-- What was sold on each day (UTC), by the channel through which the session came.
select
    sessions.day,
    sessions.channel,
    count(*) as purchases,
    count(distinct sessions.session_id) as sessions,
    sum(events.revenue) as revenue
from {{ source('penstock', 'events') }} as events
join {{ source('penstock', 'sessions') }} as sessions
    on sessions.source = events.source
    and sessions.session_id = events.session_id
    and sessions.is_bot = events.is_bot
    and events.event_ts between sessions.start_ts and sessions.end_ts
where events.event_type = 'purchase' and not events.is_bot
group by all
