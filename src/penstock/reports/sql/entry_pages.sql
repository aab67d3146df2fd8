-- ---
-- title = "Entry pages"
-- question = "On which pages do sessions begin?"
-- example = "penstock report entry_pages --from 30d --set limit=10"
-- source = "sessions"
--
-- [parameters]
-- limit = {type = "integer", default = 20, least = 1, most = 100000, meaning = "how many rows"}
--
-- [columns]
-- page_path = "path of the page"
-- sessions = "sessions that began there"
-- share = "of all sessions with a page view (share)"
-- bounces = "of them, those with one page view and no conversion"
-- bounce_rate = "bounces of sessions (share)"
-- ---
select
    entry_page as page_path,
    count(*) as sessions,
    {{ rate("count(*)", "sum(count(*)) over ()") }} as share,
    count(*) filter (bounced) as bounces,
    {{ rate("count(*) filter (bounced)", "count(*)") }} as bounce_rate
from sessions
where entry_page is not null
group by 1
order by sessions desc, page_path
limit {{ limit }}
