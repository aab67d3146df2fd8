-- How many different users and sessions were there each day?
select
    day as bucket,
    count(distinct coalesce(user_id, anonymous_id)) as users,
    count(distinct session_id) as sessions,
    count(*) as events
from events
where not is_bot
group by all
