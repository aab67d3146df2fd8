-- ---
-- rollups = ["marks_one_day"]
-- grain = "any"
-- ---
{% extends "time_on_page.sql" %}
{% block counted %}
select event_type, mark, cast(null as varchar) as breakdown, views
from marks_one_day
where event_type in ('page_view', 'time_on_page')
union all by name
select * from (
    {{ super() | trim | indent }}
)
{% endblock %}
