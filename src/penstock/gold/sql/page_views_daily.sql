-- How often was each page seen, and by how many, day by day?
select
    day as bucket,
    page_path,
    count(*) as views,
    count(distinct session) as sessions,
    count(distinct coalesce(known_as, session)) as visitors
from steps
where event_type = 'page_view' and page_path is not null
group by all
