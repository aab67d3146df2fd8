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
with dear as (
    select product_id
    from events
    where product_id is not null
    group by product_id
    having max(price) >= $price
),

visits as (
    -- first by session: counting distinct ids costs several times as much
    select
        product_id,
        session,
        max(category) as category,
        max(price) as price,
        count(*) filter (event_type = 'page_view') as views,
        count(*) filter (event_type = 'add_to_cart') as adds,
        count(*) filter ({{ purchase }}) as purchases,
        sum(revenue) as revenue
    from events
    semi join dear using (product_id)
    group by product_id, session
),

counted as (
    select
        product_id,
        max(category) as category,
        max(price) as price,
        cast(sum(views) as bigint) as views,
        count(session) filter (views > 0) as sessions,
        cast(sum(adds) as bigint) as adds,
        cast(sum(purchases) as bigint) as purchases,
        coalesce(sum(revenue), 0) as revenue
    from visits
    group by product_id
)

select
    *,
    {{ rate("purchases", "views") }} as view_to_purchase
from counted
order by views desc, product_id
limit {{ limit }}
