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
with visits as (
    -- first by session: counting distinct ids costs several times as much
    select screen_width, screen_height, session, count(*) filter (event_type = 'page_view') as views
    from events
    group by screen_width, screen_height, session
),

counted as (
    {% block counted %}
    select
        cast(screen_width as varchar) || ' x ' || cast(screen_height as varchar) as screen,
        count(session) as sessions,
        cast(sum(views) as bigint) as views
    from visits
    group by 1
    {% endblock %}
)

select screen, sessions, views
from counted
order by sessions desc, screen
limit {{ limit }}
