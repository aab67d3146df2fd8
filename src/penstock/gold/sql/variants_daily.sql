-- What came of the sessions with each variant of each experiment, day by day?
with texts as (
    select distinct variants from sessions where variants is not null
),

named as (
    select
        variants,
        unnest(json_keys(case when json_valid(variants) and json_type(variants) = 'OBJECT' then variants end)) as experiment
    from texts
),

told as (
    select variants, experiment, json_extract_string(variants, '/' || replace(replace(experiment, '~', '~0'), '/', '~1')) as variant
    from named
)

select
    day as bucket,
    experiment,
    variant,
    count(*) as sessions,
    count(*) filter (bounced) as bounced,
    count(*) filter (converted) as converted,
    sum(views)::bigint as views,
    sum(engaged_seconds)::bigint as engaged_seconds,
    sum(revenue)::decimal(38, 2) as revenue
from sessions
join told using (variants)
where not is_bot and variant is not null
group by all
