-- ---
-- title = "Anomalies"
-- question = "What happened far more or far less often than is usual at that hour of the week, and where?"
-- example = "penstock report anomalies --from 24h"
-- finish = "anomalies"
-- notes = ["the running hour is left out; so is what has no three weeks of history"]
--
-- [parameters]
-- weeks = {type = "integer", default = 5, least = 3, most = 26, meaning = "how many weeks before are what is usual"}
-- width = {type = "number", default = 4.5, least = 2, most = 20, meaning = "how far the band reaches, in robust standard deviations"}
-- top = {type = "integer", default = 20, least = 1, most = 200, meaning = "how many event types, pages and sources are watched: the most frequent"}
-- limit = {type = "integer", default = 50, least = 1, most = 100000, meaning = "how many rows: those furthest off"}
--
-- [columns]
-- hour = "the hour in which it happened"
-- what = "events, event_type, page or source"
-- value = "which event type, page or source"
-- seen = "how many events there were (of pages and sources: page views)"
-- expected = "how many are usual: the median of the same hour in the weeks before"
-- low = "from so many on it is usual"
-- high = "up to so many"
-- deviations = "how far off, in robust standard deviations; below 0 it is too few"
-- says = "the same in words"
-- ---
with {% block counted %}
counted as (
    -- hours as numbers: to cut off a time asks for the rules of time zones, each time
    select
        epoch_us(event_ts) // 3600000000 as nth_hour,
        event_type,
        case when event_type = 'page_view' then page_path end as page,
        case when event_type = 'page_view' then coalesce(utm_source, referrer_host, '(direct)') end as source,
        count(*) as seen
    from history
    group by 1, 2, 3, 4
),
each as (
    select nth_hour, 'events' as what, 'all' as value, sum(seen) as seen from counted group by 1
    union all
    select nth_hour, 'event_type', event_type, sum(seen) from counted group by 1, 3
    union all
    select nth_hour, 'page', page, sum(seen) from counted where page is not null group by 1, 3
    union all
    select nth_hour, 'source', source, sum(seen) from counted where source is not null group by 1, 3
),
{% endblock %}
whole as (
    -- of hours at the edges of what is asked, not all was counted
    select * from each
    where nth_hour * 3600000000 >= epoch_us($since - to_days(cast(7 * $weeks as integer)))
      and (nth_hour + 1) * 3600000000 <= epoch_us(least($until, $now))
),
watched as (
    select what, value from whole
    group by what, value
    qualify row_number() over (partition by what order by sum(seen) desc, value) <= {{ top }}
)

select make_timestamptz(nth_hour * 3600000000) as hour, what, value, cast(seen as bigint) as seen
from whole
join watched using (what, value)
order by what, value, hour
