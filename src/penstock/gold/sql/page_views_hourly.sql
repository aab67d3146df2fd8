-- How often was each page seen, hour by hour?
select hour as bucket, page_path, count(*) as views
from events
where not is_bot and event_type = 'page_view' and page_path is not null
group by all
