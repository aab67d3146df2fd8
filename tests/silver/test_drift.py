"""What senders send that no column takes: each field once, with its types; and a snippet that makes it a column."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from typing import Any

import pytest

from penstock.setting_sections import ColumnSettings
from penstock.silver.drift import Drift, drift, snippet
from penstock.silver.lake import Lake
from penstock.silver.schema import NOTHING_ADDED, Extra, Schema, path_of
from support import NOW, LakeInHand

DAY = timedelta(hours=24)


def look(hand: LakeInHand, **bounds: int) -> Drift:
    return drift(hand.lake, NOW - DAY, NOW, **bounds)


def unknown(hand: LakeInHand) -> dict[str, tuple[int, dict[str, int]]]:
    return {one.path: (one.events, one.types) for one in look(hand).unknown}


def test_fields_without_a_column(hand: LakeInHand) -> None:
    hand.put([
        {"event_type": "e", "utm_id": "a", "price": 5, "variants": {"a": "b"},
         "properties": {"plan": "x", "address": {"zip": 1}}},
        {"event_type": "e", "utm_id": 7, "properties": {"plan": None, "items": [1]}, "empty": {}, "nothing": None},
        {"event_type": "e", "utm_id": True, "timestamp": "2026-01-01"},
    ])  # fmt: skip
    found = look(hand)
    assert (found.objects, found.events, found.is_cut, found.more_fields) == (1, 3, False, False)
    assert {one.path: (one.events, one.types, one.is_kept) for one in found.unknown} == {
        "utm_id": (3, {"string": 1, "number": 1, "boolean": 1}, False),
        "properties.plan": (1, {"string": 1}, True),
        "properties.address.zip": (1, {"number": 1}, True),
        "properties.items": (1, {"array": 1}, True),
        "empty": (1, {"object": 1}, False),
    }
    assert found.unknown[0].path == "utm_id", "the most frequent first"
    assert (found.unknown[0].example, found.unknown[0].type) == ('"a"', "VARCHAR")


def test_each_dialect_knows_its_own(hand: LakeInHand) -> None:
    message = {
        "messageId": "m",
        "type": "track",
        "event": "e",
        "properties": {"total": 5, "sku": 1},
        "context": {"ip": "x"},
    }
    hand.put(hand.post({"batch": [message]}, path="/v1/batch"))
    hand.put([message])
    assert unknown(hand) == {"properties.sku": (2, {"number": 2}), "context.ip": (2, {"string": 2})}


def test_what_the_settings_name_is_known(hand: LakeInHand) -> None:
    hand.put([{"event_type": "e", "plan": 1, "sku": 2, "a.b": {"c": 3}, "rest": 4}])
    hand.lake = Lake(
        hand.lake.url, Schema((Extra("plan", "BIGINT"), Extra("c", "BIGINT", ('"a.b".c',))), {"product_id": ("sku",)})
    )
    assert unknown(hand) == {"rest": (1, {"number": 1})}


def test_only_the_hours_that_are_asked_for(hand: LakeInHand) -> None:
    for hours, name in ((30, "old"), (23, "first"), (1, "last")):
        at = NOW - timedelta(hours=hours)
        hand.put(hand.post({"event_type": "e", name: 1, "each": 1}, at), at)
    found = look(hand)
    assert {one.path for one in found.unknown} == {"first", "last", "each"}
    [each] = [one for one in found.unknown if one.path == "each"]
    assert (each.first_seen, each.last_seen) == (NOW - timedelta(hours=23), NOW - timedelta(hours=1))


def test_bounds(hand: LakeInHand) -> None:
    for number in range(3):
        hand.put([{"event_type": "e", f"f{number}": 1}] * 10)
    assert (look(hand, objects=2).objects, look(hand, objects=2).is_cut) == (2, True)
    assert {one.path for one in look(hand, objects=1).unknown} == {"f2"}, "the newest"
    assert look(hand, events=10).events == 10
    hand.put([{"event_type": "e", **{f"g{number}": 1 for number in range(1100)}}])
    found = look(hand)
    assert (len(found.fields), found.more_fields) == (1000, True)


def test_what_cannot_be_read_is_left_out(hand: LakeInHand) -> None:
    deep = '{"a":' * 5000 + "1" + "}" * 5000
    hand.put(['{"event_type":"e","ok":1}', "{", "[1]", "5", deep, '{"event_type":"e","\\u0000":1}'])
    hand.put_bytes("year=2026/month=11/day=20/hour=12/minute=00/x.gz", b"\x1f\x8b no gzip")
    assert unknown(hand) == {"ok": (1, {"number": 1})}


def test_conflicts_by_column(hand: LakeInHand) -> None:
    schema = Schema((Extra("score", "BIGINT"), Extra("hard", "DATE", strict=True)))
    hand.lake = Lake(hand.lake.url, schema)
    hand.put([
        {"event_type": "e", "price": "free", "quantity": "two", "score": "x"},
        {"event_type": "purchase", "price": "free", "revenue": "much", "first_day": "infinity"},
        {"event_type": "e", "hard": "x", "score": 5, "quantity": 1, "price": "9.99", "prev_day": "2026-01-01"},
    ])  # fmt: skip
    assert look(hand).conflicts == {"price": 2, "quantity": 1, "revenue": 1, "first_day": 1, "score": 1, "hard": 1}


def test_an_empty_lake(hand: LakeInHand) -> None:
    found = look(hand)
    assert (found.objects, found.unknown, found.conflicts) == (0, [], {})


SUGGESTED: list[tuple[list[Any], str]] = [
    ([1, 2], "BIGINT"), ([1, 2.5], "DOUBLE"), ([2**70], "DOUBLE"), ([True], "BOOLEAN"), ([True, 1], "VARCHAR"),
    (["2026-01-01"], "DATE"), (["2026-01-01", "2026-01-01T10:00:00Z"], "TIMESTAMPTZ"), (["a", 1], "VARCHAR"),
    (["2026-01-01", "soon"], "VARCHAR"), ([[1]], "VARCHAR"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "kind"), SUGGESTED, ids=str)
def test_the_suggested_column_takes_every_value(hand: LakeInHand, values: list[Any], kind: str) -> None:
    key = hand.put([{"event_type": "e", "own": value} for value in values])
    [one] = look(hand).unknown
    assert one.type == kind
    hand.lake = Lake(hand.lake.url, column_of(snippet(one, NOTHING_ADDED)))
    assert key and hand.refine().events == {"stored": len(values)}
    assert hand.sql("select count(own) as n, max(flags) as flags from events") == [
        {"n": len(values), "flags": "no_session"}
    ]


def column_of(text: str) -> Schema:
    [read] = tomllib.loads(text)["columns"]
    column = ColumnSettings(**read)
    return Schema((Extra(column.name, column.type, column.paths),))


@pytest.mark.parametrize(
    "name", ["Plan", "a b", "Größe", "9lives", "日本", "price", "_", 'q"uote', "a.b", "x" * 90, "it's"]
)
def test_the_snippet_is_toml_and_finds_the_field(hand: LakeInHand, name: str) -> None:
    hand.put([{"event_type": "e", "more": {name: "here"}}])
    [one] = look(hand).unknown
    assert one.path == path_of(["more", name])
    hand.lake = Lake(hand.lake.url, column_of(snippet(one, NOTHING_ADDED)))
    hand.refine()
    [column] = hand.lake.schema.columns
    assert hand.sql(f"select {column.name} as found from events") == [{"found": "here"}]
