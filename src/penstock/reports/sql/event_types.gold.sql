-- ---
-- rollups = ["types_one_day"]
-- grain = "any"
-- filters = ["event_type"]
-- ---
{% extends "event_types.sql" %}
{% block counted %}
select
    event_type,
    cast(sum(events) as bigint) as events,
    cast(sum(sessions) as bigint) as sessions,
    min(coalesce(first_ts, make_timestamptz(first_us))) as first_ts,
    max(coalesce(last_ts, make_timestamptz(last_us))) as last_ts
from (
    select * from types_one_day
    union all by name
    select * from (
        {{ super() | trim | indent(4) }}
    )
)
group by event_type
{% endblock %}
