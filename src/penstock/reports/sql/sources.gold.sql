-- ---
-- rollups = ["sources_daily"]
-- grain = "day"
-- [choices]
-- of = ["utm_source", "utm_medium", "utm_campaign", "channel", "referrer_host"]
-- ---
{% extends "sources.sql" %}
{% block counted %}
select
    coalesce({{ of }}, '(direct)') as name,
    cast(sum(sessions) as bigint) as sessions,
    cast(sum(converted) as bigint) as conversions,
    sum(revenue) as revenue
from sources_daily
group by 1
{% endblock %}
