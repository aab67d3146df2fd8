-- ---
-- title = "Events over time"
-- question = "How often did an event happen, hour by hour, or month over month?"
-- example = "penstock report events --set event=purchase --from 24h --grain hour --compare previous"
-- grains = ["day", "hour", "week", "month"]
-- breakdown = true
--
-- [parameters]
-- event = {type = "text", default = "", meaning = "event type; empty for all of them"}
--
-- [columns]
-- bucket = "where the hour, day, week or month begins"
-- breakdown = "the column asked for with --by"
-- events = "how often it happened"
-- ---
select
    {{ bucket }} as bucket,
    {{ by }} as breakdown,
    count(*) as events
from events
where $event = '' or event_type = $event
group by 1, 2
order by 1, 2
