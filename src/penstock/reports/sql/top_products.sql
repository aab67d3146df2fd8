-- ---
-- title = "Top products"
-- question = "Which products are viewed most?"
-- example = "penstock report top_products --from 30d --set limit=10"
--
-- [parameters]
-- limit = {type = "integer", default = 10, least = 1, most = 10000, meaning = "how many"}
--
-- [columns]
-- product_id = "product"
-- views = "page views"
-- ---
select product_id, count(*) as views
from events
where event_type = 'page_view' and product_id is not null
group by product_id
order by views desc, product_id
limit {{ limit }}
