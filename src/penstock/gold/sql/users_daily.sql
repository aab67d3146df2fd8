-- How many different users and sessions were there each day?
select
    day as bucket,
    count(distinct known_as) as users,
    count(distinct session) as sessions,
    count(*) as events
from steps
group by all
