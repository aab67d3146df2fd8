-- ---
-- title = "Event types"
-- question = "Which events are there, how often and in how many sessions, and since when?"
-- example = "penstock report event_types --from 28d --where page_path=/pricing"
--
-- [columns]
-- event_type = "event"
-- events = "how often it happened"
-- share = "of all events (share)"
-- sessions = "sessions in which it happened"
-- first_seen = "when it happened first in the period (UTC)"
-- last_seen = "when it happened last in the period (UTC)"
-- ---
with visits as (
    -- first by session: counting distinct ids costs several times as much
    select event_type, session, count(*) as events, min(event_ts) as first_ts, max(event_ts) as last_ts
    from events
    group by event_type, session
),

counted as (
    {% block counted %}
    select
        event_type,
        cast(sum(events) as bigint) as events,
        count(session) as sessions,
        min(first_ts) as first_ts,
        max(last_ts) as last_ts
    from visits
    group by event_type
    {% endblock %}
)

select
    event_type,
    events,
    {{ rate("events", "sum(events) over ()") }} as share,
    sessions,
    first_ts as first_seen,
    last_ts as last_seen
from counted
order by events desc, event_type
