"""Silver is filled by one engine: who comes first keeps it, and who is refused has changed nothing."""

from __future__ import annotations

import pytest

from penstock.bronze.layout import INBOX
from penstock.errors import LakeError
from penstock.silver import bookmark, claim
from penstock.silver.batch import Engine
from penstock.silver.erase import erase
from penstock.silver.refine import refine
from penstock.silver.replay import replay
from penstock.silver.schema import Extra, Schema
from support import NOW, LakeInHand

EVENT = {"event_type": "thing", "event_id": "id-1", "session_id": "s", "user_id": "u"}


def plans(hand: LakeInHand) -> list[str]:
    return [entry.key for entry in hand.lake.silver.plans.list("plans")]


def test_an_empty_lake_is_nobodys_and_then_the_first_comers(hand: LakeInHand) -> None:
    assert claim.owner(hand.lake) is None
    claim.check(hand.lake, "spark")
    assert claim.owner(hand.lake) == "spark"
    with pytest.raises(LakeError, match="filled by the engine 'spark'"):
        claim.check(hand.lake, "duckdb")


def test_a_lake_that_duckdb_began_is_not_taken_by_the_way(hand: LakeInHand) -> None:
    hand.put([EVENT])
    hand.refine()
    hand.put([{**EVENT, "event_id": "id-2"}])
    with pytest.raises(LakeError, match="filled by the engine 'duckdb'"):
        refine(hand.lake, engine=Engine("spark"))
    assert plans(hand) == []
    assert len(list(hand.lake.bronze.list(INBOX))) == 1


def test_of_two_that_come_at_once_one_is_refused(hand: LakeInHand, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = claim.owner
    seen = iter([None])
    monkeypatch.setattr(claim, "owner", lambda lake: next(seen, owner(lake)))
    claim.take_over(hand.lake, "other")
    with pytest.raises(LakeError, match="filled by the engine 'other'"):
        claim.check(hand.lake, "spark")


def test_who_is_refused_leaves_no_plan_of_an_erasure(hand: LakeInHand) -> None:
    hand.put([EVENT])
    hand.refine()
    claim.take_over(hand.lake, "spark")
    with pytest.raises(LakeError, match="filled by the engine 'spark'"):
        erase(hand.lake, "user_id", "u", NOW)
    assert plans(hand) == []
    assert len(hand.sql("select * from events")) == 1
    assert bookmark.pending(hand.lake.silver.plans, 1) is None


def test_who_is_refused_leaves_no_plan_and_no_file_of_a_replay(hand: LakeInHand) -> None:
    hand.put([{**EVENT, "n": "many"}])
    strict = Schema((Extra("n", "INTEGER", strict=True),))
    hand.lake = type(hand.lake)(hand.lake.url, strict)
    assert hand.refine().reasons == {"bad_column": 1}
    before = sorted(hand.folder.rglob("*.parquet"))
    claim.take_over(hand.lake, "spark")
    hand.lake = type(hand.lake)(hand.lake.url, Schema((Extra("n", "VARCHAR"),)))
    with pytest.raises(LakeError):
        replay(hand.lake)
    assert plans(hand) == []
    assert sorted(hand.folder.rglob("*.parquet")) == before
