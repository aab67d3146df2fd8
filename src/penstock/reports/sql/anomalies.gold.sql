-- ---
-- rollups = ["event_counts", "page_views_hourly", "origins_hourly"]
-- grain = "hour"
-- parts = true
-- parameters = ["weeks", "width", "top"]
-- ---
{% extends "anomalies.sql" %}
{% block counted %}
each as (
    select epoch_us(bucket) // 3600000000 as nth_hour, 'events' as what, 'all' as value, sum(events) as seen
    from event_counts
    where events > 0
    group by 1
    union all
    select epoch_us(bucket) // 3600000000, 'event_type', event_type, events from event_counts where events > 0
    union all
    select epoch_us(bucket) // 3600000000, 'page', page_path, views from page_views_hourly
    union all
    select epoch_us(bucket) // 3600000000, 'source', origin, views from origins_hourly
),
{% endblock %}
