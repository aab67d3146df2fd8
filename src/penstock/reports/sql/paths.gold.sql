-- ---
-- rollups = ["walks"]
-- grain = "any"
-- parameters = ["page", "direction", "depth", "top"]
-- ---
{% extends "paths.sql" %}
{% set pages = "from_json(walk, '[\"VARCHAR\"]')" %}
{% block counted %}
select step, page_path, cast(sum(sessions) as bigint) as sessions
from (
    select d.step, w.pages[list_position(w.pages, $page) + d.step] as page_path, w.sessions
    from (
        select {{ pages if direction == "next" else "list_reverse(" ~ pages ~ ")" }} as pages, sessions from walks
    ) as w
    cross join (select unnest(range(1, {{ depth + 1 }})) as step) as d
    where list_contains(w.pages, $page)
    union all by name
    select * from (
        {{ super() | trim | indent(4) }}
    )
)
group by step, page_path
{% endblock %}
