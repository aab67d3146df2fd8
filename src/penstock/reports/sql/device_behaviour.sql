-- ---
-- title = "Behaviour by device"
-- question = "What do they do on each kind of device: look, fill a cart, buy?"
-- example = "penstock report device_behaviour --from 30d"
--
-- [columns]
-- device = "device; empty if it is not known"
-- sessions = "sessions"
-- views = "page views"
-- adds = "times something was put into a cart"
-- purchases = "purchases"
-- sessions_added = "sessions that put something into a cart"
-- sessions_purchased = "sessions that bought"
-- add_rate = "sessions_added of sessions (share)"
-- purchase_rate = "sessions_purchased of sessions (share)"
-- revenue = "in the shop's currency"
-- ---
with visits as (
    -- first by session: counting distinct ids costs several times as much
    select
        device,
        session,
        count(*) filter (event_type = 'page_view') as views,
        count(*) filter (event_type = 'add_to_cart') as adds,
        count(*) filter ({{ purchase }}) as purchases,
        sum(revenue) as revenue
    from events
    group by device, session
),

counted as (
    {% block counted %}
    select
        device,
        count(session) as sessions,
        cast(sum(views) as bigint) as views,
        cast(sum(adds) as bigint) as adds,
        cast(sum(purchases) as bigint) as purchases,
        count(session) filter (adds > 0) as sessions_added,
        count(session) filter (purchases > 0) as sessions_purchased,
        coalesce(sum(revenue), 0) as revenue
    from visits
    group by device
    {% endblock %}
)

select
    device,
    sessions,
    views,
    adds,
    purchases,
    sessions_added,
    sessions_purchased,
    {{ rate("sessions_added", "sessions") }} as add_rate,
    {{ rate("sessions_purchased", "sessions") }} as purchase_rate,
    revenue
from counted
order by sessions desc, device
