-- ---
-- title = "Cart trends"
-- question = "How do carts develop: filled, emptied, bought, left?"
-- example = "penstock report cart_trends --from 4w --grain week --compare previous"
-- grains = ["day", "hour", "week", "month"]
-- breakdown = true
--
-- [columns]
-- bucket = "where the day begins"
-- breakdown = "the column asked for with --by"
-- adds = "times something was put into a cart"
-- removes = "times something was taken out again"
-- purchases = "purchases"
-- sessions_added = "sessions that put something into a cart"
-- sessions_purchased = "of them, those that bought in the same time"
-- abandonment = "sessions_added that did not buy (share)"
-- ---
with visits as (
    select
        {{ bucket }} as bucket,
        {{ by }} as breakdown,
        session,
        count(*) filter (event_type = 'add_to_cart') as adds,
        count(*) filter (event_type = 'remove_from_cart') as removes,
        count(*) filter ({{ purchase }}) as purchases
    from events
    where event_type in ('add_to_cart', 'remove_from_cart') or {{ purchase }}
    group by 1, 2, 3
),

counted as (
    select
        bucket,
        breakdown,
        cast(sum(adds) as bigint) as adds,
        cast(sum(removes) as bigint) as removes,
        cast(sum(purchases) as bigint) as purchases,
        count(session) filter (adds > 0) as sessions_added,
        count(session) filter (adds > 0 and purchases > 0) as sessions_purchased
    from visits
    group by 1, 2
)

select
    *,
    {{ rate("(sessions_added - sessions_purchased)", "sessions_added") }} as abandonment
from counted
order by bucket, breakdown
