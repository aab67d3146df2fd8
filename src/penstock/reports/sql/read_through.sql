-- ---
-- title = "Read-through"
-- question = "Which post brought readers who read, stay and click?"
-- example = "penstock report read_through --from 30d --where page_path=/case-studies/real-time-analytics-pipeline.html"
--
-- [parameters]
-- percent = {type = "integer", default = 75, least = 1, most = 100, meaning = "who scrolled so far has read (%)"}
-- seconds = {type = "integer", default = 60, least = 1, most = 86400, meaning = "who looked so long has stayed (seconds)"}
-- limit = {type = "integer", default = 20, least = 1, most = 100000, meaning = "how many rows"}
--
-- [columns]
-- utm_source = "source; (direct) where nothing is said"
-- utm_campaign = "campaign, if any"
-- sessions = "sessions with a page view"
-- views = "page views"
-- reads = "sessions that scrolled far enough"
-- stays = "sessions that stayed long enough"
-- clicks = "sessions with a click on a call to action"
-- read_rate = "reads of sessions (share)"
-- stay_rate = "stays of sessions (share)"
-- click_rate = "clicks of sessions (share)"
-- ---
with visits as (
    select
        coalesce(utm_source, '(direct)') as utm_source,
        utm_campaign,
        session,
        count(*) filter (event_type = 'page_view') as views,
        max(case when event_type = 'scroll_depth' then {{ number_of("percent") }} end) as percent,
        max(case when event_type = 'time_on_page' then {{ number_of("seconds") }} end) as seconds,
        count(*) filter (event_type = 'cta_click') as clicks
    from events
    where session is not null and page_path is not null
      and event_type in ('page_view', 'scroll_depth', 'time_on_page', 'cta_click')
    group by 1, 2, 3
),

counted as (
    {% block counted %}
    select
        utm_source,
        utm_campaign,
        count(*) as sessions,
        cast(sum(views) as bigint) as views,
        count(*) filter (percent >= {{ percent }}) as reads,
        count(*) filter (seconds >= {{ seconds }}) as stays,
        count(*) filter (clicks > 0) as clicks
    from visits
    where views > 0
    group by utm_source, utm_campaign
    {% endblock %}
)

select
    *,
    {{ rate("reads", "sessions") }} as read_rate,
    {{ rate("stays", "sessions") }} as stay_rate,
    {{ rate("clicks", "sessions") }} as click_rate
from counted
order by sessions desc, utm_source, utm_campaign
limit {{ limit }}
