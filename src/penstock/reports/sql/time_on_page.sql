-- ---
-- title = "Time on page"
-- question = "How long do readers look at a page?"
-- example = "penstock report time_on_page --from 30d --where page_path=/pricing"
-- breakdown = true
-- keys = ["seconds"]
--
-- [columns]
-- seconds = "mark (seconds); 0 stands for every page view"
-- breakdown = "the column asked for with --by"
-- views = "page views in which the page was looked at for at least so long"
-- share = "of all page views (share)"
-- ---
with marks as (
    select
        case when event_type = 'page_view' then 0 else {{ number_of("seconds") }} end as seconds,
        {{ by }} as breakdown,
        count(*) as views
    from events
    where event_type in ('page_view', 'time_on_page') and page_path is not null
    group by 1, 2
)

select
    seconds,
    breakdown,
    views,
    {{ rate("views", "max(case when " ~ "seconds" ~ " = 0 then views end) over (partition by breakdown)") }} as share
from marks
where seconds is not null
order by breakdown, seconds
