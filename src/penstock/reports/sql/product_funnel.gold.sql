-- ---
-- rollups = ["products_one_day"]
-- grain = "any"
-- filters = ["product_id"]
-- ---
{% extends "product_funnel.sql" %}
{% block counted %}
select
    product_id,
    cast(sum(views) as bigint) as views,
    cast(sum(adds) as bigint) as adds,
    cast(sum(purchases) as bigint) as purchases,
    cast(sum(sessions_viewed) as bigint) as sessions_viewed,
    cast(sum(sessions_added) as bigint) as sessions_added,
    cast(sum(sessions_purchased) as bigint) as sessions_purchased
from (
    select * from products_one_day
    union all by name
    select * from (
        {{ super() | trim | indent(4) }}
    )
)
group by product_id
{% endblock %}
