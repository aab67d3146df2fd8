-- ---
-- rollups = ["products_daily"]
-- grain = "day"
-- filters = ["product_id"]
-- ---
select product_id, cast(sum(views) as bigint) as views
from products_daily
where views > 0
group by product_id
order by views desc, product_id
limit {{ limit }}
