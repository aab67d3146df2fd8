-- ---
-- rollups = ["event_counts", "revenue_hourly", "sessions"]
-- grain = "hour"
-- ---
{% extends "overview.sql" %}
{% block happened %}
    select views, purchases, revenue
    from (
        select cast(coalesce(sum(events), 0) as bigint) as views
        from event_counts
        where event_type = 'page_view'
    )
    cross join (
        select cast(coalesce(sum(purchases), 0) as bigint) as purchases, coalesce(sum(revenue), 0) as revenue
        from revenue_hourly
    )
{% endblock %}
