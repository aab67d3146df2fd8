-- ---
-- title = "Sources"
-- question = "Which sources bring sessions, and how many of these convert?"
-- example = "penstock report sources --from 30d --set of=channel --set goal=form_submit"
-- source = "sessions"
--
-- [parameters]
-- of = {type = "choice", default = "utm_source", choices = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "channel", "referrer_host"], meaning = "what tells sources apart"}
-- goal = {type = "text", default = "", meaning = "event type that counts as a conversion; empty for purchases, forms sent and clicks on a call to action"}
-- limit = {type = "integer", default = 20, least = 1, most = 100000, meaning = "how many rows"}
--
-- [columns]
-- name = "the source; (direct) where nothing is said"
-- sessions = "sessions that came from there"
-- conversions = "of them, those that converted"
-- conversion_rate = "conversions of sessions (share)"
-- rate_low = "the rate is at least that, with 95 % confidence (share)"
-- rate_high = "and at most that (share)"
-- revenue = "of their purchases, in the shop's currency"
-- ---
with counted as (
    {% block counted %}
    select
        coalesce({{ of }}, '(direct)') as name,
        count(*) as sessions,
        count(*) filter ({{ reached(has) }}) as conversions,
        coalesce(sum(revenue), 0) as revenue
    from sessions
    group by 1
    {% endblock %}
)

select
    name,
    sessions,
    conversions,
    {{ rate("conversions", "sessions") }} as conversion_rate,
    {{ wilson_low("conversions", "sessions") }} as rate_low,
    {{ wilson_high("conversions", "sessions") }} as rate_high,
    revenue
from counted
order by sessions desc, name
limit {{ limit }}
