-- ---
-- title = "Interest in high-value products"
-- question = "Which expensive products are looked at, and which of them are bought?"
-- example = "penstock report high_value_products --from 30d --set price=100"
-- notes = ["a product's price is the highest that any of its events says in this time; one that nobody put into a cart has none"]
--
-- [parameters]
-- price = {type = "number", default = 100, least = 0, meaning = "from which price on a product is expensive (the shop's currency)"}
-- limit = {type = "integer", default = 20, least = 1, most = 100000, meaning = "how many rows"}
--
-- [columns]
-- product_id = "product"
-- category = "its category"
-- price = "its highest price"
-- views = "page views"
-- sessions = "sessions that viewed it"
-- adds = "times it was put into a cart"
-- purchases = "times it was bought"
-- revenue = "in the shop's currency"
-- view_to_purchase = "purchases of views (share)"
-- ---
with counted as (
    select
        product_id,
        max(category) as category,
        max(price) as price,
        count(*) filter (event_type = 'page_view') as views,
        count(distinct session_id) filter (event_type = 'page_view') as sessions,
        count(*) filter (event_type = 'add_to_cart') as adds,
        count(*) filter ({{ purchase }}) as purchases,
        coalesce(sum(revenue), 0) as revenue
    from events
    where product_id is not null
    group by 1
)

select
    *,
    {{ rate("purchases", "views") }} as view_to_purchase
from counted
where price >= $price
order by views desc, product_id
limit {{ limit }}
