-- parsed (text as sent) + agents, referrers, suspects (judged once per distinct value) → one row per line:
-- the columns of silver, and `reason` with `detail` where the line is no event.
--
-- DuckDB's dialect; sqlglot carries it to Spark. All times are UTC, and plain until the end: arithmetic with zones is
-- several times slower. `parsed` has bronze_file, bronze_line, stamped, source, dialect,
-- received_at, known_reason, made_id, event_id_is_text, event_type_is_text, every column of columns.WIRE, and of the
-- user's own columns: their values, own_conflict (one does not fit) and own_fault (a strict one, with its value).

with named as (
    select
        * exclude (user_id, anonymous_id, session_id),
        case when user_id not in ('null', 'undefined', '00000000-0000-0000-0000-000000000000')
             then user_id end as user_id,
        case when anonymous_id not in ('null', 'undefined', '00000000-0000-0000-0000-000000000000')
             then anonymous_id end as anonymous_id,
        case when session_id not in ('null', 'undefined', '00000000-0000-0000-0000-000000000000')
             then session_id end as session_id,
        coalesce(user_id in ('null', 'undefined', '00000000-0000-0000-0000-000000000000'), false)
            or coalesce(anonymous_id in ('null', 'undefined', '00000000-0000-0000-0000-000000000000'), false)
            or coalesce(session_id in ('null', 'undefined', '00000000-0000-0000-0000-000000000000'), false)
            as has_placeholder
    from parsed
),

times as (
    select
        *,
        case when strlen(event_ts) <> length(event_ts)
             then translate(event_ts, '‐‑‒–—―−', '-------') else event_ts end as event_text,
        event_ts is not null and strlen(event_ts) <> length(event_ts) as repaired,
        -- only names that need it are rewritten: trim and replace are slow
        case when contains(event_type, ' ') or contains(event_type, '-')
             then replace(replace(trim(lower(event_type)), ' ', '_'), '-', '_')
             else lower(event_type) end as event_name
    from named
),

clocks as (
    select
        *,
        case
            when event_text is null or not (event_text between '0' and ':') then null
            -- 2026-02-01T12:00:00.000Z and the like, which is nearly all
            when ends_with(event_text, 'Z') then coalesce(
                try_cast(event_text as timestamp),
                case when try_cast(split_part(event_text, '-', 1) as bigint) > 9999
                     then timestamp '9999-12-31 00:00:00' end
            )
            when right(event_text, 6) between '+15:00' and '+99:99' then null
            when right(event_text, 6) between '-15:00' and '-99:99' then null
            -- another zone, or none: only a cast with zones heeds an offset
            when substr(event_text, 5, 1) = '-' then timezone('UTC', try_cast(event_text as timestamptz))
            when contains(event_text, '-')
                then case when try_cast(split_part(event_text, '-', 1) as bigint) > 9999
                          then timestamp '9999-12-31 00:00:00' end
            when try_cast(event_text as double) < 100000000000
                then make_timestamp((try_cast(event_text as double) * 1000000)::bigint)
            when try_cast(event_text as double) < 100000000000000
                then make_timestamp((try_cast(event_text as double) * 1000)::bigint)
            when try_cast(event_text as double) < 100000000000000000
                then make_timestamp(try_cast(event_text as double)::bigint)
        end as client,
        case
            when not stamped or sent_ts is null or not (sent_ts between '0' and ':') then null
            when ends_with(sent_ts, 'Z') then try_cast(sent_ts as timestamp)
            when contains(sent_ts, '-') then timezone('UTC', try_cast(sent_ts as timestamptz))
            when try_cast(sent_ts as double) < 100000000000
                then make_timestamp((try_cast(sent_ts as double) * 1000000)::bigint)
            when try_cast(sent_ts as double) < 100000000000000
                then make_timestamp((try_cast(sent_ts as double) * 1000)::bigint)
        end as sent
    from times
),

skews as (
    select
        *,
        case
            when sent is null or client is null then interval 0 seconds
            when received_at - sent > interval 24 hours then interval 24 hours
            when sent - received_at > interval 24 hours then interval (-24) hours
            else received_at - sent
        end as skew,
        sent is not null and (received_at - sent > interval 24 hours or sent - received_at > interval 24 hours) as skewed
    from clocks
),

placed as (
    select
        *,
        case
            when client is null then received_at
            when client > received_at + interval 48 hours then received_at
            when client + skew > received_at + interval 24 hours then received_at
            else client + skew
        end as happened,
        client > received_at + interval 48 hours or client + skew > received_at + interval 24 hours as future
    from skews
),

typed as (
    select
        *,
        try_cast(price as decimal(18, 2)) as price_value,
        try_cast(quantity as integer) as quantity_value,
        try_cast(revenue as decimal(18, 2)) as revenue_value,
        try_cast(screen_width as integer) as width_value,
        try_cast(screen_height as integer) as height_value,
        try_cast(seq as integer) as seq_value,
        case when try_cast(first_day as date) between date '0001-01-01' and date '9999-12-31'
             then try_cast(first_day as date) end as first_day_value,
        case when try_cast(prev_day as date) between date '0001-01-01' and date '9999-12-31'
             then try_cast(prev_day as date) end as prev_day_value,
        event_name in ('purchase', 'order_completed', 'purchase_completed') as is_purchase,
        stamped and happened < received_at - interval 35 days as late
    from placed
),

judged as (
    select
        t.*,
        s.detail as suspect_detail,
        case
            when t.known_reason is not null then t.known_reason
            when s.reason is not null then s.reason
            when t.event_name is null or not t.event_type_is_text or strlen(t.event_name) > 200 then 'bad_event_name'
            when t.event_id is not null and (not t.event_id_is_text or strlen(t.event_id) > 200) then 'bad_event_id'
            when strlen(t.user_id) > 1000 or strlen(t.anonymous_id) > 1000 or strlen(t.session_id) > 1000
                then 'id_too_long'
            when t.dialect = 'events' and t.stamped and t.session_id is null and t.event_name in (
                'page_view', 'cta_click', 'scroll_depth', 'time_on_page', 'form_start', 'form_submit', 'exit_intent'
            ) then 'missing_session_id'
            when t.event_text is not null and (t.client is null or t.client < timestamp '1970-01-01 00:00:00')
                then 'bad_timestamp'
            when (t.quantity_value is null and try_cast(t.quantity as double) is not null)
              or (t.width_value is null and try_cast(t.screen_width as double) is not null)
              or (t.height_value is null and try_cast(t.screen_height as double) is not null)
              or (t.seq_value is null and try_cast(t.seq as double) is not null) then 'int_out_of_range'
            when (t.price_value is null and try_cast(t.price as double) is not null)
              or (t.revenue_value is null and try_cast(t.revenue as double) is not null) then 'number_out_of_range'
            when t.own_fault is not null then 'bad_column'
        end as reason
    from typed as t
    left join suspects as s on s.bronze_file = t.bronze_file and s.bronze_line = t.bronze_line
)

select
    coalesce(t.event_id, t.made_id) as event_id,
    t.source,
    t.dialect,
    t.event_name as event_type,
    t.user_id,
    t.anonymous_id,
    t.session_id,
    make_timestamptz(epoch_us(t.happened)) as event_ts,
    case when t.client < timestamp '9999-01-01 00:00:00' then make_timestamptz(epoch_us(t.client)) end as client_ts,
    make_timestamptz(epoch_us(t.received_at)) as received_at,
    t.page_path,
    t.page_url,
    t.page_title,
    t.referrer,
    r.referrer_host,
    r.channel,
    t.utm_source,
    t.utm_medium,
    t.utm_campaign,
    t.utm_term,
    t.utm_content,
    t.user_agent,
    coalesce(lower(t.device), a.device) as device,
    a.browser,
    a.os,
    t.width_value as screen_width,
    t.height_value as screen_height,
    t.language,
    t.timezone,
    t.country,
    t.product_id,
    case when contains(t.category, ' ') then trim(lower(t.category)) else lower(t.category) end as category,
    t.price_value as price,
    t.quantity_value as quantity,
    case when t.is_purchase
         -- in wider numbers: a product that fits no column of ours is none, and must not be an error
         then coalesce(
             t.revenue_value,
             try_cast(t.price_value::decimal(28, 2) * coalesce(t.quantity_value, 1) as decimal(18, 2))
         )
    end as revenue,
    t.search_query,
    t.variants,
    t.seq_value as seq,
    t.first_day_value as first_day,
    t.prev_day_value as prev_day,
    t.properties,
    coalesce(a.is_bot, false) as is_bot,
    case
        when t.future then 'ts_future'
        when t.late then 'ts_past'
        when t.skewed then 'ts_skewed'
        when t.client is null then 'ts_missing'
    end as ts_flag,
    nullif(concat_ws(',',
        case when t.session_id is null then 'no_session' end,
        case when t.repaired then 'ts_repaired' end,
        case when t.has_placeholder then 'placeholder_id' end,
        case when (t.price is not null and t.price_value is null)
               or (t.quantity is not null and t.quantity_value is null)
               or (t.revenue is not null and t.revenue_value is null)
               or (t.screen_width is not null and t.width_value is null)
               or (t.screen_height is not null and t.height_value is null)
               or (t.seq is not null and t.seq_value is null)
               or (t.first_day is not null and t.first_day_value is null)
               or (t.prev_day is not null and t.prev_day_value is null)
               or t.own_conflict then 'type_conflict' end
    ), '') as flags,
    t.bronze_file,
    t.bronze_line,
    /* own columns */
    case when not t.late then year(t.happened) end as year,
    case when not t.late then month(t.happened) end as month,
    case when not t.late then day(t.happened) end as day,
    case when not t.late then hour(t.happened) end as hour,
    t.reason,
    case t.reason
        when 'bad_event_name' then 'event_type ' || coalesce(left(t.event_type, 60), 'is missing')
        when 'bad_event_id' then 'event_id ' || left(t.event_id, 60)
        when 'bad_timestamp' then 'event_ts ' || left(t.event_ts, 60)
        when 'missing_session_id' then t.event_name || ' needs a session_id'
        when 'int_out_of_range' then concat_ws(' ', t.quantity, t.screen_width, t.screen_height, t.seq)
        when 'number_out_of_range' then concat_ws(' ', t.price, t.revenue)
        when 'bad_column' then t.own_fault
        else t.suspect_detail
    end as detail
from judged as t
left join agents as a on a.user_agent = t.user_agent
left join referrers as r
    on r.referrer is not distinct from t.referrer
   and r.utm_source is not distinct from t.utm_source
   and r.utm_medium is not distinct from t.utm_medium
