-- Which pages did sessions see, one after the other?
with views as (
    select day, session, page_path, epoch_us(event_ts) * 2048 + coalesce(seq & 2047, 0) as place
    from one_day
    where event_type = 'page_view' and session is not null and page_path is not null
),

changes as (
    select * from views
    qualify page_path is distinct from lag(page_path) over (partition by day, session order by place, page_path)
),

walked as (
    select day, to_json(list(page_path order by place, page_path))::varchar as walk
    from changes
    group by day, session
)

select day, walk, count(*) as sessions
from walked
group by all
