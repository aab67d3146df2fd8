-- ---
-- title = "Paths from a page"
-- question = "Where do they go from a page, or where do they come from?"
-- example = "penstock report paths --set page=/pricing --set direction=next"
-- keys = ["step"]
--
-- [parameters]
-- page = {type = "text", meaning = "the path of the page"}
-- direction = {type = "choice", choices = ["next", "previous"], default = "next", meaning = "which way to look"}
-- depth = {type = "integer", default = 3, least = 1, most = 10, meaning = "how many pages far"}
-- top = {type = "integer", default = 10, least = 1, most = 1000, meaning = "how many pages of each step"}
--
-- [columns]
-- step = "how many pages away, from 1"
-- page_path = "the page there; empty: the session ended (or began) before"
-- sessions = "sessions that were there, from the first time they saw the page (looking back: to the last)"
-- share = "of the sessions that saw the page (share)"
-- ---
{% set turn = "" if direction == "next" else "-" %}
with views as (
    select session, page_path, {{ event_place }} as moment
    from events
    where event_type = 'page_view' and page_path is not null
      and session in (
          select session from events where event_type = 'page_view' and page_path = $page and session is not null
      )
),
changes as (
    -- the same page again at once, as by a reload, is not another one
    select * from views
    qualify page_path is distinct from lag(page_path) over (partition by session order by moment, page_path)
),
numbered as (
    select
        session,
        page_path,
        {{ turn }}row_number() over (partition by session order by moment, page_path) as place
    from changes
),
here as (
    select session, min(place) as place from numbered where page_path = $page group by session
),
steps as (
    select h.session, d.step, v.page_path
    from here as h
    cross join (select unnest(range(1, {{ depth + 1 }})) as step) as d
    left join numbered as v on v.session = h.session and v.place = h.place + d.step
),
counted as materialized (
    {% block counted %}
    select step, page_path, count(*) as sessions from steps group by 1, 2
    {% endblock %}
),

ranked as (
    select
        *,
        {{ rate("sessions", "sum(sessions) over (partition by step)") }} as share,
        row_number() over (partition by step order by sessions desc, page_path nulls last) as place
    from counted
)

select step, page_path, sessions, share
from ranked
where place <= {{ top }}
order by step, place
