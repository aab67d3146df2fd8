-- ---
-- title = "Scroll depth"
-- question = "How far down do readers scroll?"
-- example = "penstock report scroll_depth --from 30d --where page_path=/pricing"
-- breakdown = true
-- keys = ["percent"]
--
-- [columns]
-- percent = "mark (%); 0 stands for every page view"
-- breakdown = "the column asked for with --by"
-- views = "page views in which the page scrolled at least so far down"
-- share = "of all page views (share)"
-- ---
with marks as (
    select
        case when event_type = 'page_view' then 0 else {{ number_of("percent") }} end as percent,
        {{ by }} as breakdown,
        count(*) as views
    from events
    where event_type in ('page_view', 'scroll_depth') and page_path is not null
    group by 1, 2
)

select
    percent,
    breakdown,
    views,
    {{ rate("views", "max(case when " ~ "percent" ~ " = 0 then views end) over (partition by breakdown)") }} as share
from marks
where percent is not null
order by breakdown, percent
