-- What came of the sessions with each variant of each experiment, day by day?
with told as (
    select variants, unnest(map_entries(from_json(variants, '"MAP(VARCHAR, VARCHAR)"')), recursive := true)
    from (select distinct variants from sessions where json_valid(variants))
)

select
    day as bucket,
    key as experiment,
    value as variant,
    count(*) as sessions,
    count(*) filter (bounced) as bounced,
    count(*) filter (converted) as converted,
    sum(views)::bigint as views,
    sum(engaged_seconds)::bigint as engaged_seconds,
    sum(revenue)::decimal(38, 2) as revenue
from sessions
join told using (variants)
where not is_bot and value is not null
group by all
