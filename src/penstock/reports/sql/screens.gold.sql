-- ---
-- rollups = ["screens_one_day"]
-- grain = "any"
-- ---
{% extends "screens.sql" %}
{% block counted %}
select
    screen,
    cast(sum(sessions) as bigint) as sessions,
    cast(sum(views) as bigint) as views
from (
    select * from screens_one_day
    union all by name
    select * from (
        {{ super() | trim | indent(4) }}
    )
)
group by screen
{% endblock %}
