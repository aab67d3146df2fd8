-- ---
-- title = "Devices"
-- question = "With what do they come: device, browser, system, language, country?"
-- example = "penstock report devices --from 30d --set of=browser"
-- source = "sessions"
--
-- [parameters]
-- of = {type = "choice", default = "device", choices = ["device", "browser", "os", "language", "country"], meaning = "what is told apart"}
-- limit = {type = "integer", default = 20, least = 1, most = 100000, meaning = "how many rows"}
--
-- [columns]
-- name = "device, browser …; empty if it is not known"
-- sessions = "sessions with it"
-- share = "of all sessions (share)"
-- views = "their page views"
-- conversions = "of the sessions, those that converted"
-- conversion_rate = "conversions of sessions (share)"
-- ---
select
    {{ of }} as name,
    count(*) as sessions,
    {{ rate("count(*)", "sum(count(*)) over ()") }} as share,
    cast(sum(views) as bigint) as views,
    count(*) filter (converted) as conversions,
    {{ rate("count(*) filter (converted)", "count(*)") }} as conversion_rate
from sessions
group by 1
order by sessions desc, name
limit {{ limit }}
