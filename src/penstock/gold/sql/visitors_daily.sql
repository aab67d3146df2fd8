-- How many sessions began on each day, by the day of their visitors' previous session?
--
-- The visitors of any days [a, b] are the `identified` of these days whose prev_day is null or before a; those where it
-- is null are new. They add up, where distinct identifiers would not.
select
    day as bucket,
    prev_day,
    count(*) as sessions,
    count(first_day) as identified,
    count(*) filter (bounced) as bounced,
    count(*) filter (converted) as converted,
    sum(views)::bigint as views,
    sum(engaged_seconds)::bigint as engaged_seconds,
    sum(revenue)::decimal(38, 2) as revenue
from sessions
where not is_bot
group by all
