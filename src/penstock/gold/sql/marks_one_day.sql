-- How many page views were there, and how many reached each mark of scroll_depth and time_on_page?
select
    day as bucket,
    event_type,
    case event_type when 'scroll_depth' then property_percent when 'time_on_page' then property_seconds end as mark,
    count(*) as views
from one_day
where event_type in ('page_view', 'scroll_depth', 'time_on_page') and page_path is not null
group by all
