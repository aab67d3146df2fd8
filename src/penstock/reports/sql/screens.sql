-- ---
-- title = "Screens"
-- question = "How large are the screens?"
-- example = "penstock report screens --from 30d --where device=mobile"
--
-- [parameters]
-- limit = {type = "integer", default = 20, least = 1, most = 100000, meaning = "how many rows"}
--
-- [columns]
-- screen = "width and height; empty if they are not known (pixels)"
-- sessions = "sessions with it"
-- views = "their page views"
-- ---
select
    cast(screen_width as varchar) || ' x ' || cast(screen_height as varchar) as screen,
    count(distinct session_id) as sessions,
    count(*) filter (event_type = 'page_view') as views
from events
group by 1
order by sessions desc, screen
limit {{ limit }}
