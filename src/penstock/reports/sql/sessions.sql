-- ---
-- title = "Sessions"
-- question = "Which sessions were there, and what happened in each?"
-- example = "penstock report sessions --from 24h --where event_type=purchase --set limit=50"
-- source = "sessions"
--
-- [parameters]
-- limit = {type = "integer", default = 20, least = 1, most = 100000, meaning = "how many rows"}
--
-- [columns]
-- session_id = "random id of the visit; `penstock report session` tells all of it"
-- start_ts = "when it began (UTC)"
-- seconds = "from its first to its last event (seconds)"
-- entry_page = "first page"
-- exit_page = "last page"
-- views = "page views"
-- events = "events"
-- max_scroll = "farthest mark of all its pages (%)"
-- engaged_seconds = "how long its pages were looked at, by the marks of time_on_page (seconds)"
-- utm_source = "campaign source, if any"
-- channel = "direct, search, social …"
-- device = "device"
-- converted = "whether it bought, sent a form or clicked on a call to action"
-- revenue = "of its purchases, in the shop's currency"
-- ---
select
    session_id,
    start_ts,
    {{ milliseconds }} / 1e3 as seconds,
    entry_page,
    exit_page,
    views,
    events,
    max_scroll,
    engaged_seconds,
    utm_source,
    channel,
    device,
    converted,
    revenue
from sessions
-- so that of the others only the start is read
where start_ts >= (
    select min(start_ts) from (select start_ts from sessions order by start_ts desc limit {{ limit }})
)
order by start_ts desc, session_id
limit {{ limit }}
