-- How long did sessions last?
select
    day as bucket,
    ((epoch_us(end_ts) // 1000 - epoch_us(start_ts) // 1000) // 1000)::varchar as seconds,
    count(*) as sessions
from sessions
where not is_bot
group by all
