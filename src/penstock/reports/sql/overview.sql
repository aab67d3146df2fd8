-- ---
-- title = "Overview"
-- question = "How is it going: visitors, page views, sessions, bounces, time, conversions, revenue?"
-- example = "penstock report overview --from 30d --zone Europe/Berlin --compare previous"
-- source = "sessions"
-- additive = true
--
-- [columns]
-- visitors = "different visitors (none with a filter)"
-- views = "page views"
-- sessions = "sessions that began"
-- views_per_session = "page views of each of them (number)"
-- bounce_rate = "of the sessions with a page view, those with one and no conversion (share)"
-- median_seconds = "from the first to the last event of a session, half of them are longer (seconds)"
-- mean_seconds = "the same on average (seconds)"
-- conversions = "sessions that bought, sent a form or clicked on a call to action"
-- conversion_rate = "conversions of sessions (share)"
-- purchases = "how many"
-- revenue = "in the shop's currency"
-- ---
{% call overview(additive) %}
select
    count(*) filter (event_type = 'page_view') as views,
    count(*) filter ({{ purchase }}) as purchases,
    coalesce(sum(revenue), 0) as revenue
from events
{% endcall %}
