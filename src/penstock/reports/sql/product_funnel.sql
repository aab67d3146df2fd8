-- ---
-- title = "Product funnel"
-- question = "Of the sessions that saw a product, how many put it into the cart, and how many bought it?"
-- example = "penstock report product_funnel --from 7d"
-- notes = ["a rate is empty where there is nothing to divide by; it can be above 1: a purchase counts although the view was lost"]
--
-- [columns]
-- product_id = "product"
-- views = "page views"
-- adds = "times it was put into a cart"
-- purchases = "times it was bought"
-- sessions_viewed = "sessions with a view"
-- sessions_added = "sessions that put it into the cart"
-- sessions_purchased = "sessions that bought it"
-- view_to_cart = "sessions_added of sessions_viewed (share)"
-- cart_to_purchase = "sessions_purchased of sessions_added (share)"
-- view_to_purchase = "sessions_purchased of sessions_viewed (share)"
-- ---
with visits as (
    select
        product_id,
        session,
        count(*) filter (event_type = 'page_view') as views,
        count(*) filter (event_type = 'add_to_cart') as adds,
        count(*) filter (event_type = 'purchase') as purchases
    from events
    where product_id is not null
      and event_type in ('page_view', 'add_to_cart', 'purchase')
    group by product_id, session
),

counted as (
    {% block counted %}
    select
        product_id,
        cast(sum(views) as bigint) as views,
        cast(sum(adds) as bigint) as adds,
        cast(sum(purchases) as bigint) as purchases,
        count(session) filter (views > 0) as sessions_viewed,
        count(session) filter (adds > 0) as sessions_added,
        count(session) filter (purchases > 0) as sessions_purchased
    from visits
    group by product_id
    {% endblock %}
)

select
    *,
    {{ rate("sessions_added", "sessions_viewed") }} as view_to_cart,
    {{ rate("sessions_purchased", "sessions_added") }} as cart_to_purchase,
    {{ rate("sessions_purchased", "sessions_viewed") }} as view_to_purchase
from counted
order by product_id
