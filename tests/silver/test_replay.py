"""What is mended leaves quarantine once, by whoever finishes it, at whatever step it was stopped."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faults import Crash, crash_at
from penstock.bronze.merge import merge
from penstock.errors import Transient
from penstock.objects import Objects
from penstock.pipeline import Pipeline
from penstock.settings import load
from penstock.silver import bookmark, schema
from penstock.silver import replay as module
from penstock.silver.bookmark import Plan
from penstock.silver.commit import Table
from penstock.silver.compact import compact
from penstock.silver.lake import Lake
from penstock.silver.refine import Refined, refine
from penstock.silver.replay import Replayed, replay
from penstock.silver.schema import Extra, Schema
from penstock.verify import verify
from support import NOW, LakeInHand

MENDED = Schema(aliases={"event_type": ("kind_of",)})


def odd(number: int, **fields: Any) -> dict[str, Any]:
    """An event that calls its type by a name that we do not know before we are told."""
    return {"kind_of": "thing", "event_id": f"id-{number}", **fields}


def even(number: int) -> dict[str, Any]:
    return {"event_type": "thing", "event_id": f"id-{number}"}


def mend(hand: LakeInHand, schema: Schema = MENDED) -> LakeInHand:
    """As after a restart with these settings: no handle is kept."""
    again = LakeInHand(hand.folder)
    again.lake = Lake(hand.folder.as_uri(), schema)
    again._offset = hand._offset
    return again


def ids(hand: LakeInHand) -> list[str]:
    return [row["event_id"] for row in hand.sql("select event_id from events order by event_id")]


def waiting(hand: LakeInHand) -> dict[str, int]:
    rows = hand.sql("select reason, count(*) as n from quarantine group by reason")
    return {row["reason"]: row["n"] for row in rows}


def outcomes(hand: LakeInHand) -> dict[str, int]:
    rows = hand.sql("select outcome, sum(events)::bigint as n from ledger group by outcome")
    return {row["outcome"]: row["n"] for row in rows if row["n"]}


def balanced(hand: LakeInHand) -> bool:
    way = Pipeline(load(data=hand.folder))
    try:
        assert verify(way).problems == []
    finally:
        way.close()
    return True


def files(hand: LakeInHand) -> set[str]:
    found = hand.folder.joinpath("silver").rglob("*.parquet")
    return {path.relative_to(hand.folder).as_posix() for path in found}


# what gets out


STRICT = Schema(extra=(Extra("size", "INTEGER", strict=True),))
FIXES: list[tuple[str, dict[str, Any], str, Schema, Schema, dict[str, Any]]] = [
    ("a new alias", odd(1), "bad_event_name", Schema(), MENDED, {"event_type": "thing"}),
    (
        "an alias for the session",
        {"event_type": "page_view", "event_id": "id-1", "visit": "s-1"},
        "missing_session_id",
        Schema(),
        Schema(aliases={"session_id": ("visit",)}),
        {"session_id": "s-1"},
    ),
    (
        "a column that is strict no more",
        {**even(1), "size": "L"},
        "bad_column",
        STRICT,
        Schema(extra=(Extra("size", "INTEGER"),)),
        {"flags": "no_session,type_conflict"},
    ),
]


@pytest.mark.parametrize(("name", "sent", "reason", "before", "after", "shown"), FIXES, ids=[fix[0] for fix in FIXES])
def test_a_fix_brings_events_out(
    hand: LakeInHand, name: str, sent: dict[str, Any], reason: str, before: Schema, after: Schema, shown: dict[str, Any]
) -> None:
    hand = mend(hand, before)
    hand.put(hand.post([sent]))
    assert hand.refine().reasons == {reason: 1}
    hand = mend(hand, after)
    assert replay(hand.lake) == Replayed(tried=1, stored=1)
    assert hand.sql(f"select {', '.join(shown)} from events") == [shown]
    assert waiting(hand) == {}
    assert balanced(hand)


def test_another_rule_of_ours_brings_them_out_too(hand: LakeInHand, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an upgrade."""
    hand.put([{"event_type": "x" * 201, "event_id": "id-1"}])
    hand.refine()
    monkeypatch.setattr(schema, "CLEAN_SQL", schema.CLEAN_SQL.replace("strlen(t.event_name) > 200", "false"))
    assert replay(mend(hand, Schema()).lake).stored == 1


def test_what_is_no_event_still_stays_as_it_is(hand: LakeInHand) -> None:
    hand.put([b"{bad", odd(1), {**odd(2), "event_ts": "yesterday"}, b"\xff", even(3)])
    hand.refine()
    hand = mend(hand)
    done = replay(hand.lake)
    assert done == Replayed(4, 1, 0, {"bad_encoding": 1, "bad_timestamp": 1, "malformed_json": 1})
    assert waiting(hand) == {"bad_encoding": 1, "bad_event_name": 1, "malformed_json": 1}
    assert hand.sql("select distinct batch from quarantine") == [{"batch": 1}]
    assert ids(hand) == ["id-1", "id-3"]


def test_without_a_fix_nothing_is_written(hand: LakeInHand) -> None:
    hand.put([odd(1)])
    hand.refine()
    before, batch = files(hand), hand.lake.silver.events.batch()
    assert replay(hand.lake) == Replayed(1, still={"bad_event_name": 1})
    assert (files(hand), hand.lake.silver.events.batch()) == (before, batch)
    assert list(hand.lake.silver.plans.list("plans/")) == []


def test_a_second_time_finds_nothing_new(hand: LakeInHand) -> None:
    hand.put([odd(1), b"{bad"])
    hand.refine()
    hand = mend(hand)
    replay(hand.lake)
    before = files(hand)
    assert replay(hand.lake) == Replayed(1, still={"malformed_json": 1})
    assert files(hand) == before


def test_nothing_in_quarantine(hand: LakeInHand) -> None:
    assert replay(hand.lake) == Replayed()


def test_only_the_reasons_that_were_asked_for(hand: LakeInHand) -> None:
    hand.put([odd(1), *hand.post([{"event_type": "page_view", "event_id": "id-2", "visit": "s"}])])
    hand.refine()
    hand = mend(hand, Schema(aliases={"event_type": ("kind_of",), "session_id": ("visit",)}))
    assert replay(hand.lake, ["missing_session_id"]) == Replayed(1, 1)
    assert waiting(hand) == {"bad_event_name": 1}
    assert replay(hand.lake, ["bad_event_name", "malformed_json"]) == Replayed(1, 1)


def test_mended_and_meanwhile_sent_again_is_a_duplicate(hand: LakeInHand) -> None:
    hand.put([odd(1), odd(2), odd(2)])
    hand.put([even(1)])
    hand.refine()
    hand = mend(hand)
    assert replay(hand.lake) == Replayed(3, 1, 2)
    assert outcomes(hand) == {"stored": 2, "duplicate": 2}
    assert ids(hand) == ["id-1", "id-2"]
    assert balanced(hand)


def test_only_duplicates_leave_too(hand: LakeInHand) -> None:
    hand.put([odd(1), even(1)])
    hand.refine()
    hand = mend(hand)
    assert replay(hand.lake) == Replayed(1, 0, 1)
    assert waiting(hand) == {}
    assert balanced(hand)


def test_the_ledger_takes_the_line_from_one_outcome_to_the_other(hand: LakeInHand) -> None:
    hand.put(hand.post([{**even(1), "event_type": "page_view", "visit": "s"}]))
    hand.refine()
    replay(mend(hand, Schema(aliases={"session_id": ("visit",)})).lake)
    assert hand.sql("select batch, received_hour = date_trunc('hour', timestamptz '2026-11-20 12:30:15+00') as same,"
                    " source, outcome, reason, events, day::varchar as day from ledger order by all") == [
        {"batch": 1, "same": True, "source": "default", "outcome": "quarantined", "reason": "missing_session_id",
         "events": 1, "day": "2026-11-20"},
        {"batch": 2, "same": True, "source": "default", "outcome": "quarantined", "reason": "missing_session_id",
         "events": -1, "day": "2026-11-20"},
        {"batch": 2, "same": True, "source": "default", "outcome": "stored", "reason": None,
         "events": 1, "day": "2026-11-20"},
    ]  # fmt: skip


def test_a_dry_run_judges_and_changes_nothing(hand: LakeInHand) -> None:
    hand.put([odd(1), odd(1), b"{bad"])
    hand.refine()
    hand = mend(hand)
    before = {path: path.read_bytes() for path in hand.folder.rglob("*") if path.is_file()}
    assert replay(hand.lake, dry_run=True) == Replayed(3, 1, 1, {"malformed_json": 1})
    assert {path: path.read_bytes() for path in hand.folder.rglob("*") if path.is_file()} == before


def test_an_object_that_is_gone_keeps_its_rows(hand: LakeInHand) -> None:
    key = hand.put([odd(3), odd(4)])
    hand.put([odd(5)])
    hand.refine()
    hand.lake.bronze.delete(key)
    hand = mend(hand)
    assert replay(hand.lake) == Replayed(3, 1, gone=2)
    assert waiting(hand) == {"bad_event_name": 2}


def test_an_object_that_was_merged_is_found(hand: LakeInHand) -> None:
    hand.put([odd(1)])
    hand.put([odd(2)])
    hand.refine()
    merge(hand.lake.bronze, NOW.replace(year=2027), many=2)
    hand = mend(hand)
    assert replay(hand.lake) == Replayed(2, 2)


def test_a_whole_file_waits_for_a_mended_copy(hand: LakeInHand) -> None:
    hand.put_bytes("year=2026/month=11/day=20/hour=12/minute=30/a.jsonl.gz", b"\x1f\x8b damaged")
    assert hand.refine().reasons == {"bad_gzip": 1}
    assert replay(hand.lake) == Replayed()
    assert waiting(hand) == {"bad_gzip": 1}


@pytest.mark.parametrize("lines", [1, 2, 3, 100])
def test_in_portions_the_answer_is_the_same(hand: LakeInHand, lines: int) -> None:
    for start in range(0, 10, 2):
        hand.put([odd(start), odd(start + 1), odd(start)])
    hand.refine()
    hand = mend(hand)
    told: list[tuple[int, int]] = []
    done = replay(hand.lake, lines=lines, progress=lambda done, total: told.append((done, total)))
    assert done == Replayed(15, 10, 5)
    assert told[-1] == (15, 15)
    assert all(total == 15 for _, total in told)
    assert len(ids(hand)) == 10
    assert balanced(hand)


# who finishes


def frozen(hand: LakeInHand) -> Plan:
    """A replay that was stopped right after its plan was frozen."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Crash):
        patch.setattr(module, "complete", _crash)
        replay(hand.lake)
    plan = bookmark.pending(hand.lake.silver.plans, hand.lake.silver.events.batch())
    assert plan is not None
    return plan


def _crash(*_: Any, **__: Any) -> None:
    raise Crash


def test_the_worker_finishes_a_replay_that_was_left(hand: LakeInHand) -> None:
    hand.put([odd(1), odd(1), b"{bad"])
    hand.refine()
    plan = frozen(mend(hand))
    hand = mend(hand, Schema())  # settings of before
    hand.put([even(7)])
    assert hand.refine() == Refined(plan.batch, 1, {"stored": 1, "duplicate": 1})
    assert hand.refine().events == {"stored": 1}
    assert ids(hand) == ["id-1", "id-7"]
    assert waiting(hand) == {"malformed_json": 1}
    assert balanced(hand)


def test_a_worker_without_the_new_column_finishes_it(hand: LakeInHand) -> None:
    hand.put([odd(1, size="L")])
    hand.refine()
    schema = Schema(aliases=MENDED.aliases, extra=(Extra("size", "VARCHAR"),))
    frozen(mend(hand, schema))
    mend(hand, Schema()).refine()
    hand = mend(hand, schema)
    assert hand.sql("select event_id, size from events") == [{"event_id": "id-1", "size": "L"}]


def test_a_replay_finishes_what_was_left_before_it_begins(hand: LakeInHand) -> None:
    hand.put([odd(1)])
    hand.refine()
    hand = mend(hand)
    hand.put([even(1)])
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Crash):
        patch.setattr(Table, "commit", _crash)
        refine(hand.lake)
    hand = mend(hand)
    assert replay(hand.lake) == Replayed(1, 0, 1)
    assert ids(hand) == ["id-1"]
    assert balanced(hand)


def test_beside_a_worker_its_plan_is_left_to_it(hand: LakeInHand, monkeypatch: pytest.MonkeyPatch) -> None:
    hand.put([odd(1)])
    hand.refine()
    hand.put([odd(2)])
    bookmark.freeze(hand.lake.silver.plans, Plan(2, ("year=2026/never.jsonl",)))
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0)
    with pytest.raises(Transient, match="another batch"):
        replay(mend(hand).lake, alone=False)
    assert hand.lake.silver.events.batch() == 1


def test_another_plan_at_the_same_moment_is_waited_for(hand: LakeInHand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker freezes batch 2 after we looked; what we had written for batch 2 is thrown away."""
    hand.put([odd(1)])
    hand.refine()
    hand.put([even(2)])
    worker = LakeInHand(hand.folder)
    freeze = bookmark.freeze
    taken: list[Refined | None] = []

    def slow(silver: Objects, plan: Plan) -> Plan:
        if plan.kind == "replay" and not taken:
            taken.append(refine(worker.lake))
        return freeze(silver, plan)

    monkeypatch.setattr(bookmark, "freeze", slow)
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0)
    hand = mend(hand)
    assert replay(hand.lake, alone=False) == Replayed(1, 1)
    assert [done.events for done in taken if done] == [{"stored": 1}]
    assert ids(hand) == ["id-1", "id-2"]
    assert list(hand.lake.silver.plans.list("plans/")) == []
    known = {file.path for table, _ in hand.lake.silver.tables for file in table.files()}
    assert {Path(name).name for name in files(hand)} == {Path(name).name for name in known}


def test_beside_a_busy_worker(hand: LakeInHand) -> None:
    """The same lines, and others, refined and replayed at once, by two that know nothing of each other."""
    for start in range(0, 60, 10):
        hand.put([odd(start + n) for n in range(10)])
    while refine(hand.lake, batch_bytes=1):
        pass
    for start in range(0, 120, 10):
        hand.put([even(start + n) for n in range(10)])
    worker = mend(hand)
    errors: list[BaseException] = []

    def work() -> None:
        tries = 0
        while tries < 200:
            try:
                if refine(worker.lake, batch_bytes=1) is None:
                    return
            except Transient:
                tries += 1
            except BaseException as error:
                errors.append(error)
                return

    thread = threading.Thread(target=work)
    thread.start()
    hand = mend(hand)
    try:
        done = replay(hand.lake, lines=10, alone=False)
    finally:
        thread.join(120)
    assert errors == []
    assert not thread.is_alive()
    assert (done.tried, done.stored + done.duplicate) == (60, 60)
    assert len(ids(hand)) == len(set(ids(hand))) == 120
    assert outcomes(hand) == {"stored": 120, "duplicate": 60}
    assert balanced(hand)


# readers


def test_a_reader_sees_the_line_in_one_place_at_every_moment(hand: LakeInHand) -> None:
    hand.put([odd(1), even(2)])
    hand.refine()
    hand = mend(hand)
    seen: list[tuple[int, int]] = []
    commit = Table.commit

    def watching(table: Table, *args: Any, **kwargs: Any) -> bool:
        try:
            return commit(table, *args, **kwargs)
        finally:
            reader = LakeInHand(hand.folder)
            seen.append((len(ids(reader)), sum(waiting(reader).values())))
            assert sum(outcomes(reader).values()) == 2

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Table, "commit", watching)
        replay(hand.lake)
    assert seen == [(1, 1), (1, 1), (2, 0)]


def test_a_question_that_was_begun_before_is_answered_as_of_then(hand: LakeInHand) -> None:
    hand.put([odd(1)])
    hand.refine()
    before = hand.lake.silver.views()["quarantine"]
    replay(mend(hand).lake)
    assert hand.sql(f"select bronze_line from ({before})") == [{"bronze_line": 1}]
    assert hand.sql("select bronze_line from quarantine") == []


def test_merging_quarantine_changes_nothing(hand: LakeInHand) -> None:
    hand.put([odd(1), b"{bad", odd(2)])
    hand.refine()
    hand = mend(hand)
    replay(hand.lake)
    for table, order_by in hand.lake.silver.tables:
        compact(table, order_by, many=2)
    assert waiting(hand) == {"malformed_json": 1}
    assert replay(hand.lake) == Replayed(1, still={"malformed_json": 1})
    assert balanced(hand)


# crashes


def fill(hand: LakeInHand) -> LakeInHand:
    hand.put([odd(n) for n in range(10)] + [b"{bad"])
    hand.put([odd(n) for n in range(5, 15)] + [even(20)])
    hand.refine()
    hand.put([even(1), even(21)])
    return mend(hand)


def check(hand: LakeInHand) -> None:
    assert len(ids(hand)) == len(set(ids(hand))) == 17
    assert outcomes(hand) == {"stored": 17, "duplicate": 6, "quarantined": 1}
    assert waiting(hand) == {"malformed_json": 1}
    assert balanced(hand)


@pytest.mark.heavy
@pytest.mark.parametrize("times", [1, 2])
def test_a_crash_at_every_step(make_hand: Callable[[str], LakeInHand], times: int) -> None:
    filled = fill(make_hand("filled"))
    hand = _copy(filled, "counted")
    with crash_at(-1) as count:
        assert replay(hand.lake).stored == 15
    assert count[0] >= 20
    for call in range(times, count[0] + 1, times):
        hand = _copy(filled, f"{times}-{call}")
        for _ in range(times):
            with crash_at(call):
                try:
                    replay(hand.lake)
                except Crash:
                    hand = mend(hand)
        while refine((mend(hand, Schema()) if call % 2 else hand).lake) is not None:
            pass
        hand = mend(hand)
        replay(hand.lake)
        check(hand)


def _copy(hand: LakeInHand, name: str) -> LakeInHand:
    return mend(LakeInHand(Path(shutil.copytree(hand.folder, hand.folder.with_name(name)))))


@pytest.mark.heavy
@settings(max_examples=25)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.lists(st.integers(-8, 8), min_size=1, max_size=6)),
            st.tuples(st.sampled_from(["refine", "replay"]), st.integers(0, 60)),
            st.tuples(st.just("compact"), st.just(0)),
        ),
        max_size=14,
    )
)
def test_in_any_order_with_crashes_nothing_is_lost_or_twice(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]]
) -> None:
    """Negative numbers are events that need the fix, 0 is a line that nothing mends; crashes are at the n-th change."""
    hand = LakeInHand(tmp_path_factory.mktemp("lake"))
    put: list[int] = []
    for step, value in [*steps, ("refine", 0), ("replay", 0)]:
        if step == "put":
            hand.put([b"{bad" if not n else even(n) if n > 0 else odd(-n) for n in value])
            put += value
        elif step == "compact":
            for table, order_by in hand.lake.silver.tables:
                compact(table, order_by, many=2)
        else:
            _do(hand, step, value)
            hand = mend(hand, Schema())
    assert ids(hand) == sorted({f"id-{abs(n)}" for n in put if n})
    assert waiting(hand).get("malformed_json", 0) == put.count(0) == sum(waiting(hand).values())
    assert balanced(hand)


def _do(hand: LakeInHand, step: str, crash: int) -> None:
    """Refine all by the settings of before, or replay by those of after; crash at that change, if it is not 0."""
    with crash_at(crash or -1), suppress(Crash):
        if step == "replay":
            replay(mend(hand).lake, lines=4)
        else:
            while refine(hand.lake, batch_bytes=100) is not None:
                pass
