-- Where did sessions come from, and what came of them, day by day?
select
    day as bucket,
    channel,
    referrer_host,
    utm_source,
    utm_medium,
    utm_campaign,
    count(*) as sessions,
    count(*) filter (bounced) as bounced,
    count(*) filter (converted) as converted,
    sum(views)::bigint as views,
    sum(engaged_seconds)::bigint as engaged_seconds,
    sum(revenue)::decimal(38, 2) as revenue
from sessions
where not is_bot
group by all
