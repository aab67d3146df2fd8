-- ---
-- title = "Pages by day"
-- question = "How many visits does each page get a day?"
-- example = "penstock report pages_daily --from 7d --zone Europe/Berlin"
-- grains = ["day", "week", "month", "hour"]
-- notes = ["a visit is a session that viewed the page; whoever comes twice on a day has two"]
--
-- [columns]
-- bucket = "where the day begins"
-- page_path = "path of the page"
-- views = "page views"
-- sessions = "sessions that viewed it"
-- ---
select
    {{ bucket }} as bucket,
    page_path,
    count(*) as views,
    count(distinct session) as sessions
from events
where event_type = 'page_view' and page_path is not null
group by 1, 2
order by 1, 2
