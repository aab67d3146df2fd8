-- ---
-- title = "A/B tests"
-- question = "Which variant converts better, and may that be believed?"
-- example = "penstock report experiments --from 4w --set experiment=headline --set goal=cta_click"
-- finish = "experiments"
--
-- [parameters]
-- experiment = {type = "text", default = "", meaning = "its name; empty for all"}
-- goal = {type = "steps", default = "cta_click", least = 1, most = 1, meaning = "what counts as a conversion: an event type, and filters after ' & '"}
-- per = {type = "choice", choices = ["session", "user"], default = "session", meaning = "who is counted: sessions, or persons (user_id, else anonymous_id)"}
-- control = {type = "text", default = "", meaning = "the variant to compare with; empty for the first of the alphabet"}
-- shares = {type = "text", default = "", meaning = "how the variants were meant to be shown, A=90,B=10; empty for equally"}
-- effect = {type = "number", default = 0.1, least = 0.001, most = 10, meaning = "smallest relative difference that matters: 0.1 is 10 %"}
--
-- [columns]
-- experiment = "its name"
-- variant = "what was shown"
-- exposures = "how many saw it, and no other variant"
-- conversions = "of them, those that reached the goal when or after they first saw it"
-- rate = "conversions of exposures (share)"
-- rate_low = "the rate is at least that, with 95 % confidence (share; Wilson)"
-- rate_high = "and at most that (share)"
-- lift = "how much more than the control's rate (share of it)"
-- lift_low = "at least that, with 95 % confidence"
-- lift_high = "and at most that"
-- p_value = "how likely chance alone makes such a difference (two-sided z test)"
-- chance_to_beat = "probability that its rate is above the control's (share)"
-- split_p_value = "how likely chance alone gives such numbers of exposures; below 0.001 something is broken"
-- needed = "exposures of each variant to find the effect asked for, with a power of 80 %"
-- mixed = "how many saw several variants; they count nowhere"
-- verdict = "what may be said"
-- ---
{% set key = "session" if per == "session" else "known_as" %}
with texts as (
    -- they are few, and each is read once
    select distinct variants from events where variants is not null and {{ key }} is not null
),
named as (
    select variants, unnest(json_keys(case when json_valid(variants) and json_type(variants) = 'OBJECT' then variants end)) as experiment from texts
),
chosen as (
    select variants, experiment, json_extract_string(variants, '/' || replace(replace(experiment, '~', '~0'), '/', '~1')) as variant
    from named
),
carried as (
    select {{ key }} as key, variants, min(event_ts) as seen_ts
    from events
    where variants is not null and {{ key }} is not null
    group by 1, 2
),
shown as (
    select key, experiment, variant, seen_ts from carried join chosen using (variants)
    union all
    select {{ key }}, json_extract_string(properties, '$.experiment'), json_extract_string(properties, '$.variant'), event_ts
    from events
    where event_type = 'experiment_view' and {{ key }} is not null
),
exposed as (
    select key, experiment, min(variant) as variant, min(seen_ts) as seen_ts, min(variant) <> max(variant) as mixed
    from shown
    where experiment is not null and variant is not null
    {% if "experiment" in has %}
      and experiment = $experiment
    {% endif %}
    group by key, experiment
),
reached as (
    select {{ key }} as key, max(event_ts) as last_ts
    from events
    where {{ goal[0].sql }} and {{ key }} is not null
    group by 1
)

select
    experiment,
    case when not mixed then variant end as variant,
    count(*) as exposures,
    count(*) filter (last_ts >= seen_ts) as conversions
from exposed
left join reached using (key)
group by 1, 2
order by 1, 2
