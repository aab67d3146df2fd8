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
-- median_seconds = "from the first to the last event of a session, in whole seconds; half of them are longer (seconds)"
-- mean_seconds = "the same on average (seconds)"
-- conversions = "sessions that bought, sent a form or clicked on a call to action"
-- conversion_rate = "conversions of sessions (share)"
-- purchases = "how many"
-- revenue = "in the shop's currency"
-- ---
with {% block visits %}
visits as (
    select
        {{ visitors_since("$first_day_asked", additive) }} as visitors,
        count(*) as sessions,
        {{ rate("sum(views)", "count(*)") }} as views_per_session,
        {{ rate("count(*) filter (bounced)", "count(*) filter (views > 0)") }} as bounce_rate,
        cast(median({{ milliseconds }} // 1000) as double) as median_seconds,
        avg({{ milliseconds }}) / 1e3 as mean_seconds,
        count(*) filter (converted) as conversions
    from sessions
),
{% endblock %}

happened as (
    {% block happened %}
    select
        count(*) filter (event_type = 'page_view') as views,
        count(*) filter ({{ purchase }}) as purchases,
        coalesce(sum(revenue), 0) as revenue
    from events
    {% endblock %}
)

select
    visitors,
    views,
    sessions,
    views_per_session,
    bounce_rate,
    median_seconds,
    mean_seconds,
    conversions,
    {{ rate("conversions", "sessions") }} as conversion_rate,
    purchases,
    revenue
from visits cross join happened
