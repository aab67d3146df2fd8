-- ---
-- title = "One session"
-- question = "What happened in this session, one event after the other?"
-- example = "penstock report session --from 30d --set id=0b7f6f0e-0000-4000-8000-000000000000"
--
-- [parameters]
-- id = {type = "text", meaning = "the session's id"}
--
-- [columns]
-- at = "when (UTC)"
-- seconds = "since the first event (seconds)"
-- event_type = "what happened"
-- page_path = "on which page"
-- product_id = "with which product"
-- revenue = "of a purchase"
-- properties = "what else the sender says, JSON"
-- event_id = "the event"
-- ---
select
    event_ts as at,
    date_diff('millisecond', min(event_ts) over (), event_ts) / 1e3 as seconds,
    event_type,
    page_path,
    product_id,
    revenue,
    properties,
    event_id
from events
where session_id = $id
order by event_ts, seq, event_id
