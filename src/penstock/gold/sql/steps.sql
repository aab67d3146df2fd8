-- What did people do, event by event? Silver's rows without those of crawlers, with short keys instead of ids.
--
-- A key is 63 bits of an MD5: of a billion sessions, one pair has the same with a probability of 5 %. Each id is hashed
-- once, and each JSON text is read once.
with sessions as (
    select session_id, (md5_number_lower(session_id) >> 1)::bigint as session
    from (select distinct session_id from events where session_id is not null and not is_bot)
),

persons as (
    select person, (md5_number_lower(person) >> 1)::bigint as known_as
    from (select distinct coalesce(user_id, anonymous_id) as person from events where not is_bot)
    where person is not null
)

select
    s.session,
    p.known_as,
    e.source,
    e.event_type,
    e.event_ts,
    e.seq,
    e.page_path,
    e.referrer_host,
    e.channel,
    e.utm_source,
    e.utm_medium,
    e.utm_campaign,
    e.utm_term,
    e.utm_content,
    e.device,
    e.browser,
    e.os,
    e.screen_width,
    e.screen_height,
    e.language,
    e.country,
    e.product_id,
    e.category,
    e.price,
    e.quantity,
    e.revenue,
    e.variants,
    e.said[1] as property_percent,
    e.said[2] as property_seconds,
    e.said[3] as property_form,
    e.said[4] as property_file,
    e.said[5] as property_experiment,
    e.said[6] as property_variant,
    e.day
from (
    select
        *,
        json_extract_string(
            properties, ['$.percent', '$.seconds', '$.form', '$.file', '$.experiment', '$.variant']
        ) as said
    from events
    where not is_bot
) as e
left join sessions as s on s.session_id = e.session_id
left join persons as p on p.person = coalesce(e.user_id, e.anonymous_id)
