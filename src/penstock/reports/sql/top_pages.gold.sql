-- ---
-- rollups = ["pages_one_day"]
-- grain = "any"
-- filters = ["page_path"]
-- ---
{% extends "top_pages.sql" %}
{% block counted %}
select
    page_path,
    cast(null as varchar) as breakdown,
    cast(sum(views) as bigint) as views,
    cast(sum(views_in_sessions) as bigint) as views_in_sessions,
    cast(sum(sessions) as bigint) as sessions
from (
    select * from pages_one_day
    union all by name
    select * from (
        {{ super() | trim | indent(4) }}
    )
)
group by page_path
{% endblock %}
