-- ---
-- rollups = ["reads_one_day"]
-- grain = "any"
-- parameters = ["percent", "seconds"]
-- ---
{% extends "read_through.sql" %}
{% block counted %}
select
    utm_source,
    utm_campaign,
    cast(sum(sessions) as bigint) as sessions,
    cast(sum(views) as bigint) as views,
    cast(sum(reads) as bigint) as reads,
    cast(sum(stays) as bigint) as stays,
    cast(sum(clicks) as bigint) as clicks
from (
    select
        *,
        case when cast(percent as integer) >= {{ percent }} then sessions else 0 end as reads,
        case when cast(seconds as integer) >= {{ seconds }} then sessions else 0 end as stays
    from reads_one_day
    union all by name
    select * from (
        {{ super() | trim | indent(4) }}
    )
)
group by utm_source, utm_campaign
{% endblock %}
