-- ---
-- title = "Traffic over time"
-- question = "How does it go on: visitors, sessions, views, bounces, attention, conversions, by day, week or month?"
-- example = "penstock report traffic --from 28d --compare weekday"
-- source = "sessions"
-- grains = ["day", "hour", "week", "month"]
-- breakdown = true
-- additive = true
--
-- [parameters]
-- goal = {type = "text", default = "", meaning = "event type that counts as a conversion; empty for purchases, forms sent and clicks on a call to action"}
--
-- [columns]
-- bucket = "begin of the hour, day, week or month"
-- breakdown = "the column asked for with --by"
-- visitors = "different people who came; those without an id by their sessions' days, hence not by the hour"
-- sessions = "sessions that began"
-- views = "page views in them"
-- bounce_rate = "sessions with one page view and nothing else of note (share)"
-- engaged_seconds = "looked at for so long, by the marks of time_on_page: the mean of those sessions that view pages (seconds)"
-- scroll_rate = "of the sessions that view pages, those that scrolled a page down to 75 % (share)"
-- conversions = "sessions that converted"
-- conversion_rate = "conversions of sessions (share)"
-- revenue = "of their purchases, in the shop's currency"
-- ---
select
    {{ bucket }} as bucket,
    {{ by }} as breakdown,
    {{ visitors_since("greatest(" ~ bucket ~ ", $first_day_asked)", additive and grain != "hour") }} as visitors,
    count(*) as sessions,
    cast(sum(views) as bigint) as views,
    {{ rate("count(*) filter (bounced)", "count(*) filter (views > 0)") }} as bounce_rate,
    avg(engaged_seconds) filter (views > 0) as engaged_seconds,
    {{ rate("count(*) filter (views > 0 and max_scroll >= 75)", "count(*) filter (views > 0)") }} as scroll_rate,
    count(*) filter ({{ reached(has) }}) as conversions,
    {{ rate("count(*) filter (" ~ reached(has) ~ ")", "count(*)") }} as conversion_rate,
    coalesce(sum(revenue), 0) as revenue
from sessions
group by 1, 2
order by 1, 2
