-- ---
-- title = "Journeys"
-- question = "Which sequences of pages are most usual?"
-- example = "penstock report journeys --from 30d --set pages=4"
-- breakdown = true
--
-- [parameters]
-- pages = {type = "integer", default = 3, least = 2, most = 20, meaning = "how many pages of each session, from the first on"}
-- limit = {type = "integer", default = 20, least = 1, most = 100000, meaning = "how many rows"}
--
-- [columns]
-- journey = "the pages in their order; a session that ends earlier has fewer"
-- breakdown = "the column asked for with --by, at the first page"
-- sessions = "sessions that began so"
-- share = "of all sessions with a page view (share)"
-- ---
with views as (
    select
        session,
        page_path,
        {{ by }} as breakdown,
        {{ event_place }} as place
    from events
    where event_type = 'page_view' and session is not null and page_path is not null
),
changes as (
    -- the same page again at once, as by a reload, is not another one
    select * from views
    qualify page_path is distinct from lag(page_path) over (partition by session order by place, page_path)
),
walked as (
    select
        array_to_string(list_slice(list(page_path order by place, page_path), 1, {{ pages }}), ' → ') as journey,
        {{ "nullif(arg_min(coalesce(breakdown, ''), row(place, page_path)), '')" if broken_down else "null" }} as breakdown
    from changes
    group by session
),

counted as materialized (
    {% block counted %}
    select journey, cast(breakdown as varchar) as breakdown, count(*) as sessions
    from walked
    group by journey, breakdown
    {% endblock %}
)

select journey, breakdown, sessions, {{ rate("sessions", "sum(sessions) over ()") }} as share
from counted
order by sessions desc, journey, breakdown
limit {{ limit }}
