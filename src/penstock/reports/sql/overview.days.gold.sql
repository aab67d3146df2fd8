-- ---
-- rollups = ["event_counts", "revenue_hourly", "sessions_daily", "lengths_daily", "visitors_daily", "sessions"]
-- grain = "day"
-- ---
{% extends "overview.gold.sql" %}
{% block visits %}
came as (
    select {{ new_and_returning("$first_day_asked") }} from visitors_daily
),

people as (
    select count(distinct known_as) as users from sessions where first_day is null
),

lengths as materialized (
    select cast(seconds as bigint) as seconds, sum(sessions) as sessions from lengths_daily group by 1
),

ranked as (
    select seconds, sum(sessions) over (order by seconds) as upto, sum(sessions) over () as all_of_them from lengths
),

middle as (
    -- of an even number of sessions there are two in the middle
    select (min(seconds) filter (upto > (all_of_them - 1) // 2) + min(seconds) filter (upto > all_of_them // 2)) / 2
        as median_seconds
    from ranked
),

counted as (
    select
        cast(coalesce(sum(sessions), 0) as bigint) as sessions,
        sum(views) as views,
        sum(bounced) as bounced,
        sum(viewing) as viewing,
        sum(milliseconds) as milliseconds,
        cast(coalesce(sum(converted), 0) as bigint) as conversions
    from sessions_daily
),

visits as (
    select
        newly + again + users as visitors,
        sessions,
        {{ rate("views", "sessions") }} as views_per_session,
        {{ rate("bounced", "viewing") }} as bounce_rate,
        cast(median_seconds as double) as median_seconds,
        {{ rate("milliseconds", "sessions") }} / 1e3 as mean_seconds,
        conversions
    from counted cross join came cross join people cross join middle
),
{% endblock %}
