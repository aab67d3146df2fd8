-- ---
-- rollups = ["walks"]
-- grain = "any"
-- parameters = ["pages"]
-- ---
{% extends "journeys.sql" %}
{% block counted %}
select journey, breakdown, cast(sum(sessions) as bigint) as sessions
from (
    select
        array_to_string(list_slice(from_json(walk, '["VARCHAR"]'), 1, {{ pages }}), ' → ') as journey,
        cast(null as varchar) as breakdown,
        sessions
    from walks
    union all by name
    select * from (
        {{ super() | trim | indent(4) }}
    )
)
group by journey, breakdown
{% endblock %}
