-- How often was each page seen, and in how many sessions?
select
    day as bucket,
    page_path,
    count(*) as views,
    count(session) as views_in_sessions,
    count(distinct session) as sessions
from one_day
where event_type = 'page_view' and page_path is not null
group by all
