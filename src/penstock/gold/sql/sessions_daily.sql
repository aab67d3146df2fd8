-- How many sessions began on each day, and what came of them?
select
    day as bucket,
    count(*) as sessions,
    count(distinct known_as) filter (first_day is null) as users,
    count(*) filter (first_day is null and known_as is null) as unidentified,
    count(*) filter (views > 0) as viewing,
    sum(views)::bigint as views,
    count(*) filter (bounced) as bounced,
    count(*) filter (converted) as converted,
    count(*) filter (views > 0 and max_scroll >= 75) as scrolled,
    coalesce(sum(engaged_seconds) filter (views > 0), 0)::bigint as engaged_seconds,
    sum(epoch_us(end_ts) // 1000 - epoch_us(start_ts) // 1000)::bigint as milliseconds,
    sum(revenue)::decimal(38, 2) as revenue
from sessions
where not is_bot
group by all
