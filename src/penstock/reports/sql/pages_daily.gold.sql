-- ---
-- rollups = ["page_views_daily"]
-- grain = "day"
-- grains = ["day"]
-- filters = ["page_path"]
-- ---
select
    bucket,
    page_path,
    views,
    sessions
from page_views_daily
order by 1, 2
