"""Silver built again from bronze: the same rows, beside the old, shown in one step, whatever happens on the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from penstock.bronze.layout import INBOX
from penstock.errors import LakeError, PenstockError
from penstock.silver import carry as carrying
from penstock.silver import rebuild
from penstock.silver import refine as refining
from penstock.silver import schema as rules
from penstock.silver.commit import Table
from penstock.silver.compact import compact
from penstock.silver.compare import Difference, compare
from penstock.silver.lake import Lake
from penstock.silver.refine import refine
from support import NOW, LakeInHand

SINCE, UNTIL = NOW + timedelta(hours=1), NOW + timedelta(hours=2)


def event(n: int, **fields: Any) -> dict[str, Any]:
    at = (NOW + timedelta(minutes=n)).isoformat()
    return {"event_id": f"e{n}", "event_type": "thing", "event_ts": at, "quantity": n, **fields}


def fill(hand: LakeInHand, hours: int = 4) -> None:
    """Hours of arrival; some events twice, across hours; some that are none."""
    for hour in range(hours):
        at = NOW + timedelta(hours=hour)
        numbers = range(hour * 10, hour * 10 + 12)
        hand.put([*(event(n, hour=hour) for n in numbers), b"{bad"], at)
        hand.refine()


def everything(hand: LakeInHand, generation: str | None = None) -> dict[str, list[str]]:
    silver = hand.lake.silver if generation is None else hand.lake.generation(generation)
    rows = {}
    for name, wanted in (("events", "*"), ("quarantine", "* exclude (batch)"), ("ledger", "* exclude (batch)")):
        sql = f"select {wanted} from ({silver.views()[name]})"
        rows[name] = sorted(str(row) for row in hand.sql(sql))
    return rows


def build(
    lake: Lake, since: datetime | None = None, until: datetime | None = None, now: datetime = NOW, *, size: int = 1
) -> tuple[rebuild.Rebuild, Difference]:
    begun = rebuild.begin(lake, now, since=since, until=until)
    rebuild.fill(lake, begun, batch_bytes=size)
    return begun, compare(lake.generation(begun.old), lake.generation(begun.generation))


def swap(lake: Lake, *range_: datetime | None, now: datetime = NOW, size: int = 1) -> Difference:
    begun, found = build(lake, *range_, now=now, size=size)
    rebuild.show(lake, begun)
    return found


def test_the_same_rules_give_the_same_rows(hand: LakeInHand) -> None:
    fill(hand)
    before = everything(hand)
    assert swap(hand.lake) == Difference(42, 42, quarantined={"malformed_json": (4, 4)})
    assert hand.lake.silver.generation
    assert everything(hand) == before


def test_two_rebuilds_are_the_same_row_by_row(hand: LakeInHand) -> None:
    fill(hand)
    swap(hand.lake)
    first = everything(hand)
    assert swap(hand.lake, now=NOW + timedelta(days=1)).none
    assert everything(hand) == first
    assert len(rebuild.kept(hand.lake)) == 2


@pytest.mark.parametrize("size", [1, 400, 1 << 30])
def test_a_batch_of_any_size_gives_the_same_rows(hand: LakeInHand, size: int) -> None:
    fill(hand)
    begun, found = build(hand.lake, size=size)
    assert found.none
    assert everything(hand, begun.generation) == everything(hand)


@pytest.mark.parametrize(
    ("since", "until"), [(SINCE, UNTIL), (None, UNTIL), (SINCE, None), (UNTIL + 9 * (UNTIL - SINCE), None)]
)
def test_of_a_range_the_rest_is_carried_over(hand: LakeInHand, since: datetime | None, until: datetime | None) -> None:
    fill(hand)
    before = everything(hand)
    assert swap(hand.lake, since, until).none
    assert everything(hand) == before


def test_a_range_costs_no_second_copy_of_the_rest(hand: LakeInHand) -> None:
    fill(hand)
    begun, _ = build(hand.lake, SINCE, UNTIL)
    old, new = (hand.lake.generation(name).events for name in ("", begun.generation))
    shared = set(old.sizes()) & set(new.sizes())
    assert shared
    assert all((new.root / path).samefile(old.root / path) for path in shared if new.root and old.root)


def test_a_new_rule_is_previewed_and_applied_to_a_range_of_history(
    hand: LakeInHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(hand)
    before = everything(hand)
    changed = rules.CLEAN_SQL.replace("t.quantity_value as quantity", "t.quantity_value + 1000 as quantity")
    assert changed != rules.CLEAN_SQL
    monkeypatch.setattr(rules, "CLEAN_SQL", changed)
    begun, found = build(hand.lake, SINCE, UNTIL)
    assert found.changed == {"quantity": 10}
    assert everything(hand) == before, "a preview changes nothing"
    rebuild.show(hand.lake, begun)
    rows = hand.sql("select count(*) as n, min(event_id) as first from events where quantity >= 1000")
    assert rows == [{"n": 10, "first": "e12"}]


def own(kind: str) -> rules.Schema:
    return rules.Schema((rules.Extra("hour_sent", kind, ("hour",)),))


def test_a_new_column_is_previewed_and_applied_to_history(hand: LakeInHand) -> None:
    fill(hand)
    hand.lake = Lake(hand.lake.url, own("VARCHAR"))
    assert hand.sql("select count(hour_sent) as n from events") == [{"n": 0}]
    begun, found = build(hand.lake)
    assert found.changed == {"hour_sent": found.new_events}
    rebuild.show(hand.lake, begun)
    assert hand.sql("select distinct hour_sent from events order by 1") == [{"hour_sent": str(n)} for n in range(4)]


def test_a_new_column_is_applied_to_a_range_of_history(hand: LakeInHand) -> None:
    fill(hand)
    hand.lake = Lake(hand.lake.url, own("VARCHAR"))
    begun, found = build(hand.lake, SINCE, UNTIL)
    assert found.changed == {"hour_sent": 10}
    rebuild.show(hand.lake, begun)
    assert hand.sql("select hour_sent, count(*) as n from events group by all order by all") == [
        {"hour_sent": "1", "n": 10}, {"hour_sent": None, "n": found.new_events - 10},
    ]  # fmt: skip


def test_another_type_is_applied_to_everything_or_not_at_all(hand: LakeInHand) -> None:
    hand.lake = Lake(hand.lake.url, own("VARCHAR"))
    fill(hand)
    hand.lake = Lake(hand.lake.url, own("BIGINT"))
    with pytest.raises(LakeError, match="stored as VARCHAR, the settings say BIGINT"):
        build(hand.lake, SINCE, UNTIL)
    begun, found = build(hand.lake)
    assert found.changed == {}, "the same values, as numbers"
    rebuild.show(hand.lake, begun)
    assert hand.sql("select max(hour_sent) as most from events") == [{"most": 3}]


def test_other_rules_begin_anew(hand: LakeInHand) -> None:
    fill(hand)
    first, _ = build(hand.lake)
    hand.lake = Lake(hand.lake.url, rules.Schema(bots=("x",)))
    second, _ = build(hand.lake, now=NOW + timedelta(days=1))
    assert second.generation != first.generation


def test_a_preview_is_not_built_twice(hand: LakeInHand, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(hand)
    build(hand.lake)
    monkeypatch.setattr(refining, "run", None)
    assert build(hand.lake, now=NOW + timedelta(days=1))[1].none


def test_another_range_begins_anew(hand: LakeInHand) -> None:
    fill(hand)
    first, _ = build(hand.lake)
    second, found = build(hand.lake, SINCE, now=NOW + timedelta(days=1))
    assert second.generation != first.generation
    assert found.none
    assert hand.lake.generation(first.generation).plans.children().folders == []


def test_an_empty_range_is_refused(hand: LakeInHand) -> None:
    with pytest.raises(PenstockError, match="nothing between"):
        rebuild.begin(hand.lake, NOW, since=UNTIL, until=SINCE)


def test_of_an_empty_lake_nothing_comes(hand: LakeInHand) -> None:
    assert swap(hand.lake) == Difference(0, 0)
    hand.put([event(1)])
    assert hand.refine().events == {"stored": 1}


def test_what_comes_meanwhile_is_in_both(hand: LakeInHand) -> None:
    fill(hand)
    begun, _ = build(hand.lake)
    hand.put([event(99)], NOW + timedelta(hours=9))
    hand.refine()
    assert hand.lake.silver.generation == ""
    rebuild.show(hand.lake, begun)
    assert len(list(hand.lake.bronze.list(INBOX))) == 1
    assert hand.refine().events == {"stored": 1}
    assert len(hand.sql("select * from events")) == 43


def test_a_batch_that_ends_in_the_old_silver_is_done_again_in_the_new(
    hand: LakeInHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(hand)
    begun, _ = build(hand.lake)
    hand.put([event(99)], NOW + timedelta(hours=9))
    finish = refining.finish

    def swapped_meanwhile(*args: Any, **options: Any) -> Any:
        rebuild.show(hand.lake, begun)
        return finish(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(refining, "finish", swapped_meanwhile)
        refine(hand.lake)
    assert hand.refine().events == {"stored": 1}
    assert len(hand.sql("select * from events")) == 43
    assert refine(hand.lake) is None
    assert list(hand.lake.bronze.list(INBOX)) == []


@pytest.mark.parametrize("stopped", [False, True])
def test_the_old_moves_on_while_it_is_carried_over(
    hand: LakeInHand, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    """A batch and a merge between two looks at it; also if it was stopped, and begins again after them."""
    fill(hand)
    others = carrying._others
    moves = iter([True])

    def meanwhile(*args: Any) -> Any:
        seen = others(*args)
        if next(moves, False):
            hand.put([event(99)], NOW + timedelta(hours=9))
            hand.refine()
            for table, order_by in hand.lake.silver.tables:
                compact(table, order_by, many=2)
        return seen

    class Stopped(Exception):
        pass

    def stop(*_: Any) -> None:
        raise Stopped

    if stopped:
        with monkeypatch.context() as patch, pytest.raises(Stopped):
            patch.setattr(Table, "link", stop)
            build(hand.lake, SINCE, UNTIL)
    monkeypatch.setattr(carrying, "_others", meanwhile)
    begun, found = build(hand.lake, SINCE, UNTIL)
    assert found.none
    assert everything(hand, begun.generation) == everything(hand)
    rebuild.show(hand.lake, begun)
    assert refine(hand.lake) is None


def test_what_was_thrown_away_is_not_shown(hand: LakeInHand) -> None:
    fill(hand)
    begun, _ = build(hand.lake)
    rebuild.abandon(hand.lake, begun)
    with pytest.raises(LakeError, match="thrown away"):
        rebuild.show(hand.lake, begun)
    assert hand.lake.silver.generation == ""


def test_the_old_is_kept_until_told_and_takes_what_it_missed(hand: LakeInHand) -> None:
    fill(hand)
    swap(hand.lake)
    hand.put([event(99)], NOW + timedelta(hours=9))
    hand.refine()
    assert rebuild.kept(hand.lake) == [""]
    rebuild.undo(hand.lake, "")
    assert len(hand.sql("select * from events")) == 42
    assert hand.refine().events == {"stored": 1}
    assert rebuild.forget(hand.lake) == 1
    assert len(hand.sql("select * from events")) == 43
    with pytest.raises(PenstockError, match="no older"):
        rebuild.undo(hand.lake, "g1")


def test_the_first_generation_can_be_forgotten(hand: LakeInHand) -> None:
    fill(hand)
    before = everything(hand)
    swap(hand.lake)
    assert rebuild.forget(hand.lake) == 1
    assert rebuild.kept(hand.lake) == []
    assert everything(LakeInHand(hand.folder)) == before
