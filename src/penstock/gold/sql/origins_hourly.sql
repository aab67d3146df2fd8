-- Where did page views come from, hour by hour?
select hour as bucket, coalesce(utm_source, referrer_host, '(direct)') as origin, count(*) as views
from events
where not is_bot and event_type = 'page_view'
group by all
