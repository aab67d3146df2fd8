-- ---
-- rollups = ["sessions_daily", "visitors_daily", "sessions"]
-- grain = "day"
-- grains = ["day"]
-- whole = true
-- ---
with came as (
    select
        {{ "bucket" if grain else "null" }} as bucket,
        {{ new_and_returning("bucket" if grain else "$first_day_asked") }}
    from visitors_daily
    group by 1
),

people as (
    {% if grain %}
    select bucket, users from sessions_daily
    {% else %}
    select null as bucket, count(distinct known_as) as users from sessions where first_day is null
    {% endif %}
),

counted as (
    select
        {{ "bucket" if grain else "null" }} as bucket,
        cast(sum(sessions) as bigint) as sessions,
        cast(sum(views) as bigint) as views,
        cast(sum(viewing) as bigint) as viewing,
        cast(sum(bounced) as bigint) as bounced,
        cast(sum(engaged_seconds) as bigint) as engaged_seconds,
        cast(sum(scrolled) as bigint) as scrolled,
        cast(sum(converted) as bigint) as conversions,
        sum(revenue) as revenue
    from sessions_daily
    group by 1
)

select
    counted.bucket,
    {{ by }} as breakdown,
    newly + again + users as visitors,
    sessions,
    views,
    {{ rate("bounced", "viewing") }} as bounce_rate,
    {{ rate("engaged_seconds", "viewing") }} as engaged_seconds,
    {{ rate("scrolled", "viewing") }} as scroll_rate,
    conversions,
    {{ rate("conversions", "sessions") }} as conversion_rate,
    revenue
from counted
join came on came.bucket is not distinct from counted.bucket
join people on people.bucket is not distinct from counted.bucket
order by 1
