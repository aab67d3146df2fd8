-- ---
-- title = "Top pages"
-- question = "Which pages are viewed most, and by how many sessions?"
-- example = "penstock report top_pages --from 30d --where utm_source=newsletter --compare previous"
-- breakdown = true
--
-- [parameters]
-- limit = {type = "integer", default = 20, least = 1, most = 10000, meaning = "how many"}
--
-- [columns]
-- page_path = "path of the page"
-- breakdown = "the column asked for with --by"
-- views = "page views"
-- sessions = "sessions that viewed it"
-- views_per_session = "page views by each of them (number)"
-- ---
with counted as (
    {% block counted %}
    select
        page_path,
        {{ by }} as breakdown,
        count(*) as views,
        count(session) as views_in_sessions,
        count(distinct session) as sessions
    from events
    where event_type = 'page_view' and page_path is not null
    group by 1, 2
    {% endblock %}
)

select
    page_path,
    breakdown,
    views,
    sessions,
    {{ rate("views_in_sessions", "sessions") }} as views_per_session
from counted
order by views desc, page_path, breakdown
limit {{ limit }}
