"""docs/promises.md: ten promises, each with tests that exist, or why there is none; and two that are proved here."""

from __future__ import annotations

import ast
import json
import re
import shutil
import urllib.request
from pathlib import Path

import pytest

import penstock
from penstock.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "promises.md").read_text()
PROMISES = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
PROOFS = re.findall(r"`(tests/[^`]+\.py)::(\w+)`", PAGE)


def test_there_are_ten_each_proved_or_marked() -> None:
    assert [promise.split(".")[0] for promise in PROMISES] == [str(number) for number in range(1, 11)]
    assert [promise for promise in PROMISES if "::test_" not in promise and "**Not yet:**" not in promise] == []


@pytest.mark.parametrize(("file", "name"), sorted(set(PROOFS)))
def test_the_named_test_exists(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def post(url: str, events: object) -> None:
    with urllib.request.urlopen(url, json.dumps(events).encode(), timeout=30) as answer:
        assert answer.status == 200


def test_gold_is_made_again_from_silver(tmp_path: Path) -> None:
    question = "from event_counts order by all"
    events = [{"event_type": f"type_{n % 3}", "event_ts": f"2026-02-01T{n % 24:02}:00:00Z"} for n in range(100)]
    with penstock.collector(tmp_path, collect={"processes": 1}) as collector:
        post(collector.events_url, events)
        with collector.stop() as lake:
            before = lake.sql(question).fetchall()
    assert sum(row[2] for row in before) == 100
    shutil.rmtree(tmp_path / "gold")
    way = Pipeline(collector.settings)
    way.rollup()
    way.close()
    with penstock.open(tmp_path) as lake:
        assert lake.sql(question).fetchall() == before


def test_no_address_is_written(tmp_path: Path) -> None:
    """The sender's address, and one that a proxy would add, are in no file after an event went all the way."""
    forwarded = {"x-forwarded-for": "203.0.113.77", "x-real-ip": "203.0.113.77", "forwarded": "for=203.0.113.77"}
    with penstock.collector(tmp_path, collect={"processes": 1}) as collector:
        request = urllib.request.Request(collector.events_url, b'{"event_type":"order"}', forwarded)
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.headers.get("set-cookie") is None
        with collector.stop() as lake:
            [row] = lake.sql("from events").to_arrow_table().to_pylist()
    assert not {"203.0.113.77", "127.0.0.1"} & {str(value) for value in row.values()}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".shard" for path in files)
    assert [path for path in files if b"203.0.113.77" in path.read_bytes()] == []
    written = [path for path in files if path.parent.name != "log" and b"127.0.0.1" in path.read_bytes()]
    assert written == []
