-- ---
-- rollups = ["devices_one_day"]
-- grain = "any"
-- filters = ["device"]
-- ---
{% extends "device_behaviour.sql" %}
{% block counted %}
select
    device,
    cast(sum(sessions) as bigint) as sessions,
    cast(sum(views) as bigint) as views,
    cast(sum(adds) as bigint) as adds,
    cast(sum(purchases) as bigint) as purchases,
    cast(sum(sessions_added) as bigint) as sessions_added,
    cast(sum(sessions_purchased) as bigint) as sessions_purchased,
    sum(revenue) as revenue
from (
    select * from devices_one_day
    union all by name
    select * from (
        {{ super() | trim | indent(4) }}
    )
)
group by device
{% endblock %}
