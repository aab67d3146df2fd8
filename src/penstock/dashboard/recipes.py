"""Queries to begin with, each answering what a report answers, in words that can be read and changed.

They ask gold where it has the answer: of a large lake that is thousands of times less to read.
"""

from __future__ import annotations

from typing import NamedTuple


class Recipe(NamedTuple):
    """`name` is what a URL says."""

    name: str
    title: str
    sql: str


RECIPES = (
    Recipe(
        "sources",
        "Which sources convert best?",
        """\
-- Which traffic sources convert best? Any conversion: a purchase, a sent form, a click on a call to action.
select
  coalesce(utm_source, '(direct)') as source,
  count(*) as sessions,
  count(*) filter (converted) as conversions,
  count(*) filter (converted) / count(*) as conversion_rate
from sessions
where not is_bot  -- and day >= '2026-11-01'
group by 1
order by 2 desc, 1
limit 20""",
    ),
    Recipe(
        "events_hourly",
        "How often did each event happen, by hour?",
        """\
select bucket as hour, event_type, events
from event_counts
order by hour, event_type""",
    ),
    Recipe(
        "pages_daily",
        "How many page views did each page get a day?",
        """\
select bucket as day, page_path, views, sessions
from page_views_daily
order by day, page_path""",
    ),
    Recipe(
        "traffic",
        "Sessions and page views by day",
        """\
select day, count(*) as sessions, sum(views)::bigint as views
from sessions
where not is_bot
group by day
order by day""",
    ),
    Recipe(
        "carts",
        "Which categories are added to carts?",
        """\
select category, sum(events)::bigint as adds
from categories_daily
where event_type = 'add_to_cart' and category is not null
group by category
order by adds desc, category""",
    ),
    Recipe(
        "product_funnel",
        "Seen, put into the cart, bought: by product",
        """\
select
  product_id,
  count(distinct session_id) filter (event_type = 'page_view') as viewed,
  count(distinct session_id) filter (event_type = 'add_to_cart') as added,
  count(distinct session_id) filter (event_type = 'purchase') as purchased,
  added / nullif(viewed, 0) as view_to_cart,
  purchased / nullif(added, 0) as cart_to_purchase,
  purchased / nullif(viewed, 0) as view_to_purchase
from events
where product_id is not null and not is_bot
  and event_type in ('page_view', 'add_to_cart', 'purchase')
group by product_id
order by product_id""",
    ),
    Recipe(
        "revenue_hourly",
        "How much was sold in each hour?",
        """\
select bucket as hour, purchases, revenue
from revenue_hourly
order by hour""",
    ),
    Recipe(
        "top_products",
        "Which products are viewed most?",
        """\
select product_id, sum(views)::bigint as views
from products_daily
where product_id is not null
group by product_id
having sum(views) > 0
order by views desc, product_id
limit 10""",
    ),
    Recipe(
        "categories",
        "What happened in each category, by day?",
        """\
select bucket as day, category, event_type, events, revenue
from categories_daily
where category is not null
order by day, category, event_type""",
    ),
    Recipe(
        "users_daily",
        "Different users and sessions of each day",
        """\
select bucket as day, users, sessions, events
from users_daily
order by day""",
    ),
    Recipe(
        "visitors",
        "Different visitors of each week, without an id",
        """\
-- Every session says the day of this visitor's first session and of the one before. So of each visitor one session
-- of a week has its previous one before that week, or none: count these, and nobody is counted twice.
select
  date_trunc('week', day)::date as week,
  count(*) filter (first_day is not null and prev_day is null) as new,
  count(*) filter (first_day is not null and prev_day < date_trunc('week', day)) as came_back,
  new + came_back as visitors
from sessions
where not is_bot
group by week
order by week""",
    ),
)
BY_NAME = {recipe.name: recipe for recipe in RECIPES}
