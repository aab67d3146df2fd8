"""Half an hour, by hand: what counts, for how long, and that no input makes it large."""

from __future__ import annotations

from penstock.dashboard.live.fact import Fact
from penstock.dashboard.live.window import FEED, MINUTES, ONLINE_SECONDS, Ranked, Window

NOON = 1_770_000_000 // 60 * 60.0


def fact(
    at: float = NOON, session: str = "s", page: str = "/", came_from: str = "", id: str = "", *, bot: bool = False
) -> Fact:
    return Fact(at, id, "page_view", "default", session, page, came_from, "mobile", "DE", bot)


def window(*facts: Fact, since: float = NOON - 7200) -> Window:
    made = Window(since)
    for each in facts:
        made.add(each, each.at)
    return made


def test_nothing_came() -> None:
    now = window().now(NOON)
    assert (now.online, now.events, now.newest) == (0, 0, 0)
    assert now.per_minute == (0,) * MINUTES


def test_events_are_counted_by_minute_until_they_are_old() -> None:
    made = window(fact(NOON), fact(NOON + 59.9), fact(NOON + 60))
    assert made.now(NOON + 61).per_minute[-2:] == (2, 1)
    assert made.now(NOON + 60 * 29).per_minute[:2] == (2, 1)
    assert made.now(NOON + 60 * 30).per_minute[:2] == (1, 0)
    assert made.now(NOON + 60 * 31).events == 0


def test_minutes_before_it_was_told_are_not_known() -> None:
    now = window(fact(NOON), since=NOON - 60).now(NOON)
    assert now.per_minute == (*(None,) * (MINUTES - 2), 0, 1)
    assert now.events == 1


def test_a_session_is_online_for_five_minutes_after_its_last_event() -> None:
    made = window(fact(NOON, "a"), fact(NOON, "b"), fact(NOON + 100, "a"), fact(NOON, ""))
    assert made.now(NOON + 100).online == 2
    assert made.now(NOON + ONLINE_SECONDS).online == 1
    assert made.now(NOON + 100 + ONLINE_SECONDS).online == 0


def test_it_is_where_it_was_last_and_came_from_where_it_said_first() -> None:
    made = window(
        fact(NOON, "a", "/1", "letter"), fact(NOON + 1, "a", "/2", "elsewhere"), fact(NOON + 2, "a", ""),
        fact(NOON, "b", "/2"), fact(NOON, "c", "/1", "letter"),
    )  # fmt: skip
    now = made.now(NOON + 2)
    assert now.pages == (Ranked("/2", 2), Ranked("/1", 1))
    assert now.sources == (Ranked("letter", 2), Ranked("", 1))


def test_crawlers_and_what_is_no_event_are_only_counted() -> None:
    made = window(fact(bot=True), fact(bot=True, session="b"))
    made.add_malformed(NOON)
    now = made.now(NOON)
    assert (now.online, now.events, now.crawlers, now.malformed, made.feed()) == (0, 0, 2, 1, [])
    assert made.now(NOON + 1800).crawlers == 0


def test_a_copy_is_not_counted() -> None:
    made = window(fact(id="1"), fact(id="1"), fact(id="2"), fact(id=""), fact(id=""))
    assert made.now(NOON).events == 4
    assert len(made.feed()) == 4


def test_a_clock_ahead_does_not_reach_into_the_future() -> None:
    made = window()
    made.add(fact(NOON + 500), NOON)
    assert made.now(NOON).per_minute[-1] == 1
    assert made.feed()[0].at == NOON


def test_what_is_old_already_is_left_out() -> None:
    made = window()
    made.add(fact(NOON - 1801), NOON)
    assert (made.now(NOON).events, made.feed()) == (0, [])


def test_the_feed_goes_on_from_a_number() -> None:
    made = window(*(fact(page=f"/{n}") for n in range(FEED + 50)))
    assert [entry.n for entry in made.feed()] == list(range(51, FEED + 51))
    assert [entry.page for entry in made.feed(FEED + 47)] == ["/247", "/248", "/249"]
    assert made.feed(FEED + 50) == made.feed(10**9) == []


def test_memory_is_bounded() -> None:
    made = Window(NOON)
    for n in range(120_000):
        made.add(fact(NOON, f"s{n}", f"/{n}", f"from{n}", f"id{n}"), NOON)
    now = made.now(NOON)
    assert (now.online, now.events, now.newest) == (50_000, 120_000, 120_000)
    assert len(now.pages) == len(now.sources) == 10
    assert len(made._ids) == 100_000
