"""Merging files changes no answer: not before, not during, not after, and not if it is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.pipeline import Pipeline
from penstock.settings import load
from penstock.silver.commit import Table
from penstock.silver.compact import Compacted, compact
from penstock.silver.lake import Lake
from penstock.silver.refine import refine
from penstock.stream import Record
from penstock.verify import verify
from support import NOW, LakeInHand

BATCHES = 6


def fill(hand: LakeInHand) -> None:
    """Each batch touches two hours, is partly a copy, and has a bad event."""
    for number in range(BATCHES):
        good = [
            {
                "event_type": "thing",
                "event_id": f"{number * 5 + n}",
                "event_ts": f"2026-11-20T1{n % 2}:0{number}:00Z",
                "session_id": "s",
            }
            for n in range(10)
        ]
        hand.put(hand.post([*good, {"event_type": None}, {"event_type": "late", "event_ts": "2001-01-01"}]))
        hand.refine()


def everything(hand: LakeInHand) -> dict[str, list[object]]:
    return {name: sorted(map(str, hand.sql(f"select * from {name}"))) for name in ("events", "quarantine", "ledger")}


def compact_all(lake: Lake) -> Compacted:
    done = Compacted()
    for table, order_by in lake.silver.tables:
        done += compact(table, order_by, many=2)
    return done


def test_rows_stay_and_files_become_few(hand: LakeInHand) -> None:
    fill(hand)
    before = everything(hand)
    version = hand.lake.silver.events.version()
    done = compact_all(hand.lake)
    assert done.files_before >= 3 * BATCHES
    assert len(hand.lake.silver.events.open().file_uris()) == 3, "one per hour, and one for what came too late"
    assert everything(hand) == before
    assert hand.lake.silver.events.version() > version
    assert compact_all(hand.lake) == Compacted(0, 0)


def test_rows_are_sorted_by_time(hand: LakeInHand) -> None:
    fill(hand)
    compact_all(hand.lake)
    (path,) = [uri for uri in hand.lake.silver.events.open().file_uris() if "hour=10" in uri]
    (row,) = hand.sql(f"select list(event_ts) = list_sort(list(event_ts)) as sorted from read_parquet('{path}')")
    assert row["sorted"]


def test_a_snapshot_taken_before_still_reads(hand: LakeInHand) -> None:
    fill(hand)
    views = hand.lake.silver.views()
    before = everything(hand)
    compact_all(hand.lake)
    assert sorted(map(str, hand.sql(views["events"]))) == before["events"]


def test_a_copy_is_still_known_after_merging(hand: LakeInHand) -> None:
    fill(hand)
    compact_all(hand.lake)
    hand.put(hand.post([{"event_type": "thing", "event_id": "7", "event_ts": "2026-11-20T11:00:00Z"}]))
    assert hand.refine().events == {"duplicate": 1}


def test_an_object_is_still_known_after_merging(hand: LakeInHand) -> None:
    fill(hand)
    compact_all(hand.lake)
    before = everything(hand)
    for entry in list(hand.lake.bronze.list("year=2026/")):
        hand.put_bytes(entry.key, hand.lake.bronze.get(entry.key))
    assert refine(hand.lake) is None
    assert everything(hand) == before


def test_few_files_are_left_alone(hand: LakeInHand) -> None:
    hand.rows_of({"event_type": "thing"})
    assert compact(hand.lake.silver.events, "event_ts") == Compacted(0, 0)


class Crash(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("name", ["make_durable", "_write", "_sync_commit"])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_in_the_middle_changes_no_row(
    hand: LakeInHand, monkeypatch: pytest.MonkeyPatch, name: str, after: bool
) -> None:
    fill(hand)
    before = everything(hand)
    original = getattr(Table, name)

    def crashing(*args: object, **kwargs: object) -> None:
        if after:
            original(*args, **kwargs)
        raise Crash

    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(Table, name, crashing)
        compact_all(hand.lake)
    again = LakeInHand(hand.folder)
    assert everything(again) == before
    compact_all(again.lake)
    assert everything(again) == before


def test_a_torn_merge_is_set_aside_and_the_old_files_count_again(hand: LakeInHand) -> None:
    fill(hand)
    before = everything(hand)
    compact(hand.lake.silver.events, "event_ts", many=2)
    log = Path(hand.lake.silver.events.root or "") / "_delta_log"
    last = sorted(log.glob("*.json"))[-1]
    last.write_text("\n".join(last.read_text().splitlines()[:-1]) + "\n")
    again = LakeInHand(hand.folder)
    assert everything(again) == before
    assert last.with_name(last.name + ".torn").exists()


def test_vacuum_deletes_what_no_kept_version_has(hand: LakeInHand) -> None:
    fill(hand)
    compact_all(hand.lake)
    before = everything(hand)
    root = hand.lake.silver.events.root
    assert root is not None
    assert hand.lake.silver.events.vacuum(keep_hours=1) == 0, "a reader may still be at it"
    files = set(root.rglob("*.parquet"))
    hand.lake.silver.events.vacuum(keep_hours=0)
    kept = {Path(uri) for uri in hand.lake.silver.events.open().file_uris()}
    assert set(root.rglob("*.parquet")) == kept < files
    assert everything(LakeInHand(hand.folder)) == before


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Pipeline]:
    opened = Pipeline(load(data=tmp_path / "data"), clock=lambda: NOW)
    yield opened
    opened.close()


def test_the_pipeline_merges_and_stays_balanced(way: Pipeline) -> None:
    for number in range(30):
        way.stream.append(
            [Record(b'{"event_type":"thing","event_id":"%d","event_ts":"2026-11-20T12:00:00Z"}' % number)]
        )
        way.drain()
    hours = way.gold.query("select * from event_counts")
    done = way.maintain()
    assert done is not None
    assert done.files_before == 60
    assert done.files_after == 2
    assert not way.rollup(), "merging touches no hour"
    assert way.gold.query("select * from event_counts") == hours
    assert verify(way).problems == []
    assert way.maintain() is None
