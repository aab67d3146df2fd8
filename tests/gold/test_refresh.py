"""Gold always says what silver says, whatever came late, twice, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faults import Crash, Fault
from penstock.gold import refresh as module
from penstock.gold.refresh import refresh
from penstock.gold.stores.sqlite import Store
from support import NOW, LakeInHand

Counts = dict[tuple[str, str], tuple[int, int]]
HOUR = NOW.replace(minute=0, second=0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "gold" / "rollups.db")
    yield opened
    opened.close()


def event(number: int, hours_ago: float = 0, kind: str = "view", **fields: Any) -> dict[str, Any]:
    at = HOUR + timedelta(minutes=5) - timedelta(hours=hours_ago)
    return {"event_type": kind, "event_id": f"id-{number}", "session_id": "s", "event_ts": at.isoformat(), **fields}


def fill(hand: LakeInHand, *events: dict[str, Any]) -> None:
    hand.put(hand.post(list(events)))
    hand.refine()


def shown(store: Store) -> Counts:
    rows = store.query("select bucket, event_type, events, bot_events from event_counts")
    return {(bucket, kind): (events, bots) for bucket, kind, events, bots in rows}


def in_silver(hand: LakeInHand) -> Counts:
    """The same, counted by other means."""
    found: Counts = {}
    for row in hand.sql("select event_ts, event_type, is_bot from events"):
        key = (f"{row['event_ts'].astimezone(UTC):%Y-%m-%dT%H:00Z}", row["event_type"])
        events, bots = found.get(key, (0, 0))
        found[key] = (events, bots + 1) if row["is_bot"] else (events + 1, bots)
    return found


def bucket(hours_ago: float = 0) -> str:
    return f"{HOUR - timedelta(hours=hours_ago):%Y-%m-%dT%H:00Z}"


def events_table(hand: LakeInHand) -> DeltaTable:
    return DeltaTable(str(hand.folder / "silver" / "events"))


def test_an_empty_lake_has_no_counts(hand: LakeInHand, store: Store) -> None:
    assert refresh(hand.lake.silver.events, store) == 0
    assert shown(store) == {}
    assert store.version() == 0


def test_events_are_counted_by_hour_and_type(hand: LakeInHand, store: Store) -> None:
    fill(hand, event(1), event(2), event(3, kind="buy"), event(4, hours_ago=1), event(5, hours_ago=30))
    assert refresh(hand.lake.silver.events, store) == 3
    assert shown(store) == {
        (bucket(0), "view"): (2, 0),
        (bucket(0), "buy"): (1, 0),
        (bucket(1), "view"): (1, 0),
        (bucket(30), "view"): (1, 0),
    }
    assert refresh(hand.lake.silver.events, store) == 0


def test_crawlers_are_counted_beside(hand: LakeInHand, store: Store) -> None:
    crawler = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    hand.put(hand.post([event(1), event(2)], user_agent=crawler))
    fill(hand, event(3))
    refresh(hand.lake.silver.events, store)
    assert shown(store) == {(bucket(), "view"): (1, 2)}


def test_only_the_hours_that_changed_are_computed_again(hand: LakeInHand, store: Store) -> None:
    fill(hand, event(1), event(2, hours_ago=1), event(3, hours_ago=2))
    refresh(hand.lake.silver.events, store)
    mark = store.query("update event_counts set events = 99 where bucket = ? returning 1", [bucket(1)])
    assert mark == [(1,)]
    fill(hand, event(4, hours_ago=2), event(5, hours_ago=3))
    assert refresh(hand.lake.silver.events, store) == 2
    assert shown(store) == {
        (bucket(0), "view"): (1, 0),
        (bucket(1), "view"): (99, 0),
        (bucket(2), "view"): (2, 0),
        (bucket(3), "view"): (1, 0),
    }


def test_repeated_events_change_nothing(hand: LakeInHand, store: Store) -> None:
    fill(hand, event(1), event(2, hours_ago=5))
    refresh(hand.lake.silver.events, store)
    before = shown(store)
    fill(hand, event(1), event(2, hours_ago=5))
    assert refresh(hand.lake.silver.events, store) == 0
    assert shown(store) == before == in_silver(hand)


def test_hours_that_share_a_file(hand: LakeInHand, store: Store) -> None:
    """What came very late is not kept by the hour in silver."""
    fill(hand, event(1, hours_ago=1000), event(2, hours_ago=1001), event(3, hours_ago=1002))
    assert len(hand.lake.silver.events.sizes()) == 1
    assert refresh(hand.lake.silver.events, store) == 3
    fill(hand, event(4, hours_ago=1001))
    assert refresh(hand.lake.silver.events, store) == 1
    assert shown(store) == in_silver(hand)


def test_several_commits_at_once(hand: LakeInHand, store: Store) -> None:
    fill(hand, event(1))
    refresh(hand.lake.silver.events, store)
    for n in range(2, 6):
        fill(hand, event(n, hours_ago=n), event(n))
    assert refresh(hand.lake.silver.events, store) == 4
    assert shown(store) == in_silver(hand)


def test_deleted_gold_comes_back_the_same(hand: LakeInHand, tmp_path: Path) -> None:
    path = tmp_path / "gold" / "rollups.db"
    results = []
    for n in range(4):
        fill(hand, *(event(n * 10 + i, hours_ago=i * n) for i in range(8)))
        store = Store(path)
        refresh(hand.lake.silver.events, store)
        results.append(store.query("select * from event_counts order by bucket, event_type"))
        store.close()
    shutil.rmtree(path.parent)
    store = Store(path)
    assert refresh(hand.lake.silver.events, store) == len({row[0] for row in results[-1]})
    assert store.query("select * from event_counts order by bucket, event_type") == results[-1]
    store.close()


def test_what_is_taken_out_of_silver_leaves_gold(hand: LakeInHand, store: Store) -> None:
    fill(hand, event(1), event(2), event(3, hours_ago=1), event(4, hours_ago=2, kind="buy"))
    refresh(hand.lake.silver.events, store)
    events_table(hand).delete("event_id in ('id-2', 'id-3')")
    assert refresh(hand.lake.silver.events, store) == 3
    assert shown(store) == in_silver(hand) == {(bucket(0), "view"): (1, 0), (bucket(2), "buy"): (1, 0)}
    assert refresh(hand.lake.silver.events, store) == 0


def test_files_that_are_merely_put_together_change_nothing(hand: LakeInHand, store: Store) -> None:
    for n in range(4):
        fill(hand, event(n), event(n + 10, hours_ago=1))
    refresh(hand.lake.silver.events, store)
    assert events_table(hand).optimize.compact()["numFilesRemoved"] == 8
    before = shown(store)
    assert refresh(hand.lake.silver.events, store) == 0
    assert shown(store) == before == in_silver(hand)
    fill(hand, event(20))
    assert refresh(hand.lake.silver.events, store) == 1
    assert shown(store) == in_silver(hand)


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_silver_that_was_made_anew_is_counted_anew(
    make_hand: Callable[[str], LakeInHand], store: Store, batches: int
) -> None:
    """Its version may be lower than the one that gold has seen, the same, or higher."""
    old, new = make_hand("old"), make_hand("new")
    for n in range(2):
        fill(old, event(n, hours_ago=n))
    refresh(old.lake.silver.events, store)
    for n in range(batches):
        fill(new, event(n, hours_ago=n + 10))
    refresh(new.lake.silver.events, store)
    assert shown(store) == in_silver(new)


def test_a_log_that_was_cut_short_is_no_trouble(hand: LakeInHand, store: Store) -> None:
    fill(hand, event(1))
    refresh(hand.lake.silver.events, store)
    for n in range(2, 5):
        fill(hand, event(n, hours_ago=n))
    events_table(hand).create_checkpoint()
    (hand.folder / "silver" / "events" / "_delta_log" / f"{2:020}.json").unlink()
    assert refresh(hand.lake.silver.events, store) == 4
    assert shown(store) == in_silver(hand)


def test_gold_that_saw_what_silver_lost_is_put_right(hand: LakeInHand, store: Store) -> None:
    """A power cut took silver's last commit, after gold had counted it."""
    fill(hand, event(1))
    fill(hand, event(2, hours_ago=1))
    refresh(hand.lake.silver.events, store)
    (hand.folder / "silver" / "events" / "_delta_log" / f"{2:020}.json").write_bytes(b"")
    after = LakeInHand(hand.folder)
    refresh(after.lake.silver.events, store)
    assert shown(store) == in_silver(after) == {(bucket(0), "view"): (1, 0)}


def test_more_hours_than_fit_at_once(hand: LakeInHand, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_HOURS_AT_ONCE", 3)
    fill(hand, *(event(n, hours_ago=n) for n in range(10)))
    assert refresh(hand.lake.silver.events, store) == 10
    assert shown(store) == in_silver(hand)


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_any_two_steps(
    hand: LakeInHand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    monkeypatch.setattr(module, "_HOURS_AT_ONCE", 2)
    fill(hand, *(event(n, hours_ago=n) for n in range(5)))
    half = Store(tmp_path / "half.db")
    refresh(hand.lake.silver.events, half)
    half.close()
    fill(hand, *(event(10 + n, hours_ago=n) for n in range(3, 8)))
    for nth in count(1):
        shutil.copy(tmp_path / "half.db", tmp_path / f"{nth}.db")
        store, fault = Store(tmp_path / f"{nth}.db"), Fault(nth, after=after)
        with suppress(Crash):
            refresh(hand.lake.silver.events, fault.at(store))
        refresh(hand.lake.silver.events, store)
        assert shown(store) == in_silver(hand)
        store.close()
        if not fault.happened:
            break
    assert nth > 5


def test_who_looks_meanwhile_never_sees_gold_emptied(hand: LakeInHand, store: Store, tmp_path: Path) -> None:
    fill(hand, event(1), event(2, hours_ago=1), event(3, hours_ago=2))
    refresh(hand.lake.silver.events, store)
    before = shown(store)
    events_table(hand).delete("event_id = 'nobody'")
    events_table(hand).update(updates={"page_path": "'/new'"})
    looker = Store(tmp_path / "gold" / "rollups.db")
    seen = []

    class Watched:
        def __getattr__(self, name: str) -> Any:
            seen.append(shown(looker))
            return getattr(store, name)

    watched: Any = Watched()
    assert refresh(hand.lake.silver.events, watched) == 3
    assert seen
    assert all(counts == before for counts in seen)
    looker.close()


def test_a_lake_in_any_folder(make_hand: Callable[[str], LakeInHand], store: Store) -> None:
    hand = make_hand("my läke 100%")
    fill(hand, event(1))
    refresh(hand.lake.silver.events, store)
    fill(hand, event(2, hours_ago=1))
    assert refresh(hand.lake.silver.events, store) == 1
    assert shown(store) == in_silver(hand)


EVENTS = st.builds(
    event,
    st.integers(0, 15),
    hours_ago=st.sampled_from([0, 0.5, 1, 2, 26, 1000, 1001]),
    kind=st.sampled_from(["view", "buy"]),
)
STEPS = st.lists(st.one_of(st.just(None), st.lists(EVENTS, min_size=1, max_size=6)), max_size=8)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_gold_is_silver_in_any_order(tmp_path_factory: pytest.TempPathFactory, steps: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("any")
    hand, store = LakeInHand(folder / "lake"), Store(folder / "rollups.db")
    for step in steps:
        if step is None:
            refresh(hand.lake.silver.events, store)
            assert shown(store) == in_silver(hand)
        else:
            fill(hand, *step)
    refresh(hand.lake.silver.events, store)
    assert shown(store) == in_silver(hand)
    store.close()
