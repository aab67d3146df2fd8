"""The store on DynamoDB: what lies in the table, and what a crash between any two of its calls costs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from hand_clock import NOON
from penstock.errors import LakeError, SettingsError
from penstock.gold.catalog import ROLLUPS
from penstock.gold.layout import item
from penstock.gold.stores import Shown, dynamodb
from penstock.gold.stores.dynamodb import DynamoDB

BY_NAME = {rollup.name: rollup for rollup in ROLLUPS}
COUNTS, PRODUCTS = BY_NAME["event_counts"], BY_NAME["products_daily"]
NEXT = NOON + timedelta(hours=1)
Rows = list[tuple[Any, ...]]


@pytest.fixture
def store(table: str) -> Iterator[DynamoDB]:
    opened = dynamodb.open(table)
    yield opened
    opened.close()


def items(store: DynamoDB) -> dict[tuple[str, str], dict[str, Any]]:
    """Rows' own items, by place."""
    found = {}
    for page in boto3.client("dynamodb").get_paginator("scan").paginate(TableName=store._table):
        for each in page["Items"]:
            if "!" not in each["pk"]["S"]:
                told = {name: value.get("S") or int(value["N"]) for name, value in each.items()}
                found[told.pop("pk"), told.pop("sk")] = told
    return found


def wanted(rows: Rows) -> dict[tuple[str, str], dict[str, Any]]:
    made = [item(COUNTS, row) for row in rows]
    return {each[:2]: dict(each.attributes) for each in made}


def test_each_row_is_an_item_where_an_application_looks_for_it(store: DynamoDB) -> None:
    rows = [(NOON, "a", 1, 0), (NOON, "b", 2, 1), (NEXT, "a", 3, 0)]
    store.replace(COUNTS, [NOON, NEXT], rows)
    assert items(store) == wanted(rows)
    assert items(store)["event_counts#=a", "2026-02-01T12:00Z"] == {
        "bucket": "2026-02-01T12:00Z", "event_type": "a", "events": 1, "bot_events": 0,
    }  # fmt: skip


def test_only_what_changed_is_written(store: DynamoDB, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(NOON, f"k{n}", n, 0) for n in range(30)]
    store.replace(COUNTS, [NOON], rows)
    written: list[Any] = []
    write = DynamoDB._write
    monkeypatch.setattr(DynamoDB, "_write", lambda self, asked: (written.extend(asked), write(self, asked))[1])
    store.replace(COUNTS, [NOON], rows[::-1])
    assert written == []
    store.replace(COUNTS, [NOON], [(NOON, "k0", 7, 0), *rows[1:]])
    assert len(written) == 3  # the page, the row, the page


@pytest.mark.parametrize("part_bytes", [300_000, 40])
@pytest.mark.parametrize("calls", range(9))
def test_a_crash_after_any_call_is_healed_when_it_is_done_again(
    store: DynamoDB, table: str, calls: int, part_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamodb, "_PART_BYTES", part_bytes)
    old = [(NOON, kind, n, 0) for n, kind in enumerate("abcd")]
    planned = [(NOON, "a", 9, 0), (NOON, "b", 1, 0), (NOON, "never", 1, 0)]
    store.replace(COUNTS, [NOON], old)
    write, done = DynamoDB._write, []

    def dies(self: DynamoDB, asked: Any) -> None:
        if len(done) == calls:
            raise KeyboardInterrupt
        done.append(write(self, asked))

    monkeypatch.setattr(DynamoDB, "_write", dies)
    with contextlib.suppress(KeyboardInterrupt):
        store.replace(COUNTS, [NOON], planned)
    monkeypatch.setattr(DynamoDB, "_write", write)
    other = dynamodb.open(table)
    assert sorted(other.read(COUNTS)) in (old, planned)
    then = [(NOON, "b", 1, 0), (NOON, "c", 5, 0)]  # silver has moved on
    other.replace(COUNTS, [NOON], then)
    assert sorted(other.read(COUNTS)) == then
    assert items(other) == wanted(then)
    other.close()


def test_parts_of_pages_that_were_replaced_are_gone(store: DynamoDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb, "_PART_BYTES", 40)
    rows = [(NOON, f"k{n}", n, 0) for n in range(30)]
    for some in (rows, rows[1:], rows[:3]):
        store.replace(COUNTS, [NOON], some)
        assert sorted(store.read(COUNTS)) == sorted(some)
    page = next(iter(store._query("event_counts!buckets")))
    assert len(list(store._query("event_counts!buckets!parts"))) == int(page["parts"]["N"])
    store.replace(COUNTS, [NOON], [])
    assert list(store._query("event_counts!buckets!parts")) == []


def test_another_definition_makes_it_again(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old = dynamodb.open(table)
    old.replace(COUNTS, [NOON], [(NOON, "a", 1, 0)])
    old.finish(["event_counts"], Shown("id", 1))
    monkeypatch.setattr(dynamodb, "mark", lambda: "another")
    new = dynamodb.open(table)
    assert (new.shown(), new.read(COUNTS), new.buckets(COUNTS)) == ({}, [], set())
    assert old.shown()  # who only looks empties nothing
    new.replace(COUNTS, [NEXT], [(NEXT, "b", 1, 0)])
    assert new.shown() == {}
    assert items(new) == wanted([(NEXT, "b", 1, 0)])
    old.close()
    new.close()


def test_a_table_of_something_else_is_left_alone(table: str) -> None:
    boto3.client("dynamodb").put_item(
        TableName=table[11:], Item={"pk": {"S": "page_view"}, "sk": {"S": "2026-02-01T12"}}
    )
    with pytest.raises(SettingsError, match="something else"):
        dynamodb.open(table)


@pytest.mark.parametrize("url", ["dynamodb://", "dynamodb:///t", "dynamodb://t/x", "dynamodb://t?x=1"])
def test_a_url_without_a_table(url: str) -> None:
    with pytest.raises(SettingsError, match="names no table"):
        dynamodb.open(url)


def test_a_table_that_is_not_there(table: str) -> None:
    with pytest.raises(LakeError, match="ResourceNotFound"):
        dynamodb.open("dynamodb://nowhere")
