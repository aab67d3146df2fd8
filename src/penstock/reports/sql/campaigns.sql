-- ---
-- title = "Campaigns"
-- question = "Which campaigns bring sessions, by source and medium, and how many of these convert?"
-- example = "penstock report campaigns --from 30d --compare previous"
-- source = "sessions"
--
-- [parameters]
-- goal = {type = "text", default = "", meaning = "event type that counts as a conversion; empty for purchases, forms sent and clicks on a call to action"}
-- limit = {type = "integer", default = 20, least = 1, most = 100000, meaning = "how many rows"}
--
-- [columns]
-- utm_campaign = "campaign"
-- utm_source = "its source"
-- utm_medium = "its medium"
-- sessions = "sessions that came from there"
-- conversions = "of them, those that converted"
-- conversion_rate = "conversions of sessions (share)"
-- rate_low = "the rate is at least that, with 95 % confidence (share)"
-- rate_high = "and at most that (share)"
-- revenue = "of their purchases, in the shop's currency"
-- ---
with counted as (
    select
        utm_campaign,
        utm_source,
        utm_medium,
        count(*) as sessions,
        count(*) filter ({{ reached(has) }}) as conversions,
        coalesce(sum(revenue), 0) as revenue
    from sessions
    where utm_campaign is not null
    group by 1, 2, 3
)

select
    utm_campaign,
    utm_source,
    utm_medium,
    sessions,
    conversions,
    {{ rate("conversions", "sessions") }} as conversion_rate,
    {{ wilson_low("conversions", "sessions") }} as rate_low,
    {{ wilson_high("conversions", "sessions") }} as rate_high,
    revenue
from counted
order by sessions desc, utm_campaign, utm_source, utm_medium
limit {{ limit }}
