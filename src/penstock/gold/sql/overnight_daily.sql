-- Which sessions have events on other days too?
select day as bucket, session::varchar as session, count(*) as events
from overnight
group by all
