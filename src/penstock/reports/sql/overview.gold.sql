-- ---
-- rollups = ["event_counts", "revenue_hourly", "sessions"]
-- grain = "hour"
-- ---
with visits as (
    select
        {{ visitors_since("$first_day_asked", additive) }} as visitors,
        count(*) as sessions,
        {{ rate("sum(views)", "count(*)") }} as views_per_session,
        {{ rate("count(*) filter (bounced)", "count(*) filter (views > 0)") }} as bounce_rate,
        median(date_diff('millisecond', start_ts, end_ts)) / 1000.0 as median_seconds,
        avg(date_diff('millisecond', start_ts, end_ts)) / 1000.0 as mean_seconds,
        count(*) filter (converted) as conversions
    from sessions
),

viewed as (
    select cast(coalesce(sum(events), 0) as bigint) as views
    from event_counts
    where event_type = 'page_view'
),

sold as (
    select cast(coalesce(sum(purchases), 0) as bigint) as purchases, coalesce(sum(revenue), 0) as revenue
    from revenue_hourly
)

select
    visitors,
    views,
    sessions,
    views_per_session,
    bounce_rate,
    median_seconds,
    mean_seconds,
    conversions,
    {{ rate("conversions", "sessions") }} as conversion_rate,
    purchases,
    revenue
from visits cross join viewed cross join sold
