"""Gold always says what silver says, whatever came late, twice, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faults import Crash, Fault
from penstock.gold import by_day, sessions
from penstock.gold import refresh as module
from penstock.gold.catalog import ROLLUPS, Of
from penstock.gold.refresh import Refreshed, refresh
from penstock.gold.stores.sqlite import SQLite
from penstock.silver import snapshot
from penstock.silver.commit import Table
from penstock.silver.compact import compact
from penstock.silver.erase import erase
from penstock.silver.expire import expire
from support import NOW, LakeInHand

from .conftest import HOUR, GoldInHand, event, fill, in_hand

Make = Callable[[LakeInHand], GoldInHand]
DAY = timedelta(days=1)


def counts(gold: GoldInHand) -> dict[tuple[int, str], tuple[int, int]]:
    """(hours ago, event type) → (events, of crawlers)."""
    return {((HOUR - at) // timedelta(hours=1), kind): tuple(n) for at, kind, *n in gold.rows("event_counts")}


def events_table(hand: LakeInHand) -> DeltaTable:
    return DeltaTable(str(hand.folder / "silver" / "events"))


def test_an_empty_lake_has_nothing(gold: GoldInHand) -> None:
    assert not gold.refresh()
    assert gold.everything() == {name: [] for name in gold.everything()}
    assert {shown.version for shown in gold.store.shown().values()} == {0}


def test_events_are_counted_by_hour_and_type(gold: GoldInHand) -> None:
    fill(gold.hand, event(1), event(2), event(3, kind="buy"), event(4, hours_ago=1), event(5, hours_ago=30))
    assert gold.refresh() == Refreshed(hours=3, days=2)
    assert counts(gold) == {(0, "view"): (2, 0), (0, "buy"): (1, 0), (1, "view"): (1, 0), (30, "view"): (1, 0)}
    gold.assert_is_silver()
    assert not gold.refresh()


def test_crawlers_are_counted_beside(gold: GoldInHand) -> None:
    crawler = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    fill(gold.hand, event(1), event(2, kind="page_view", page_path="/"), user_agent=crawler)
    fill(gold.hand, event(3))
    gold.refresh()
    assert counts(gold) == {(0, "view"): (1, 1), (0, "page_view"): (0, 1)}
    assert gold.rows("page_views_daily") == []
    gold.assert_is_silver()


def test_what_each_shows_is_told(gold: GoldInHand) -> None:
    fill(gold.hand, event(1))
    gold.refresh()
    fill(gold.hand, event(2))
    gold.refresh(days=False)
    versions = {name: shown.version for name, shown in gold.store.shown().items()}
    assert {name for name, version in versions.items() if version == 2} == {
        rollup.name for rollup in ROLLUPS if rollup.of is Of.events
    }
    assert set(versions.values()) == {1, 2}
    gold.refresh()
    assert {shown.version for shown in gold.store.shown().values()} == {2}
    gold.assert_is_silver()


def read_by(gold: GoldInHand, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The folders of silver that a refresh reads from."""
    read: set[str] = set()
    original = snapshot.read_sql

    def reading(paths: Any, *args: Any, **kwargs: Any) -> str:
        listed = list(paths)
        read.update(path.split("/events/")[1].rsplit("/", 1)[0] for path in listed if "/silver/" in path)
        return original(listed, *args, **kwargs)

    monkeypatch.setattr(snapshot, "read_sql", reading)
    gold.refresh()
    monkeypatch.undo()
    return read


def folder(hours_ago: float) -> str:
    at = HOUR - timedelta(hours=hours_ago)
    return f"year={at.year}/month={at.month}/day={at.day}/hour={at.hour}"


def test_only_files_of_days_that_changed_are_read(gold: GoldInHand, monkeypatch: pytest.MonkeyPatch) -> None:
    """And of the days around them, on which the same sessions may be."""
    fill(gold.hand, *(event(n, hours_ago=24 * n) for n in range(20)))
    gold.refresh()
    fill(gold.hand, event(100, hours_ago=24 * 10 + 1))
    assert read_by(gold, monkeypatch) == {folder(24 * n) for n in range(7, 14)} | {folder(24 * 10 + 1)}
    gold.assert_is_silver()


def test_only_files_of_hours_that_changed_are_read(gold: GoldInHand, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(gold.hand, *(event(n, hours_ago=n) for n in range(5)))
    gold.refresh()
    fill(gold.hand, event(100, hours_ago=3))
    monkeypatch.setattr(gold, "refresh", lambda: GoldInHand.refresh(gold, days=False))
    assert read_by(gold, monkeypatch) == {folder(3)}


def test_only_the_hours_that_changed_are_computed_again(gold: GoldInHand) -> None:
    fill(gold.hand, event(1), event(2, hours_ago=1), event(3, hours_ago=2))
    gold.refresh()
    gold.store.query("update event_counts set events = 99 where bucket = ?", [f"{HOUR - timedelta(hours=1):%FT%H:%MZ}"])
    fill(gold.hand, event(4, hours_ago=2), event(5, hours_ago=3))
    assert gold.refresh().hours == 2
    assert counts(gold) == {(0, "view"): (1, 0), (1, "view"): (99, 0), (2, "view"): (2, 0), (3, "view"): (1, 0)}


def test_repeated_events_change_nothing(gold: GoldInHand) -> None:
    fill(gold.hand, event(1), event(2, hours_ago=5))
    gold.refresh()
    before = gold.everything()
    fill(gold.hand, event(1), event(2, hours_ago=5))
    assert not gold.refresh()
    assert gold.everything() == before
    gold.assert_is_silver()


def test_a_day_whose_sessions_are_the_same_is_not_written_again(gold: GoldInHand) -> None:
    fill(gold.hand, *(event(n, hours_ago=24 * n) for n in range(4)))
    gold.refresh()
    before = set(gold.visits.sizes())
    fill(gold.hand, event(10, hours_ago=23, session_id="other"))
    gold.refresh()
    assert len(before & set(gold.visits.sizes())) == 3
    gold.assert_is_silver()


def test_hours_that_share_a_file(gold: GoldInHand) -> None:
    """What came very late is not kept by the hour in silver."""
    fill(gold.hand, event(1, hours_ago=1000), event(2, hours_ago=1001), event(3, hours_ago=1002))
    assert len(gold.hand.lake.silver.events.sizes()) == 1
    assert gold.refresh().hours == 3
    fill(gold.hand, event(4, hours_ago=1001))
    assert gold.refresh().hours == 1
    gold.assert_is_silver()


def test_several_commits_at_once(gold: GoldInHand) -> None:
    fill(gold.hand, event(1))
    gold.refresh()
    for n in range(2, 6):
        fill(gold.hand, event(n, hours_ago=n), event(n))
    assert gold.refresh().hours == 4
    gold.assert_is_silver()


def test_deleted_gold_comes_back_the_same(gold: GoldInHand, make_gold: Make) -> None:
    for n in range(4):
        fill(gold.hand, *(event(n * 10 + i, hours_ago=i * n * 3, page_path=f"/{i}") for i in range(8)))
        gold.refresh()
    before = gold.everything()
    gold.store.close()
    shutil.rmtree(gold.hand.folder / "gold")
    again = make_gold(gold.hand)
    again.refresh()
    assert again.everything() == before
    again.assert_is_silver()


@pytest.mark.parametrize("half", ["sessions", "steps", "rollups.db"])
def test_one_half_of_gold_that_was_deleted_comes_back(gold: GoldInHand, make_gold: Make, half: str) -> None:
    fill(gold.hand, event(1), event(2, hours_ago=30))
    gold.refresh()
    gold.store.close()
    for path in (gold.hand.folder / "gold").glob(f"{half}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    fill(gold.hand, event(3, hours_ago=1))
    again = make_gold(gold.hand)
    again.refresh()
    again.assert_is_silver()


def test_sessions_of_other_columns_are_made_again(gold: GoldInHand, make_gold: Make) -> None:
    fill(gold.hand, event(1))
    old = Table(gold.visits.url + "-old", sessions.SESSIONS[:5], by_day.DAYS)
    old.open()
    shutil.rmtree(gold.hand.folder / "gold" / "sessions")
    shutil.move(gold.hand.folder / "gold" / "sessions-old", gold.hand.folder / "gold" / "sessions")
    again = make_gold(gold.hand)
    again.refresh()
    again.assert_is_silver()


def test_what_is_taken_out_of_silver_leaves_gold(gold: GoldInHand) -> None:
    fill(gold.hand, event(1), event(2), event(3, hours_ago=1), event(4, hours_ago=2, kind="buy"))
    gold.refresh()
    events_table(gold.hand).delete("event_id in ('id-2', 'id-3')")
    assert gold.refresh().hours == 2
    assert counts(gold) == {(0, "view"): (1, 0), (2, "buy"): (1, 0)}
    gold.assert_is_silver()
    assert not gold.refresh()


def test_an_erased_person_leaves_gold(gold: GoldInHand) -> None:
    fill(gold.hand, *(event(n, hours_ago=n, user_id=f"u{n % 2}", session_id=f"s{n % 2}") for n in range(4)))
    fill(gold.hand, event(10, hours_ago=2000, user_id="u1"), event(11, hours_ago=2003, user_id="u0"))
    gold.refresh()
    erase(gold.hand.lake, "user_id", "u1", NOW)
    assert gold.refresh().hours == 2 + 4, "all hours of the file of what came late"
    gold.assert_is_silver()
    assert {session["user_id"] for session in gold.sessions()} == {"u0"}
    assert not gold.refresh()


def test_erased_before_gold_saw_it_whole(gold: GoldInHand) -> None:
    """The files are gone, but the log says what they held."""
    fill(gold.hand, event(1), event(2, hours_ago=2000))
    gold.refresh(days=False)
    fill(gold.hand, event(3, hours_ago=2001, user_id="u"), event(4, hours_ago=1, user_id="u"))
    erase(gold.hand.lake, "user_id", "u", NOW)
    gold.refresh()
    gold.assert_is_silver()


def test_what_expires_leaves_gold(gold: GoldInHand) -> None:
    for days in (3, 1, 0):
        hand, at = gold.hand, NOW - timedelta(days=days)
        sent = [event(days * 10 + n, hours_ago=24 * days + 30 * n) for n in range(3)]
        sent.append(event(days * 10 + 5, hours_ago=3000 + days))
        hand.put(hand.post(sent, at), at)
        hand.refine()
    gold.refresh()
    expire(gold.hand.lake.silver, (NOW - timedelta(days=2)).date())
    assert 0 < gold.refresh().hours < 10
    gold.assert_is_silver()


def test_files_that_are_merely_put_together_change_nothing(gold: GoldInHand) -> None:
    for n in range(4):
        fill(gold.hand, event(n), event(n + 10, hours_ago=1))
    gold.refresh()
    assert events_table(gold.hand).optimize.compact()["numFilesRemoved"] == 8
    before = gold.everything()
    assert not gold.refresh()
    assert gold.everything() == before
    fill(gold.hand, event(20))
    assert gold.refresh().hours == 1
    gold.assert_is_silver()


def test_files_that_were_put_together_before_gold_saw_them(gold: GoldInHand) -> None:
    fill(gold.hand, event(0))
    gold.refresh()
    for n in range(1, 4):
        fill(gold.hand, event(n), event(n + 10, hours_ago=1000 + n))
    table, order_by = gold.hand.lake.silver.tables[0]
    compact(table, order_by, many=2)
    table.vacuum(keep_hours=0)
    assert gold.refresh().hours == 1 + 3
    gold.assert_is_silver()


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_silver_that_was_made_anew_is_counted_anew(
    make_hand: Callable[[str], LakeInHand], make_gold: Make, batches: int
) -> None:
    """Its version may be lower than the one that gold has seen, the same, or higher."""
    gold, new = make_gold(make_hand("old")), make_hand("new")
    for n in range(2):
        fill(gold.hand, event(n, hours_ago=n * 30))
    gold.refresh()
    for n in range(batches):
        fill(new, event(n, hours_ago=n + 10))
    gold.hand = new
    gold.refresh()
    gold.assert_is_silver()


def test_a_log_that_was_cut_short_is_no_trouble(gold: GoldInHand) -> None:
    fill(gold.hand, event(1))
    gold.refresh()
    for n in range(2, 5):
        fill(gold.hand, event(n, hours_ago=n))
    events_table(gold.hand).create_checkpoint()
    (gold.hand.folder / "silver" / "events" / "_delta_log" / f"{2:020}.json").unlink()
    assert gold.refresh().hours == 4
    gold.assert_is_silver()


def test_gold_that_saw_what_silver_lost_is_put_right(gold: GoldInHand) -> None:
    """A power cut took silver's last commit, after gold had counted it."""
    fill(gold.hand, event(1))
    fill(gold.hand, event(2, hours_ago=1))
    gold.refresh()
    (gold.hand.folder / "silver" / "events" / "_delta_log" / f"{2:020}.json").write_bytes(b"")
    gold.hand = LakeInHand(gold.hand.folder)
    gold.refresh()
    assert counts(gold) == {(0, "view"): (1, 0)}
    gold.assert_is_silver()


def test_more_than_fits_at_once(gold: GoldInHand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_HOURS_AT_ONCE", 3)
    monkeypatch.setattr(module, "_DAYS_AT_ONCE", 1)
    fill(gold.hand, *(event(n, hours_ago=8 * n, session_id=f"s{n % 2}") for n in range(10)))
    assert gold.refresh() == Refreshed(hours=10, days=4)
    gold.assert_is_silver()


@pytest.mark.heavy
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_any_two_steps(
    gold: GoldInHand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    monkeypatch.setattr(module, "_HOURS_AT_ONCE", 4)
    monkeypatch.setattr(module, "_DAYS_AT_ONCE", 2)
    fill(gold.hand, *(event(n, hours_ago=6 * n) for n in range(4)))
    gold.refresh()
    gold.store.close()
    fill(gold.hand, *(event(10 + n, hours_ago=5 * n) for n in range(2, 5)))
    for nth in count(1):
        folder, fault = tmp_path / str(nth), Fault(nth, after=after)
        shutil.copytree(gold.hand.folder / "gold", folder / "gold")
        store = SQLite(folder / "gold" / "rollups.db")
        broken = in_hand(gold.hand, store, folder.as_uri())
        with suppress(Crash):
            refresh(
                gold.hand.lake.silver.events,
                *map(fault.at, (store, broken.steps, broken.beyond, broken.walks, broken.visits)),
            )
        half = in_hand(gold.hand, store, folder.as_uri())
        half.refresh()
        half.assert_is_silver()
        store.close()
        if not fault.happened:
            break
    assert nth > 20


def test_who_looks_meanwhile_never_sees_gold_emptied(gold: GoldInHand, make_gold: Make) -> None:
    fill(gold.hand, event(1, page_path="/a", kind="page_view"), event(2, hours_ago=1), event(3, hours_ago=2))
    gold.refresh()
    events_table(gold.hand).delete("event_id = 'nobody'")
    events_table(gold.hand).update(updates={"received_at": "'2026-01-01T00:00:00Z'::timestamp"})
    looker = make_gold(gold.hand)
    before = looker.everything()
    seen = []

    class Watched:
        def __init__(self, of: Any) -> None:
            self._of = of

        def __getattr__(self, name: str) -> Any:
            seen.append(looker.everything())
            return getattr(self._of, name)

    watched: Any = Watched(gold.store)
    assert refresh(gold.hand.lake.silver.events, watched, gold.steps, gold.beyond, gold.walks, gold.visits).hours == 3
    assert seen
    assert all(found == before for found in seen)


def test_a_lake_in_any_folder(make_hand: Callable[[str], LakeInHand], make_gold: Make) -> None:
    gold = make_gold(make_hand("my läke 100%"))
    fill(gold.hand, event(1))
    gold.refresh()
    fill(gold.hand, event(2, hours_ago=1), event(3, hours_ago=26))
    assert gold.refresh().hours == 2
    gold.assert_is_silver()


ODD = st.sampled_from(["", " ", "a", "A", "'", "a\u0000b", "#%", "ß", None])
EVENTS = st.builds(
    event,
    st.integers(0, 40),
    hours_ago=st.sampled_from([0, 0.5, 12.4, 12.6, 13, 23, 25, 36.4, 37, 48, 60.6, 84.6, 1000, 1001]),
    kind=st.sampled_from(["page_view", "purchase", "order_completed", "add_to_cart", "remove_from_cart", "cta_click",
                          "form_submit", "scroll_depth", "time_on_page"]),
    session_id=st.sampled_from(["s", "t", "u"]),
    user_id=st.sampled_from([None, None, "p", "q"]),
    anonymous_id=st.sampled_from([None, "p", "v"]),
    page_path=ODD,
    product_id=ODD,
    category=ODD,
    price=st.sampled_from([None, "0.1", "19.99", "9999999999999999.99", "-3", "x"]),
    quantity=st.sampled_from([None, 1, 3]),
    utm_source=ODD,
    utm_campaign=ODD,
    referrer=st.sampled_from([None, "https://www.google.com/", "https://news.example/x", "nonsense"]),
    language=ODD,
    seq=st.sampled_from([None, 1, 2, -1]),
    first_day=st.sampled_from([None, "2026-11-01", "0001-01-01", "2026-11-20"]),
    prev_day=st.sampled_from([None, "2026-11-01", "9999-12-31", "2026-11-19"]),
    variants=st.sampled_from([None, {}, {"a": "A"}, {"a": "B", "b": "A"}, {"": "x"}, {"a": None}, {"a'\"": "%"}]),
    properties=st.sampled_from([{}, {"percent": 25}, {"percent": "75"}, {"percent": 1000000}, {"percent": "far"},
                                {"percent": -5}, {"seconds": 30}, {"seconds": "180"}, {"seconds": 7}, {"percent": 0}]),
)  # fmt: skip
STEPS = st.lists(
    st.one_of(st.none(), st.just("hours"), st.just("compact"), st.lists(EVENTS, min_size=1, max_size=8)), max_size=8
)


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_gold_is_silver_in_any_order(tmp_path_factory: pytest.TempPathFactory, steps: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("any")
    hand = LakeInHand(folder / "lake")
    gold = in_hand(hand, SQLite(folder / "rollups.db"))
    for step in steps:
        if step is None:
            gold.refresh()
            gold.assert_is_silver()
        elif step == "hours":
            gold.refresh(days=False)
        elif step == "compact":
            for table, order_by in hand.lake.silver.tables:
                compact(table, order_by, many=2)
        else:
            fill(hand, *step)
    gold.refresh()
    gold.assert_is_silver()
    before = gold.everything()
    gold.store.close()
    shutil.rmtree(folder / "lake" / "gold")
    anew = in_hand(hand, SQLite(folder / "anew.db"))
    anew.refresh()
    assert anew.everything() == before
    anew.store.close()
