-- How often was each page seen, and by how many, day by day?
select
    day as bucket,
    page_path,
    count(*) as views,
    count(distinct session_id) as sessions,
    count(distinct coalesce(user_id, anonymous_id, session_id)) as visitors
from events
where not is_bot and event_type = 'page_view' and page_path is not null
group by all
