-- ---
-- title = "Forms"
-- question = "Which forms are begun and not sent, and how long does it take to send one?"
-- example = "penstock report forms --from 30d"
-- breakdown = true
--
-- [parameters]
-- limit = {type = "integer", default = 20, least = 1, most = 100000, meaning = "how many rows"}
--
-- [columns]
-- form = "its name or id, as the tracker sends it"
-- page_path = "page on which it was first begun"
-- breakdown = "the column asked for with --by, where it was first begun"
-- started = "sessions that began to fill it in"
-- submitted = "of them, those that sent it afterwards"
-- abandoned = "of them, those that did not"
-- abandonment = "abandoned of started (share)"
-- median_seconds = "from the first field to sending it, of those who sent it (seconds, median)"
-- ---
with said as (
    select
        session,
        coalesce(json_extract_string(properties, '$.form'), '') as form,
        event_type,
        event_ts,
        -- sent in the same moment is sent after
        epoch_us(event_ts) * 2 + case when event_type = 'form_submit' then 1 else 0 end as place,
        page_path,
        {{ by }} as breakdown
    from events
    where event_type in ('form_start', 'form_submit') and session is not null
),
began as (
    select
        session,
        form,
        min(place) as place,
        arg_min(coalesce(page_path, ''), row(place, page_path is null, coalesce(page_path, ''))) as page_path,
        arg_min(
            coalesce(breakdown, ''),
            row(place, page_path is null, coalesce(page_path, ''), breakdown is null, coalesce(breakdown, ''))
        ) as breakdown
    from said
    where event_type = 'form_start'
    group by session, form
),
sent as (
    select b.session, b.form, min(s.place) as place
    from began as b
    join said as s on s.session = b.session and s.form = b.form and s.place > b.place
    where s.event_type = 'form_submit'
    group by b.session, b.form
)

select
    nullif(b.form, '') as form,
    nullif(b.page_path, '') as page_path,
    nullif(b.breakdown, '') as breakdown,
    count(*) as started,
    count(s.place) as submitted,
    count(*) - count(s.place) as abandoned,
    {{ rate("count(*) - count(s.place)", "count(*)") }} as abandonment,
    cast(median(s.place // 2 - b.place // 2) as double) / 1000000 as median_seconds
from began as b
left join sent as s on s.session = b.session and s.form = b.form
group by b.form, b.page_path, b.breakdown
order by started desc, b.form, b.page_path, b.breakdown
limit {{ limit }}
