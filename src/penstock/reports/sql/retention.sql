-- ---
-- title = "Retention"
-- question = "Of those who first came in one week, how many came again in each later one?"
-- example = "penstock report retention --from 12w --grain week"
-- grains = ["week", "day", "month"]
-- finish = "retention"
-- keys = ["nth"]
-- notes = ["a row is complete when both its times lie wholly within what was asked and are over"]
--
-- [parameters]
-- people = {type = "choice", choices = ["visitors", "users"], default = "visitors", meaning = "visitors: by the days that the tracker sends; users: by user_id, else anonymous_id"}
-- of = {type = "column", default = "utm_source", meaning = "what `first` is a value of"}
-- first = {type = "text", default = "", meaning = "users only: those whose first event had this value; (none) for those without one"}
--
-- [columns]
-- cohort = "first day of the time in which they first came"
-- period = "first day of the time in which they came"
-- nth = "how many times after the first that is; 0 is the first"
-- size = "how many are in the cohort"
-- people = "how many of them came"
-- share = "people of size (share)"
-- complete = "whether both times are wholly in what was asked, and over"
-- ---
{% if people == "visitors" %}
with came as (
    -- a visitor counts once in each time: with the first of their sessions in it, the one whose previous was before it
    select
        cast(date_trunc('{{ grain }}', first_day) as date) as cohort,
        cast(date_trunc('{{ grain }}', local_ts) as date) as period,
        count(*) as people
    from sessions
    where first_day is not null
      and (prev_day is null or prev_day < cast(date_trunc('{{ grain }}', local_ts) as date))
    group by 1, 2
)
{% else %}
with born as (
    -- when they first came is looked up in everything there is, not only in what was asked
    select known_as as person, min(event_ts) as first_ts
    from past
    where known_as is not null
    group by 1
    {% if "first" in has %}
    having arg_min(coalesce(cast({{ of }} as varchar), ''), {{ event_place }}) = case $first when '(none)' then '' else $first end
    {% endif %}
),
active as (
    select distinct known_as as person, cast(date_trunc('{{ grain }}', local_ts) as date) as period
    from events
    where known_as is not null
),
came as (
    select
        cast(date_trunc('{{ grain }}', cast(first_ts at time zone $zone as timestamp)) as date) as cohort,
        period,
        count(*) as people
    from active
    join born using (person)
    group by 1, 2
)
{% endif %}

select cohort, period, people
from came
where cohort >= cast(date_trunc('{{ grain }}', $first_day_asked) as date) and cohort <= period
order by 1, 2
