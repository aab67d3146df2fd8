-- ---
-- rollups = ["marks_one_day"]
-- grain = "any"
-- ---
{% extends "scroll_depth.sql" %}
{% block counted %}
select event_type, mark, cast(null as varchar) as breakdown, views
from marks_one_day
where event_type in ('page_view', 'scroll_depth')
union all by name
select * from (
    {{ super() | trim | indent }}
)
{% endblock %}
