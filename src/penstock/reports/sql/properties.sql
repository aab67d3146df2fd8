-- ---
-- title = "Properties of events"
-- question = "Which properties does an event have, and which are their most frequent values?"
-- example = "penstock report properties --from 28d --set event=cta_click --set limit=10"
--
-- [parameters]
-- event = {type = "text", default = "", meaning = "event type; empty for all of them"}
-- limit = {type = "integer", default = 5, least = 1, most = 100000, meaning = "how many values of each property"}
--
-- [columns]
-- property = "name of the property"
-- value = "its value as text; empty where it is null"
-- events = "events with that value"
-- share = "of the events with the property (share)"
-- property_events = "events with the property"
-- property_values = "different values that it has"
-- ---
with texts as (
    -- first by the whole text, for many events say the same
    select properties, count(*) as events
    from events
    where ($event = '' or event_type = $event) and properties is not null
    group by 1
),

objects as (
    select
        events,
        case when json_valid(properties) and json_type(properties) = 'OBJECT' then properties end as properties
    from texts
),

named as (
    select properties, events, unnest(json_keys(properties)) as property
    from objects
    where properties is not null
),

counted as (
    select
        property,
        json_extract_string(properties, '/' || replace(replace(property, '~', '~0'), '/', '~1')) as value,
        cast(sum(events) as bigint) as events
    from named
    group by 1, 2
),

ranked as (
    select
        *,
        cast(sum(events) over (partition by property) as bigint) as property_events,
        count(*) over (partition by property) as property_values,
        row_number() over (partition by property order by events desc, value nulls last) as place
    from counted
)

select
    property,
    value,
    events,
    {{ rate("events", "property_events") }} as share,
    property_events,
    property_values
from ranked
where place <= {{ limit }}
order by property_events desc, property, place
