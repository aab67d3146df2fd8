-- ---
-- title = "Downloads"
-- question = "Which files are downloaded, and from which pages?"
-- example = "penstock report downloads --from 30d"
--
-- [parameters]
-- limit = {type = "integer", default = 20, least = 1, most = 100000, meaning = "how many rows"}
--
-- [columns]
-- file = "path of the file"
-- page_path = "page on which it was clicked"
-- downloads = "how often"
-- sessions = "by how many sessions"
-- ---
select
    json_extract_string(properties, '$.file') as file,
    page_path,
    count(*) as downloads,
    count(distinct session) as sessions
from events
where event_type = 'download'
group by 1, 2
order by downloads desc, file, page_path
limit {{ limit }}
