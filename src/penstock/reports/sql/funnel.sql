-- ---
-- title = "Funnel"
-- question = "How many go from step to step, and where do they leave?"
-- example = "penstock report funnel --step 'page_view & page_path=/pricing' --step form_start --step form_submit"
-- breakdown = true
-- keys = ["step"]
-- finish = "funnel"
--
-- [parameters]
-- steps = {type = "steps", least = 2, most = 10, meaning = "event types in their order, each with filters after ' & '"}
-- order = {type = "choice", choices = ["ordered", "strict", "any"], default = "ordered", meaning = "ordered: other events may be between two steps; strict: no other event that fits a step may; any: whatever comes first"}
-- per = {type = "choice", choices = ["session", "user"], default = "session", meaning = "who goes through it: a session, or a person (user_id, else anonymous_id)"}
-- window = {type = "duration", default = "", meaning = "longest time from the first step to the last: 30m, 24h, 7d; empty for no limit"}
-- top = {type = "integer", default = 10, least = 1, most = 1000, meaning = "how many values of the breakdown: those that begin most often"}
--
-- [columns]
-- breakdown = "the column asked for with --by, at the first step"
-- step = "number of the step, from 1; in any order, how many different steps were done"
-- event = "what was asked; empty in any order"
-- reached = "how many came so far"
-- of_previous = "of those who reached the step before (share)"
-- of_first = "of those who began (share)"
-- median_seconds = "from the step before to this one, of those who reached it (seconds, median)"
-- ---
{#
    `place` is where an event stands: its microsecond, and within it seq, or without one the first step that it fits.
    The next step has a higher place, so no event is two steps; two events of one place are as one.

    ordered, strict: from every first step on, each next step is the soonest after the one before. Of the attempts of
    one session the one that gets furthest counts; of those, the first.
    any: from every event on that fits a step, the first time of each step.
#}
{% set key = "session" if per == "session" else "known_as" %}
{% set n = steps | length %}
{% set micros = window * 1000000 %}
{% macro bit(k) %}{{ 2 ** (k - 1) }}{% endmacro %}
{% macro elapsed(a, b) %}({{ b }} // 2048 - {{ a }} // 2048){% endmacro %}
{% macro late(a, b) %}{{ elapsed(a, b) }} > {{ micros }}{% endmacro %}
with marked as materialized (
    select
        key,
        epoch_us(event_ts) * 2048 + coalesce(seq & 2047, case
            {% for step in steps %}
            when mask & {{ bit(loop.index) }} > 0 then {{ loop.index0 }}
            {% endfor %}
        end) as place,
        mask,
        breakdown
    from (
        select
            {{ key }} as key,
            event_ts,
            seq,
            {% for step in steps %}
            case when {{ step.sql }} then {{ bit(loop.index) }} else 0 end{{ " as mask," if loop.last else " +" }}
            {% endfor %}
            {{ "coalesce(" ~ by ~ ", '')" if broken_down else "''" }} as breakdown
        from events
        where {{ key }} is not null
          and ({% for step in steps %}{{ step.sql }}{{ "" if loop.last else "\n               or " }}{% endfor %})
    )
),

{% set marks %}{% for k in range(1, n + 1) %}p{{ k }}{{ "" if loop.last else ", " }}{% endfor %}{% endset %}
{% set rows = "marked" if inlines else "again" %}
asked as (
    {% for step in steps %}
    {{ "union all " if loop.index > 1 }}select {{ loop.index }} as step, {{ "null" if order == "any" else "$steps_" ~ loop.index0 ~ "_label" }} as event
    {% endfor %}
),
{% if order == "ordered" and not inlines %}
-- the attempt that begins with the first step; without a window no other gets further
s1 as (
    select key, min(place) as place, cast(null as bigint) as before, min(place) as start, {{ "arg_min(breakdown, place)" if broken_down else "''" }} as breakdown
    from marked
    where mask & 1 > 0
    group by key
),
{% for k in range(2, n + 1) %}
s{{ k }} as (
    select m.key, min(m.place) as place, max(s.place) as before, max(s.start) as start, {{ "max(s.breakdown)" if broken_down else "''" }} as breakdown
    from marked as m
    join s{{ k - 1 }} as s on m.key = s.key and m.place > s.place
    where m.mask & {{ bit(k) }} > 0
    group by m.key
),
{% endfor %}
{% if window %}
-- where that takes too long, a later beginning may get further
slow as (
    select distinct key from (
        {% for k in range(2, n + 1) %}
        {{ "union all " if k > 2 }}select key from s{{ k }} where {{ late("start", "place") }}
        {% endfor %}
    )
),
again as materialized (select * from marked where key in (select key from slow)),
{% endif %}
{% endif %}
{% if order == "ordered" and (window or inlines) %}
-- of each attempt: where each later step is reached. What follows a later event comes later too, or not at all, so the
-- earliest of all that follows is what follows the soonest event of the next step
from{{ n }} as (
    select key, place, bit_or(mask) as mask, min(breakdown) filter (mask & 1 > 0) as breakdown from {{ rows }} group by key, place
),
{% for k in range(n - 1, 0, -1) %}
from{{ k }} as (
    select
        key,
        place,
        mask,
        breakdown,
        min(case when mask & {{ bit(k + 1) }} > 0 then place end) over after as p{{ k + 1 }}
        {% for j in range(k + 2, n + 1) %}
        , min(case when mask & {{ bit(k + 1) }} > 0 then p{{ j }} end) over after as p{{ j }}
        {% endfor %}
    from from{{ k + 1 }}
    window after as (partition by key order by place rows between 1 following and unbounded following)
),
{% endfor %}
tries as (
    select *, place as p1, case
        {% for k in range(2, n + 1) %}
        when p{{ k }} is null{% if window %} or {{ late("place", "p" ~ k) }}{% endif %} then {{ k - 1 }}
        {% endfor %}
        else {{ n }} end as step
    from from1
    where mask & 1 > 0
),
{% elif order == "strict" %}
moments as (
    select key, place, bit_or(mask) as mask, min(breakdown) as breakdown from marked group by key, place
),
following as (
    select
        *
        {% for k in range(2, n + 1) %}
        , lead(place, {{ k - 1 }}) over next as p{{ k }}, lead(mask, {{ k - 1 }}) over next & {{ bit(k) }} > 0 as is{{ k }}
        {% endfor %}
    from moments
    window next as (partition by key order by place)
),
tries as (
    select *, place as p1, case
        {% for k in range(2, n + 1) %}
        when not coalesce(is{{ k }}, false){% if window %} or {{ late("place", "p" ~ k) }}{% endif %} then {{ k - 1 }}
        {% endfor %}
        else {{ n }} end as step
    from following
    where mask & 1 > 0
),
{% elif order == "any" %}
{% if not (window and inlines) %}
-- from the first event that fits a step; without a window no other does more
whole as (
    select
        key,
        min(place) as start,
        {{ "arg_min(breakdown, place)" if broken_down else "''" }} as breakdown,
        {% for k in range(1, n + 1) %}
        min(place) filter (mask & {{ bit(k) }} > 0) as p{{ k }}{{ "" if loop.last else "," }}
        {% endfor %}
    from marked
    group by key
),
{% endif %}
{% if window and not inlines %}
slow as (
    select key from whole
    where {% for k in range(1, n + 1) %}coalesce({{ late("start", "p" ~ k) }}, false){{ "" if loop.last else " or " }}{% endfor %}

),
again as materialized (select * from marked where key in (select key from slow)),
{% endif %}
{% if window %}
moments as (
    select key, place, bit_or(mask) as mask, min(breakdown) as breakdown from {{ rows }} group by key, place
),
-- of each attempt: when each step is done first
firsts as (
    select
        key,
        place as start,
        breakdown
        {% for k in range(1, n + 1) %}
        , min(case when mask & {{ bit(k) }} > 0 then place end) over on_from_here as p{{ k }}
        {% endfor %}
    from moments
    window on_from_here as (partition by key order by place rows between current row and unbounded following)
),
tries as (
    select
        key,
        start,
        breakdown
        {% for k in range(1, n + 1) %}
        , case when not {{ late("start", "p" ~ k) }} then p{{ k }} end as p{{ k }}
        {% endfor %}
    from firsts
),
{% endif %}
{% endif %}

{% if order == "any" %}
{% if window %}
best as (
    select key, breakdown, {{ marks }} from tries
    qualify row_number() over (
        partition by key
        order by {% for k in range(1, n + 1) %}(p{{ k }} is not null)::int{{ " desc, start" if loop.last else " + " }}{% endfor %}

    ) = 1
    {% if not inlines %}
    union all select key, breakdown, {{ marks }} from whole where key not in (select key from slow)
    {% endif %}
),
{% else %}
best as (select * from whole),
{% endif %}
sorted as (
    select breakdown, list_sort([{{ marks }}], 'ASC', 'NULLS LAST') as p
    from best
),
placed as (
    select
        a.step,
        case a.step{% for k in range(1, n + 1) %} when {{ k }} then s.p[{{ k }}]{% endfor %} end as place,
        case a.step{% for k in range(2, n + 1) %} when {{ k }} then s.p[{{ k - 1 }}]{% endfor %} end as before,
        s.breakdown
    from sorted as s
    cross join asked as a
),
reached as (select * from placed where place is not null),
{% elif order == "strict" or window or inlines %}
best as (
    select * from tries qualify row_number() over (partition by key order by step desc, place) = 1
),
reached as (
    select
        a.step,
        case a.step{% for k in range(1, n + 1) %} when {{ k }} then b.p{{ k }}{% endfor %} end as place,
        case a.step{% for k in range(2, n + 1) %} when {{ k }} then b.p{{ k - 1 }}{% endfor %} end as before,
        b.breakdown
    from best as b
    join asked as a on a.step <= b.step
    {% if order == "ordered" and not inlines %}
    {% for k in range(1, n + 1) %}
    union all select {{ k }}, place, before, breakdown from s{{ k }} where key not in (select key from slow)
    {% endfor %}
    {% endif %}
),
{% else %}
reached as (
    {% for k in range(1, n + 1) %}
    {{ "union all " if k > 1 }}select {{ k }} as step, place, before, breakdown from s{{ k }}
    {% endfor %}
),
{% endif %}

counted as (
    select
        breakdown,
        step,
        count(*) as reached,
        median({{ elapsed("before", "place") }}) / 1000000 as median_seconds
    from reached
    group by breakdown, step
),
breakdowns as (
    {% if broken_down %}
    select breakdown, reached as began from counted where step = 1 order by reached desc, breakdown limit {{ top }}
    {% else %}
    select '' as breakdown, 0 as began
    {% endif %}
),
rows as (
    select b.breakdown, b.began, a.step, a.event, coalesce(c.reached, 0) as reached, c.median_seconds
    from breakdowns as b
    cross join asked as a
    left join counted as c on c.breakdown = b.breakdown and c.step = a.step
)

select
    nullif(breakdown, '') as breakdown,
    step,
    cast(event as varchar) as event,
    reached,
    {{ rate("reached", "lag(reached) over way") }} as of_previous,
    {{ rate("reached", "first_value(reached) over way") }} as of_first,
    cast(median_seconds as double) as median_seconds
from rows
window way as (partition by breakdown order by step)
order by began desc, rows.breakdown, step
