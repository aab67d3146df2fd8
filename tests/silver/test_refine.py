"""Exactly once: repeats, lateness, crashes between any two steps, and two workers at once."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faults import Crash, crash_at
from penstock.bronze.deliver import announce
from penstock.bronze.layout import INBOX
from penstock.silver import refine as module
from penstock.silver.commit import Table
from penstock.silver.lake import Lake
from penstock.silver.refine import refine
from penstock.silver.schema import Schema
from support import NOW, LakeInHand

Event = dict[str, Any]


def event(number: int, **fields: Any) -> Event:
    return {"event_type": "thing", "event_id": f"id-{number}", "session_id": "s", **fields}


def ids(hand: LakeInHand) -> list[str]:
    return [row["event_id"] for row in hand.sql("select event_id from events order by event_id")]


def outcomes(hand: LakeInHand) -> dict[str, int]:
    rows = hand.sql("select outcome, sum(events)::bigint as n from ledger group by outcome")
    return {row["outcome"]: row["n"] for row in rows}


def test_a_second_run_has_nothing_to_do(hand: LakeInHand) -> None:
    hand.put([event(1)])
    assert hand.refine().events == {"stored": 1}
    assert refine(hand.lake) is None
    assert list(hand.lake.bronze.list(INBOX)) == []


def test_the_first_wins_within_a_batch(hand: LakeInHand) -> None:
    hand.put([event(1, page_path=f"/{n}") for n in range(100)])
    assert hand.refine().events == {"stored": 1, "duplicate": 99}
    assert hand.sql("select page_path from events") == [{"page_path": "/0"}]


def test_the_first_wins_across_batches(hand: LakeInHand) -> None:
    for path in ("/first", "/second"):
        hand.put([event(1, page_path=path)])
        hand.refine()
    assert hand.sql("select page_path from events") == [{"page_path": "/first"}]
    assert outcomes(hand) == {"stored": 1, "duplicate": 1}


def test_one_id_in_two_sources_is_two_events(hand: LakeInHand) -> None:
    (line,) = hand.post([event(1)])
    hand.put([line, line.replace(b'"source":"default"', b'"source":"other"')])
    assert hand.refine().events == {"stored": 2}


ESCAPES: list[tuple[str, Event, timedelta]] = [
    ("resent an hour later, corrected by an hour more", {"sent_ts": "2026-11-20T12:30:15Z"}, timedelta(hours=1)),
    ("resent 20 hours later", {"sent_ts": "2026-11-20T12:30:15Z"}, timedelta(hours=20)),
    ("far in the future, clamped to the time of receipt", {"event_ts": "2031-01-01T00:00:00Z"}, timedelta(hours=9)),
    ("before 35 days, placed apart", {"event_ts": "2020-01-01T00:00:00Z"}, timedelta(days=3)),
    ("no time at all", {"event_ts": None}, timedelta(hours=30)),
    ("without correction", {}, timedelta(days=20)),
]


@pytest.mark.parametrize(("name", "fields", "delay"), ESCAPES, ids=[case[0] for case in ESCAPES])
def test_a_late_copy_does_not_escape_into_another_hour(
    hand: LakeInHand, name: str, fields: Event, delay: timedelta
) -> None:
    sent = event(1, **{"event_ts": "2026-11-20T12:00:00Z", **fields})
    for at in (NOW, NOW + delay):
        hand.put(hand.post([sent], at), at)
        hand.refine()
    assert outcomes(hand) == {"stored": 1, "duplicate": 1}


def test_a_damaged_file_costs_itself(hand: LakeInHand) -> None:
    hand.put([event(1)])
    bad = hand.put_bytes("year=2026/month=11/day=20/hour=12/minute=30/cut.jsonl.gz", gzip.compress(b"{}" * 900)[:-5])
    hand.put([event(2)])
    done = hand.refine()
    assert (done.files, done.events, done.reasons) == (3, {"stored": 2, "quarantined": 1}, {"gz_truncated": 1})
    assert hand.sql("select bronze_file, bronze_line from quarantine") == [{"bronze_file": bad, "bronze_line": 0}]


def test_bad_lines_keep_their_bytes_and_cost_themselves(hand: LakeInHand) -> None:
    hand.put([b"{not json", b'{"event_type":"\xff"}', b"[]", b"null", event(1), b'{"event_type":"x","n":1}garbage'])
    done = hand.refine()
    assert done.events == {"stored": 1, "quarantined": 5}
    assert hand.sql("select bronze_line, reason, raw from quarantine order by bronze_line") == [
        {"bronze_line": 1, "reason": "malformed_json", "raw": b"{not json"},
        {"bronze_line": 2, "reason": "bad_encoding", "raw": b'{"event_type":"\xff"}'},
        {"bronze_line": 3, "reason": "not_an_object", "raw": b"[]"},
        {"bronze_line": 4, "reason": "not_an_object", "raw": b"null"},
        {"bronze_line": 6, "reason": "malformed_json", "raw": b'{"event_type":"x","n":1}garbage'},
    ]


def test_what_the_collector_judged_stays_judged(hand: LakeInHand) -> None:
    hand.put(hand.post([5, event(1), {"a": [[[]]] and _nested(40)}, event(2, properties={"k": "x" * 70_000})]))
    assert hand.refine().reasons == {"not_an_object": 1, "too_deep": 1, "event_too_large": 1}
    assert ids(hand) == ["id-1"]


def _nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def test_a_line_too_deep_for_most_parsers_costs_itself(hand: LakeInHand) -> None:
    deep = '{"event_type":"x","properties":{"a":' + "[" * 200 + "]" * 200 + "}}"
    hand.put([event(1), deep, event(2)])
    assert hand.refine().reasons == {"too_deep": 1}
    assert ids(hand) == ["id-1", "id-2"]


def test_nothing_but_bad_lines(hand: LakeInHand) -> None:
    hand.put([b"\xff", b"x"])
    assert hand.refine().events == {"quarantined": 2}
    assert ids(hand) == []


def test_an_empty_object_is_done_and_gone(hand: LakeInHand) -> None:
    hand.put_bytes("year=2026/month=11/day=20/hour=12/minute=30/empty.jsonl", b"")
    assert hand.refine().read == 0
    assert refine(hand.lake) is None


def test_an_announced_object_that_is_not_there_yet_is_waited_for(hand: LakeInHand) -> None:
    key = hand.put([event(1)])
    data = hand.lake.bronze.get(key)
    hand.lake.bronze.delete(key)
    assert refine(hand.lake) is None
    hand.lake.bronze.put(key, data)
    assert hand.refine().events == {"stored": 1}


def test_an_object_announced_again_is_not_read_again(hand: LakeInHand) -> None:
    key = hand.put([event(1), {"event_type": "no id"}])
    hand.refine()
    hand.put_bytes(key, hand.lake.bronze.get(key))
    assert refine(hand.lake) is None
    assert outcomes(hand) == {"stored": 2}


def test_batches_are_cut_by_size(hand: LakeInHand) -> None:
    for number in range(5):
        hand.put([event(number)])
    batches = []
    while (done := refine(hand.lake, batch_bytes=1)) is not None:
        batches.append(done.batch)
    assert batches == [1, 2, 3, 4, 5]
    assert len(ids(hand)) == 5


# crashes


def _crash(*_: Any) -> None:
    raise Crash


def fill(hand: LakeInHand) -> None:
    hand.put([event(n) for n in range(20)])
    hand.put([event(n) for n in range(15, 30)])
    hand.put([b"{bad", event(31), event(31)])


def steps(make_hand: Callable[[str], LakeInHand]) -> int:
    hand = make_hand("counted")
    fill(hand)
    with crash_at(-1) as count:
        hand.refine()
    return count[0]


def check(hand: LakeInHand) -> None:
    assert len(ids(hand)) == len(set(ids(hand))) == 31
    assert outcomes(hand) == {"stored": 31, "duplicate": 6, "quarantined": 1}
    assert hand.sql("select count(*) as n from quarantine") == [{"n": 1}]
    assert list(hand.lake.bronze.list(INBOX)) == []


@pytest.mark.heavy
@pytest.mark.parametrize("times", [1, 2])
def test_a_crash_at_every_step(make_hand: Callable[[str], LakeInHand], times: int) -> None:
    total = steps(make_hand)
    assert total >= 20
    for call in range(1, total + 1):
        hand = make_hand(f"{times}-{call}")
        fill(hand)
        for _ in range(times):
            with crash_at(call):
                try:
                    refine(hand.lake)
                except Crash:
                    hand = _reopened(hand)
        while refine(hand.lake) is not None:
            pass
        check(hand)


def _reopened(hand: LakeInHand) -> LakeInHand:
    """As a new process sees it: no handle is kept."""
    return LakeInHand(hand.folder)


def test_objects_that_come_between_crash_and_repeat_wait_for_the_next_batch(hand: LakeInHand) -> None:
    fill(hand)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Crash):
        patch.setattr(Table, "commit", _crash)
        refine(hand.lake)
    hand.put([event(99)])
    hand = _reopened(hand)
    assert hand.refine().files == 3
    assert hand.refine().files == 1


def test_what_was_taken_or_never_came_keeps_nobody_waiting(hand: LakeInHand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_FILES", 2)
    keys = [hand.put([event(n)]) for n in range(3)]
    while refine(hand.lake) is not None:
        pass
    for key in keys:
        announce(hand.lake.bronze, key, 1)
    announce(hand.lake.bronze, "year=2000/month=01/day=01/hour=00/minute=00/never-came.jsonl", 1)
    hand.put([event(9)])
    assert hand.refine().events == {"stored": 1}
    assert len(list(hand.lake.bronze.list(INBOX))) == 1


def test_two_workers_on_one_lake_commit_each_batch_once(hand: LakeInHand) -> None:
    fill(hand)
    other = _reopened(hand)
    plan = module._plan(hand.lake, hand.lake.silver, 1 << 30)
    assert plan is not None
    assert module._plan(other.lake, other.lake.silver, 1 << 30) == plan
    first, second = hand.refine(), refine(other.lake)
    assert first.read == 38
    assert second is None
    check(other)


# any order, any split, any repetition


@pytest.mark.heavy
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**16),
    splits=st.lists(st.integers(1, 12), min_size=1, max_size=6),
    repeats=st.integers(0, 20),
)
def test_order_splits_and_repeats_do_not_change_the_answer(
    tmp_path_factory: pytest.TempPathFactory, seed: int, splits: list[int], repeats: int
) -> None:
    hand = LakeInHand(tmp_path_factory.mktemp("lake"))
    chance = random.Random(seed)
    sent = [
        event(n, event_ts=(NOW - timedelta(minutes=chance.randrange(0, 4000))).isoformat(), quantity=n)
        for n in range(25)
    ]
    lines = sent + [chance.choice(sent) for _ in range(repeats)]
    chance.shuffle(lines)
    while lines:
        size = splits[len(lines) % len(splits)]
        some, lines = lines[:size], lines[size:]
        at = NOW + timedelta(minutes=chance.randrange(100))
        hand.put(hand.post(some, at), at)
        if chance.random() < 0.5:
            hand.refine()
    while refine(hand.lake) is not None:
        pass
    expected = sorted((row["event_id"], row["quantity"], row["event_ts"]) for row in sent)
    found = hand.sql("select event_id, quantity, event_ts from events")
    assert sorted((r["event_id"], r["quantity"], r["event_ts"].isoformat()) for r in found) == expected
    assert outcomes(hand).get("duplicate", 0) == repeats


RULES = (Schema(), Schema(aliases={"event_type": ("kind_of",)}), Schema(aliases={"user_id": ("who",)}))


@pytest.mark.heavy
@pytest.mark.parametrize(("before", "after"), [(0, 1), (1, 0), (2, 0)])
def test_other_settings_between_crash_and_repeat(
    make_hand: Callable[[str], LakeInHand], before: int, after: int
) -> None:
    """Each line is judged by one of the two; never is it in two places, or in none."""
    for call in range(1, 60):
        hand = make_hand(f"{call}")
        hand.put([event(1), {"kind_of": "thing", "event_id": "id-2"}, {"event_type": "x", "who": "w" * 1001}])
        for rules in (before, after):
            hand.lake = Lake(hand.folder.as_uri(), RULES[rules])
            with crash_at(call if rules == before else -1), suppress(Crash):
                refine(hand.lake)
        ended = hand.sql(
            "select bronze_line from events union all select bronze_line from quarantine order by bronze_line"
        )
        assert [row["bronze_line"] for row in ended] == [1, 2, 3]
        counts = hand.sql("select (select count(*) from events) as stored, (select count(*) from quarantine) as bad")
        assert outcomes(hand) == {
            name: n for name, n in (("stored", counts[0]["stored"]), ("quarantined", counts[0]["bad"])) if n
        }
