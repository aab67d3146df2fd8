-- ---
-- rollups = ["sessions_daily", "visitors_daily"]
-- grain = "day"
-- grains = ["day"]
-- ---
with came as (
    select bucket, {{ new_and_returning("bucket") }} from visitors_daily group by bucket
)

select
    bucket,
    {{ by }} as breakdown,
    newly + again + users as visitors,
    sessions,
    views,
    {{ rate("bounced", "viewing") }} as bounce_rate,
    {{ rate("engaged_seconds", "viewing") }} as engaged_seconds,
    {{ rate("scrolled", "viewing") }} as scroll_rate,
    converted as conversions,
    {{ rate("converted", "sessions") }} as conversion_rate,
    revenue
from sessions_daily
join came using (bucket)
order by bucket
