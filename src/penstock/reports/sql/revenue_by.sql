-- ---
-- title = "Revenue by anything"
-- question = "From what does revenue come?"
-- example = "penstock report revenue_by --set of=category --from 30d --compare previous"
--
-- [parameters]
-- of = {type = "column", default = "category", meaning = "a column of events, or properties.plan"}
-- limit = {type = "integer", default = 20, least = 1, most = 100000, meaning = "how many rows"}
--
-- [columns]
-- name = "the column's value"
-- purchases = "how many"
-- sessions = "sessions that bought"
-- revenue = "in the shop's currency"
-- share = "of all revenue (share)"
-- average = "revenue of a purchase, in the shop's currency"
-- ---
select
    cast({{ of }} as varchar) as name,
    count(*) as purchases,
    count(distinct session) as sessions,
    coalesce(sum(revenue), 0) as revenue,
    {{ rate("coalesce(sum(revenue), 0)", "sum(coalesce(sum(revenue), 0)) over ()") }} as share,
    {{ rate("sum(revenue)", "count(revenue)") }} as average
from events
where {{ purchase }}
group by 1
order by revenue desc, purchases desc, name
limit {{ limit }}
