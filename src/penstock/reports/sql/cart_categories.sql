-- ---
-- title = "Categories in carts"
-- question = "Of which categories is most put into carts?"
-- example = "penstock report cart_categories --from 30d"
--
-- [parameters]
-- limit = {type = "integer", default = 20, least = 1, most = 100000, meaning = "how many rows"}
--
-- [columns]
-- category = "product category"
-- adds = "times something was put into a cart"
-- share = "of all (share)"
-- pieces = "how many pieces; one where no quantity is said"
-- sessions = "sessions that did"
-- ---
select
    category,
    count(*) as adds,
    {{ rate("count(*)", "sum(count(*)) over ()") }} as share,
    cast(sum(coalesce(quantity, 1)) as bigint) as pieces,
    count(distinct session) as sessions
from events
where event_type = 'add_to_cart' and category is not null
group by 1
order by adds desc, category
limit {{ limit }}
