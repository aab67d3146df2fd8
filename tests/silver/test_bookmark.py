"""What the next batch reads is frozen before it is read."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from penstock.errors import LakeError, Transient
from penstock.objects import Objects
from penstock.silver.bookmark import Plan, forget, freeze, pending

PLAN = Plan(5, ("year=2026/month=02/day=01/hour=12/minute=00/b.jsonl.gz", "a \N{GRINNING FACE}.jsonl"))


@pytest.fixture
def silver(tmp_path: Path) -> Objects:
    return Objects((tmp_path / "silver").as_uri())


def test_nothing_is_planned(silver: Objects) -> None:
    assert pending(silver, 0) is None


def test_a_plan_is_pending_until_its_batch_is_committed(silver: Objects) -> None:
    assert freeze(silver, PLAN) == PLAN
    assert pending(silver, committed=4) == PLAN
    assert pending(silver, committed=5) is None
    assert pending(silver, committed=3) is None


def test_a_plan_is_not_changed(silver: Objects) -> None:
    freeze(silver, PLAN)
    assert freeze(silver, Plan(5, ("other",))) == PLAN
    assert pending(silver, 4) == PLAN


def test_a_plan_that_is_forgotten_is_gone(silver: Objects) -> None:
    freeze(silver, PLAN)
    forget(silver, 5)
    forget(silver, 5)
    assert pending(silver, 4) is None
    assert list(silver.list()) == []


def test_of_many_that_plan_at_once_one_counts(silver: Objects) -> None:
    gate = threading.Barrier(8)
    found: list[Plan] = []

    def plan(number: int) -> None:
        gate.wait()
        found.append(freeze(silver, Plan(1, (f"{number}",))))

    threads = [threading.Thread(target=plan, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert set(found) == {pending(silver, 0)}


def test_a_plan_that_vanishes_meanwhile_is_tried_again(silver: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker was first, did the batch, and cleared up."""
    monkeypatch.setattr(silver, "put", lambda key, data, create: False)
    with pytest.raises(Transient):
        freeze(silver, PLAN)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"batch":5}', b'{"batch":"x","inputs":[]}', b"\x00" * 50])
def test_a_damaged_plan_is_for_a_person(silver: Objects, damage: bytes) -> None:
    freeze(silver, PLAN)
    [entry] = silver.list()
    silver.put(entry.key, damage)
    with pytest.raises(LakeError, match="batch 5") as caught:
        pending(silver, 4)
    assert "inbox" in caught.value.hint


def test_plans_sort_as_their_batches_do(silver: Objects) -> None:
    for batch in (9, 10, 100_000):
        freeze(silver, Plan(batch, ()))
    keys = sorted(entry.key for entry in silver.list())
    assert [pending(silver, batch - 1) for batch in (9, 10, 100_000)] == [Plan(b, ()) for b in (9, 10, 100_000)]
    assert [int("".join(filter(str.isdigit, key))) for key in keys] == [9, 10, 100_000]
