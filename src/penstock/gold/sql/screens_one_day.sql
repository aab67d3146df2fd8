-- How large were the screens?
with visits as (
    select day, screen_width, screen_height, session, count(*) filter (event_type = 'page_view') as views
    from one_day
    group by day, screen_width, screen_height, session
)

select
    day as bucket,
    screen_width::varchar || ' x ' || screen_height::varchar as screen,
    count(session) as sessions,
    sum(views)::bigint as views
from visits
group by all
