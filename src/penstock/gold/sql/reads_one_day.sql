-- How far and how long was read, by where readers came from?
with visits as (
    select
        day,
        coalesce(utm_source, '(direct)') as utm_source,
        utm_campaign,
        session,
        count(*) filter (event_type = 'page_view') as views,
        max(try_cast(property_percent as integer)) filter (event_type = 'scroll_depth') as percent,
        max(try_cast(property_seconds as integer)) filter (event_type = 'time_on_page') as seconds,
        count(*) filter (event_type = 'cta_click') as clicks
    from one_day
    where session is not null and page_path is not null
      and event_type in ('page_view', 'scroll_depth', 'time_on_page', 'cta_click')
    group by 1, 2, 3, 4
)

select
    day as bucket,
    utm_source,
    utm_campaign,
    percent::varchar as percent,
    seconds::varchar as seconds,
    count(*) as sessions,
    sum(views)::bigint as views,
    count(*) filter (clicks > 0) as clicks
from visits
where views > 0
group by all
