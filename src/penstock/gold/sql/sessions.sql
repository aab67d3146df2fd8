-- What did each visit come to? A row for each session: source, session_id and is_bot; crawlers are sessions of their own.
--
-- A session is of the day (UTC) of its first event and lasts at most 24 hours; what its id does after that is a row per
-- day. So an event is of the day before if its id began there less than 24 hours ago, and was silent the day before that.
-- `session_events` has whole days and the one after them; `ids` says who was there on which day, from two days before on.
-- Of two events at the same time the lower `seq` is first, then the lower `event_id`. Columns that say where from and with
-- what are of the first event that says it.

with begun as (
    select
        *,
        case when lag(day) over earlier = day - interval 1 day and coalesce(lag(day, 2) over earlier <> day - interval 2 day, true)
             then lag(first_ts) over earlier + interval 24 hours end as ends
    from ids
    window earlier as (partition by source, session_id, is_bot order by day)
),

going_on as (
    select source, session_id, is_bot, day, ends from begun where ends is not null
),

placed as (
    select
        e.*,
        case when e.event_ts < g.ends then cast(e.day - interval 1 day as date) else e.day end as began,
        -- texts of one width sort as their numbers do, and are compared several times as fast as rows
        (4000000000000000000 + epoch_us(e.event_ts))::varchar || (3000000000 + coalesce(e.seq, 0))::varchar
            || e.event_id as place
    from session_events as e
    left join going_on as g
        on g.source = e.source and g.session_id = e.session_id and g.is_bot = e.is_bot and g.day = e.day
    where e.session_id is not null
),

totalled as (
    select
        source,
        session_id,
        is_bot,
        began as day,
        max(user_id) as user_id,
        max(anonymous_id) as anonymous_id,
        min(event_ts) as start_ts,
        max(event_ts) as end_ts,
        arg_min(page_path, place) filter (event_type = 'page_view') as entry_page,
        arg_max(page_path, place) filter (event_type = 'page_view') as exit_page,
        count(*) filter (event_type = 'page_view') as views,
        count(*) as events,
        max(try_cast(json_extract_string(properties, '$.percent') as integer)) filter (
            event_type = 'scroll_depth' and try_cast(json_extract_string(properties, '$.percent') as integer) between 0 and 100
        ) as max_scroll,
        -- each mark of time_on_page stands for the seconds since the one before
        coalesce(sum(case json_extract_string(properties, '$.seconds')
                     when '30' then 30 when '60' then 30 when '180' then 120 when '300' then 120 end)
            filter (event_type = 'time_on_page'), 0)::bigint as engaged_seconds,
        arg_min(channel, place) as channel,
        arg_min(referrer_host, place) as referrer_host,
        arg_min(utm_source, place) as utm_source,
        arg_min(utm_medium, place) as utm_medium,
        arg_min(utm_campaign, place) as utm_campaign,
        arg_min(utm_term, place) as utm_term,
        arg_min(utm_content, place) as utm_content,
        arg_min(device, place) as device,
        arg_min(browser, place) as browser,
        arg_min(os, place) as os,
        arg_min(country, place) as country,
        arg_min(language, place) as language,
        min(first_day) as first_day,
        min(prev_day) as prev_day,
        count(*) filter (event_type = 'cta_click') as cta_clicks,
        count(*) filter (event_type = 'form_submit') as form_submits,
        count(*) filter (event_type in ('purchase', 'order_completed', 'purchase_completed')) as purchases,
        coalesce(sum(revenue), 0)::decimal(38, 2) as revenue,
        arg_max(variants, place) as variants
    from placed
    group by source, session_id, is_bot, began
)

select
    *,
    cta_clicks + form_submits + purchases > 0 as converted,
    views = 1 and cta_clicks + form_submits + purchases = 0 as bounced
from totalled
