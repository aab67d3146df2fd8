"""Columns of the user's own, aliases and bots: what they take, what they refuse, and that a lake with them grows."""

from __future__ import annotations

import json
import shutil
import string
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.collect.dialects import all_dialects
from penstock.errors import LakeError, SettingsError
from penstock.setting_sections import ColumnType
from penstock.silver import commit as commit_module
from penstock.silver.actions import DataFile
from penstock.silver.columns import EVENTS, PARTITIONS, WIRE, Column
from penstock.silver.commit import Table
from penstock.silver.compact import compact
from penstock.silver.delta_log import set_torn_commits_aside
from penstock.silver.lake import Lake
from penstock.silver.refine import Refined, refine
from penstock.silver.schema import CASTS, NOTHING_ADDED, Extra, Schema, parts, path_of
from penstock.silver.snapshot import rows_sql
from support import LakeInHand, Rows

PLAN = Extra("plan", "VARCHAR")
SCORE = Extra("score", "BIGINT")


def with_schema(hand: LakeInHand, schema: Schema) -> LakeInHand:
    """The same lake, as a process with other settings sees it."""
    other = LakeInHand(hand.folder)
    other.lake = Lake(hand.lake.url, schema)
    other._offset = hand._offset
    return other


def rows(hand: LakeInHand, *events: dict[str, Any]) -> Rows:
    """Load lines as they are, refine, and read back in the order given."""
    hand.put(list(events))
    hand.refine()
    return hand.sql("select * from events order by bronze_file, bronze_line")


# types

GOOD: list[tuple[str, Any, Any]] = [
    ("VARCHAR", "gold", "gold"),
    ("VARCHAR", "'; drop table events; --", "'; drop table events; --"),
    ("VARCHAR", "ünï\u202e\u0000", "ünï\u202e\ufffd"),
    ("VARCHAR", {"a": [1]}, '{"a":[1]}'),
    ("VARCHAR", True, "true"),
    ("VARCHAR", 12, "12"),
    ("VARCHAR", "x" * 100_000, "x" * 100_000),
    ("BIGINT", 12, 12),
    ("BIGINT", "12", 12),
    ("BIGINT", 12.0, 12),
    ("BIGINT", 2**63 - 1, 2**63 - 1),
    ("BIGINT", -(2**63), -(2**63)),
    ("INTEGER", -7, -7),
    ("DOUBLE", 1.5, 1.5),
    ("DOUBLE", "1e300", 1e300),
    ("DOUBLE", 3, 3.0),
    ("DECIMAL(18,2)", 19.99, Decimal("19.99")),
    ("DECIMAL(18,2)", "0.005", Decimal("0.01")),
    ("BOOLEAN", True, True),
    ("BOOLEAN", "FALSE", False),
    ("BOOLEAN", 1, True),
    ("DATE", "2026-02-01", date(2026, 2, 1)),
    ("DATE", "2026-02-01T23:59:59Z", date(2026, 2, 1)),
    ("DATE", "0001-01-01", date(1, 1, 1)),
    ("DATE", "9999-12-31", date(9999, 12, 31)),
    ("TIMESTAMPTZ", "2026-02-01T12:00:00+02:00", datetime(2026, 2, 1, 10, tzinfo=UTC)),
    ("TIMESTAMPTZ", "2026-02-01", datetime(2026, 2, 1, tzinfo=UTC)),
    ("TIMESTAMPTZ", 1795172400, datetime(2026, 11, 20, 11, tzinfo=UTC)),
    ("TIMESTAMPTZ", 1795172400123, datetime(2026, 11, 20, 11, 0, 0, 123000, UTC)),
    ("TIMESTAMPTZ", "0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
]

BAD: list[tuple[str, Any]] = [
    ("BIGINT", "twelve"), ("BIGINT", 12.5), ("BIGINT", 2**63), ("BIGINT", 1e400), ("BIGINT", True),
    ("BIGINT", {"a": 1}), ("BIGINT", [12]), ("BIGINT", "nan"), ("BIGINT", "0x10"),
    ("INTEGER", 3_000_000_000), ("INTEGER", "1.5"),
    ("DOUBLE", "nan"), ("DOUBLE", "inf"), ("DOUBLE", "-Infinity"), ("DOUBLE", "1e400"), ("DOUBLE", "1,5"),
    ("DECIMAL(18,2)", 1e17), ("DECIMAL(18,2)", "nan"), ("DECIMAL(18,2)", "12 €"), ("BOOLEAN", "maybe"), ("BOOLEAN", 2),
    ("DATE", "infinity"), ("DATE", "2026-02-30"), ("DATE", "10000-01-01"), ("DATE", "0000-01-01"), ("DATE", 1795172400),
    ("DATE", "2026-02-01 (BC)"), ("DATE", "yesterday"), ("TIMESTAMPTZ", "infinity"), ("TIMESTAMPTZ", "epoch"),
    ("TIMESTAMPTZ", "2026-02-01T12:00:00+25:00"), ("TIMESTAMPTZ", "9999-12-31T23:59:59-05:00"), ("TIMESTAMPTZ", -1),
    ("TIMESTAMPTZ", "nan"), ("TIMESTAMPTZ", "2026-02-30T00:00:00Z"), ("TIMESTAMPTZ", 10**18),
]  # fmt: skip


def test_settings_and_schema_know_the_same_types() -> None:
    assert set(get_args(ColumnType)) == set(CASTS) == {kind for kind, _, _ in GOOD}


@pytest.mark.parametrize("kind", CASTS)
def test_values_that_fit_and_null(hand: LakeInHand, kind: str) -> None:
    sent = [(value, expected) for name, value, expected in GOOD if name == kind]
    found = rows(
        with_schema(hand, Schema((Extra("own", kind, strict=True),))),
        *({"event_type": "e", "own": value} for value, _ in sent),
        {"event_type": "e", "own": None},
        {"event_type": "e", "own": ""},
        {"event_type": "e"},
    )
    assert [row["own"] for row in found] == [*(expected for _, expected in sent), None, None, None]
    assert {row["flags"] for row in found} == {"no_session"}


@pytest.mark.parametrize("kind", sorted(CASTS.keys() - {"VARCHAR"}))
def test_values_that_do_not_fit_are_null_and_flagged(hand: LakeInHand, kind: str) -> None:
    sent = [value for name, value in BAD if name == kind]
    found = rows(
        with_schema(hand, Schema((Extra("own", kind),))), *({"event_type": "e", "own": value} for value in sent)
    )
    assert [row["own"] for row in found] == [None] * len(sent)
    assert {row["flags"] for row in found} == {"no_session,type_conflict"}


@pytest.mark.parametrize("kind", sorted(CASTS.keys() - {"VARCHAR"}))
def test_a_strict_column_sends_them_to_quarantine(hand: LakeInHand, kind: str) -> None:
    sent = [value for name, value in BAD if name == kind]
    hand = with_schema(hand, Schema((Extra("own", kind, strict=True), SCORE)))
    found = rows(hand, *({"event_type": "e", "own": value} for value in sent), {"event_type": "good", "own": None})
    assert [row["event_type"] for row in found] == ["good"]
    held = hand.sql("select reason, detail, decode(raw) as raw from quarantine order by bronze_line")
    assert {row["reason"] for row in held} == {"bad_column"}
    assert [json.loads(row["raw"])["own"] for row in held] == sent
    assert all(row["detail"].startswith("own ") and len(row["detail"]) <= 64 for row in held)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(ANY_JSON, min_size=1, max_size=20))
def test_whatever_is_sent_is_a_value_or_null_with_a_flag(tmp_path_factory: Any, values: list[Any]) -> None:
    extras = tuple(Extra(f"c{n}", kind, ("own",)) for n, kind in enumerate(CASTS))
    hand = with_schema(LakeInHand(tmp_path_factory.mktemp("lake")), Schema(extras))
    found = rows(hand, *({"event_type": "e", "own": value} for value in values))
    assert len(found) == len(values)
    for row, value in zip(found, values, strict=True):
        fits = all(row[extra.name] is not None for extra in extras)
        assert ("type_conflict" in row["flags"]) == (value not in (None, "") and not fits)
    DeltaTable(f"{hand.folder}/silver/events").to_pyarrow_table()


# places

ODD = [
    "a b",
    "a.b",
    "'",
    '"',
    "\\",
    "ünï",
    "a/b",
    "a~b",
    "~1",
    "*",
    "$",
    "#",
    "-",
    "0",
    "''; drop table x; --",
    "{}",
    "%s",
    "{x}",
]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_only_names(hand: LakeInHand, name: str) -> None:
    nested = path_of(["more", name, name])
    aside = path_of(["more", name])
    schema = Schema((Extra("deep", "VARCHAR", (nested,)), Extra("top", "VARCHAR", (path_of([name]),))))
    assert parts(nested) == ("more", name, name)
    both = Schema((*schema.extra, Extra("whole", "VARCHAR", (aside,))))
    for number, each in enumerate((schema, both)):
        event = {"event_type": "e", name: f"top {number}", "more": {name: {name: "in"}}}
        found = rows(with_schema(hand, each), event)
        shutil.rmtree(hand.folder)
        assert [(row["deep"], row["top"]) for row in found] == [("in", f"top {number}")]
    assert json.loads(found[0]["whole"]) == {name: "in"}


@given(st.lists(st.text(min_size=1, max_size=10).filter(str.isprintable), min_size=1, max_size=5))
def test_every_path_can_be_said(names: list[str]) -> None:
    assert parts(path_of(names)) == tuple(names)


@pytest.mark.parametrize(
    "path",
    ["", ".", "a.", ".a", "a..b", '""', '"a', 'a"b".c"', '"a"b', '"\\ud800"', '"\\u0000"', "a" * 501, "a." * 16 + "a"],
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(SettingsError, match="no path"):
        parts(path)


def test_the_first_place_that_is_not_null_wins_and_null_is_nothing(hand: LakeInHand) -> None:
    found = rows(
        with_schema(hand, Schema((Extra("own", "VARCHAR", ("a", "b.c")), PLAN))),
        {"event_type": "e", "a": 1, "b": {"c": 2}, "plan": "top", "properties": {"plan": "in"}},
        {"event_type": "e", "a": None, "b": {"c": 2}, "properties": {"plan": "in"}, "context": {"plan": "ctx"}},
        {"event_type": "e", "a": "", "b": {"c": 2}, "context": {"plan": "ctx"}},
        {"event_type": "e", "b": [2], "context": "no object"},
        {"event_type": "e", "b": "no object", "properties": None},
    )
    assert [(row["own"], row["plan"]) for row in found] == [
        ("1", "top"), ("2", "in"), ("2", "ctx"), (None, None), (None, None),
    ]  # fmt: skip


def test_a_place_may_be_a_value_and_a_parent_and_spelled_in_two_ways(hand: LakeInHand) -> None:
    schema = Schema((Extra("one", "VARCHAR", ("user", "User", "user.name")), Extra("two", "VARCHAR", ("USER.name",))))
    found = rows(
        with_schema(hand, schema),
        {"event_type": "e", "user": "Ann"},
        {"event_type": "e", "User": "Bob", "USER": {"name": "Eve"}},
        {"event_type": "e", "user": {"name": "Joe"}},
        {"event_type": "e", "user": None, "User": None},
    )
    assert [(row["one"], row["two"]) for row in found] == [
        ("Ann", None), ("Bob", "Eve"), ('{"name":"Joe"}', None), (None, None),
    ]  # fmt: skip


def test_other_columns_do_not_change_by_it(hand: LakeInHand, tmp_path: Path) -> None:
    events = [
        {"event_type": "e", "price": 1.10, "properties": {"plan": "x", "n": [1.50, {"a": " "}], "deep": {"é": None}}},
        {"event_type": "page_view", "session_id": "s", "properties": "text", "page": "/p"},
        {"event_type": "e", "properties": []},
    ]
    [plain, own] = [rows(with_schema(LakeInHand(tmp_path / name), schema), *events)
                    for name, schema in (("a", NOTHING_ADDED), ("b", Schema((PLAN, SCORE))))]  # fmt: skip
    assert [{k: v for k, v in row.items() if k not in ("plan", "score")} for row in own] == plain


# dialects


@pytest.mark.parametrize("column", WIRE)
def test_every_wire_column_can_have_an_alias(hand: LakeInHand, column: str) -> None:
    values = {
        "event_ts": "2026-11-20T10:00:00Z", "sent_ts": "2026-11-20T10:00:00Z", "price": "5", "quantity": 2,
        "revenue": 7,
        "screen_width": 3, "screen_height": 4, "seq": 5, "first_day": "2026-02-01", "prev_day": "2026-02-01",
        "properties": {"a": 1}, "variants": {"a": "b"},
    }  # fmt: skip
    hand = with_schema(hand, Schema(aliases={column: ("else.where", "ELSEWHERE")}))
    sent = values.get(column, "thing")
    types = {} if column == "event_type" else {"event_type": "purchase"}
    other = "another" if column == "event_id" else sent
    first, second = rows(hand, {**types, "else": {"where": sent}}, {**types, "ELSEWHERE": other, "else": None})
    if column != "sent_ts":  # which is only looked at in what our collector took
        assert first[column] is not None
        assert (first[column] == second[column]) == (sent == other)


def test_an_alias_is_looked_at_last(hand: LakeInHand) -> None:
    hand = with_schema(hand, Schema(aliases={"product_id": ("sku", "productID")}))
    events = [{"productId": "ours", "sku": "other"}, {"productID": "third", "sku": None}, {"sku": "other"}]
    found = rows(hand, *({"event_type": "e", **event} for event in events))
    assert [row["product_id"] for row in found] == ["ours", "third", "other"]


SCHEMA = Schema((PLAN, Extra("score", "BIGINT", strict=True)), {"session_id": ("sid", "properties.sid")})


def test_our_own_events_and_a_beacon(hand: LakeInHand) -> None:
    hand = with_schema(hand, SCHEMA)
    [row, bad] = hand.post([
        {"event_type": "page_view", "sid": "s1", "plan": "gold", "properties": {"score": 5}},
        {"event_type": "page_view", "sid": "s1", "score": "x"},
    ])  # fmt: skip
    [beacon] = hand.post(b"", query="page=/p&plan=free")
    hand.put([row, bad, beacon])
    hand.refine()
    found = hand.sql("select session_id, plan, score, dialect from events order by bronze_line")
    assert [tuple(each.values()) for each in found] == [("s1", "gold", 5, "events"), (None, "free", None, "beacon")]
    assert hand.sql("select reason, detail from quarantine") == [{"reason": "bad_column", "detail": "score x"}]


@pytest.mark.parametrize("is_posted", [True, False])
def test_segment(hand: LakeInHand, is_posted: bool) -> None:
    hand = with_schema(hand, SCHEMA)
    message = {
        "messageId": "m", "type": "track", "event": "thing", "userId": "u", "context": {"plan": "gold"},
        "properties": {"score": 5, "sid": "s1"},
    }  # fmt: skip
    hand.put(hand.post({"batch": [message]}, path="/v1/batch") if is_posted else [message])
    hand.refine()
    [row] = hand.sql("select dialect, session_id, plan, score, properties from events")
    assert tuple(row.values())[:4] == ("segment", "s1", "gold", 5)
    assert json.loads(row["properties"]) == message["properties"]


def test_a_cut_segment_line_costs_itself(hand: LakeInHand) -> None:
    good = '{"messageId":"a","type":"track","event":"x","properties":{"path":"/p"}}'
    hand.put([good, good[:-20]])
    assert hand.refine().reasons == {"malformed_json": 1}


def test_dates_beyond_the_calendar_are_no_dates(hand: LakeInHand) -> None:
    days = ["infinity", "10000-01-01", "0000-12-31", "2026-02-01 (BC)"]
    found = rows(hand, *({"event_type": "e", "first_day": day, "prev_day": day} for day in days))
    assert {(row["first_day"], row["prev_day"]) for row in found} == {(None, None)}
    assert all("type_conflict" in row["flags"] for row in found)


def test_bots_of_the_users_own(hand: LakeInHand) -> None:
    agents = ["MyMonitor/2.0", "Mozilla/5.0 my-probe", "Mozilla/5.0", "Googlebot/2.1", None]
    found = rows(
        with_schema(hand, Schema(bots=("MyMonitor/.*", "(?i)MY-PROBE$"))),
        *({"event_type": "e", "user_agent": agent} for agent in agents),
    )
    assert [row["is_bot"] for row in found] == [True, True, False, True, False]


# what is refused

REFUSED: list[tuple[Callable[[], Schema], str]] = [
    (lambda: Schema((Extra("price", "DOUBLE"),)), r"columns\.0\.name.*column of ours.*\[aliases\]"),
    (lambda: Schema((Extra("browser", "VARCHAR"),)), r"columns\.0\.name.*column of ours"),
    *(
        (lambda name=name: Schema((Extra(name, "VARCHAR"),)), r"columns\.0\.name.*column of ours")
        for name in ("session", "known_as", "local_ts")
    ),
    (lambda: Schema((PLAN, Extra("hour", "INTEGER"))), r"columns\.1\.name.*column of ours"),
    (lambda: Schema((PLAN, PLAN)), r"columns\.1\.name.*twice"),
    (lambda: Schema((Extra("Plan", "VARCHAR"),)), "lower case"),
    (lambda: Schema((Extra('a"; drop', "VARCHAR"),)), "lower case"),
    (lambda: Schema((Extra("a" * 64, "VARCHAR"),)), "lower case"),
    (lambda: Schema((Extra("a", "TEXT"),)), r"columns\.0\.type.*choose one of VARCHAR"),
    (lambda: Schema((Extra("a", "DATE", ("ok", "a..b")),)), r"columns\.0\.from.*no path"),
    (lambda: Schema(tuple(Extra(f"a{n}", "DATE") for n in range(201))), "at most 200"),
    (lambda: Schema(aliases={"browser": ("a",)}), r"aliases\.browser.*no such column.*product_id"),
    (lambda: Schema(aliases={"price": ("",)}), r"aliases\.price.*no path"),
    (lambda: Schema(bots=("fine", "(")), r"refine\.bots\.1.*no regular expression"),
    (lambda: Schema(bots=(".*",)), r"refine\.bots\.0.*finds every"),
]


@pytest.mark.parametrize(("make", "told"), REFUSED, ids=[told for _, told in REFUSED])
def test_refused(make: Callable[[], Schema], told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        make()
    assert caught.value.hint


@pytest.mark.parametrize(
    "name", ["reason", "detail", "order", "select", "group", "filename", "rowid", "line", "c", "x_a", "client"]
)
def test_names_that_mean_something_elsewhere(hand: LakeInHand, name: str) -> None:
    hand = with_schema(hand, Schema((Extra(name, "VARCHAR"),)))
    hand.put([{"event_type": "e", name: "v"}, {"event_type": None, name: "v"}])
    assert hand.refine().reasons == {"bad_event_name": 1}
    [row] = hand.sql("select * from events")
    assert row[name] == "v"
    assert len(hand.sql("select * from quarantine")) == 1
    assert compact(hand.lake.silver.events, "event_ts", many=1).files_after == 1
    assert hand.sql("select * from events") == [row]


# what was there before


def fill(hand: LakeInHand, number: int, **fields: Any) -> Refined:
    event = {"event_type": "e", "event_id": f"{number}", "plan": f"p{number}", "score": number, **fields}
    hand.put([event], name=f"{number}.jsonl")
    return hand.refine()


def shown(hand: LakeInHand, *names: str) -> list[tuple[Any, ...]]:
    return [
        tuple(row.values()) for row in hand.sql(f"select event_id, {', '.join(names)} from events order by event_id")
    ]


def test_a_new_column_needs_no_migration(hand: LakeInHand) -> None:
    fill(hand, 1)
    one, two = with_schema(hand, Schema((PLAN,))), with_schema(hand, Schema((SCORE, PLAN)))
    assert shown(one, "plan") == [("1", None)], "before anything was written with it"
    fill(one, 2)
    fill(two, 3)
    for reader in (hand, one, two):
        assert [id_ for id_, _ in shown(reader, "event_type")] == ["1", "2", "3"]
    assert shown(one, "plan") == [("1", None), ("2", "p2"), ("3", "p3")]
    assert shown(two, "plan", "score") == [("1", None, None), ("2", "p2", None), ("3", "p3", 3)]
    assert "plan" not in hand.sql("select * from events limit 1")[0]
    everybody = DeltaTable(f"{hand.folder}/silver/events").to_pyarrow_table(columns=["event_id", "plan", "score"])
    assert sorted(everybody.to_pylist(), key=str) == [
        {"event_id": str(n), "plan": None if n < 2 else f"p{n}", "score": None if n < 3 else n} for n in (1, 2, 3)
    ]


def test_merging_keeps_columns_that_the_settings_no_longer_name(hand: LakeInHand) -> None:
    fill(hand, 1)
    own = with_schema(hand, Schema((PLAN, SCORE)))
    fill(own, 2)
    removed = with_schema(hand, NOTHING_ADDED)
    fill(removed, 3)
    assert compact(removed.lake.silver.events, "event_ts, source, event_id", many=2).files_before == 3
    assert shown(own, "plan", "score") == [("1", None, None), ("2", "p2", 2), ("3", None, None)]
    assert removed.sql("select count(*) as n from events") == [{"n": 3}]


def test_another_type_is_refused_before_anything_is_read(hand: LakeInHand) -> None:
    fill(with_schema(hand, Schema((PLAN,))), 1)
    other = with_schema(hand, Schema((Extra("plan", "BIGINT"),)))
    with pytest.raises(LakeError, match="'plan' is stored as VARCHAR, the settings say BIGINT") as caught:
        fill(other, 2)
    assert "penstock rebuild" in caught.value.hint
    version = hand.lake.silver.events.version()
    assert shown(other, "plan") == [("1", "p1")], "a reader sees what is stored"
    with pytest.raises(LakeError):
        refine(other.lake)
    assert hand.lake.silver.events.version() == version
    back = with_schema(hand, Schema((PLAN,)))
    back.refine()
    assert shown(back, "plan") == [("1", "p1"), ("2", "p2")]


def test_each_batch_says_by_which_rules_it_was_made(hand: LakeInHand) -> None:
    own = with_schema(hand, Schema((PLAN,)))
    fill(hand, 1)
    fill(own, 2)
    history = DeltaTable(f"{hand.folder}/silver/events").history()
    told = [entry.get("penstock.rules") for entry in history if "penstock.batch" in entry]
    assert told == [own.lake.schema.fingerprint, NOTHING_ADDED.fingerprint]


def test_the_fingerprint_tells_rules_apart() -> None:
    different = [
        NOTHING_ADDED, Schema((PLAN,)), Schema((PLAN, SCORE)), Schema((SCORE, PLAN)), Schema((Extra("plan", "DATE"),)),
        Schema((Extra("plan", "VARCHAR", ("a",)),)), Schema((Extra("plan", "VARCHAR", strict=True),)),
        Schema(aliases={"price": ("a",)}), Schema(aliases={"price": ("b",)}), Schema(bots=("a",)),
    ]  # fmt: skip
    assert len({schema.fingerprint for schema in different}) == len(different)
    assert Schema((Extra("plan", "VARCHAR", meaning="for people"),)).fingerprint == Schema((PLAN,)).fingerprint
    assert Schema().fingerprint == NOTHING_ADDED.fingerprint


def test_nothing_added_is_nothing_changed() -> None:
    assert NOTHING_ADDED.dialects is all_dialects()
    assert NOTHING_ADDED.wire == WIRE


# crashes


def test_a_crash_between_the_column_and_the_batch(hand: LakeInHand, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(hand, 1)
    own = with_schema(hand, Schema((PLAN,)))
    with monkeypatch.context() as patch:
        patch.setattr(Table, "_write", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            own.lake.silver.events.commit(2, [])
    assert shown(with_schema(hand, Schema((PLAN,))), "plan") == [("1", None)]
    fill(with_schema(hand, NOTHING_ADDED), 2)
    fill(with_schema(hand, Schema((PLAN,))), 3)
    assert shown(own, "plan") == [("1", None), ("2", None), ("3", "p3")]
    operations = [entry["operation"] for entry in DeltaTable(f"{hand.folder}/silver/events").history()]
    assert operations.count("ADD COLUMN") == 1


def test_a_torn_column_is_moved_aside_and_added_again(hand: LakeInHand) -> None:
    fill(hand, 1)
    own = with_schema(hand, Schema((PLAN,)))
    own.lake.silver.events.commit(2, [])
    log = hand.folder / "silver" / "events" / "_delta_log"
    (log / f"{3:020}.json").unlink()
    entry = log / f"{2:020}.json"
    whole = entry.read_bytes()
    assert b"ADD COLUMN" in whole
    ends = {index for index, byte in enumerate(whole) if byte == ord("\n")}
    for length in sorted({*range(0, len(whole), 97), *ends, len(whole) - 1}):
        entry.write_bytes(whole[:length])
        assert [path.name for path in set_torn_commits_aside(hand.folder / "silver" / "events")] == [
            f"{entry.name}.torn"
        ]
    again = with_schema(hand, Schema((PLAN,)))
    fill(again, 2)
    assert shown(again, "plan") == [("1", None), ("2", "p2")]
    assert set_torn_commits_aside(hand.folder / "silver" / "events") == []


def test_a_column_is_synced_or_not_there(hand: LakeInHand, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(hand, 1)
    own = with_schema(hand, Schema((PLAN,)))
    own.lake.silver.events.open()
    with monkeypatch.context() as patch:
        patch.setattr(
            commit_module, "sync_folder", lambda path: (_ for _ in ()).throw(OSError(5, "Input/output error"))
        )
        with pytest.raises(OSError, match="Input/output"):
            own.lake.silver.events.commit(2, [])
    assert [field.name for field in DeltaTable(f"{hand.folder}/silver/events").schema().fields][-1] == "hour"
    fill(own, 2)
    assert shown(own, "plan") == [("1", None), ("2", "p2")]


# many files

FILES = 10_000


def test_statistics_tell_what_a_file_holds(tmp_path: Path) -> None:
    """None of ten thousand files is opened to find out; they are not even there."""
    table = Table(tmp_path.as_uri(), EVENTS, PARTITIONS, own=(PLAN.column,))
    plain = {"numRecords": 1, "minValues": {}, "maxValues": {}, "nullCount": {column.name: 0 for column in EVENTS}}
    own = {**plain, "nullCount": {**plain["nullCount"], "plan": 0}}  # type: ignore[dict-item]
    place = {"year": "2026", "month": "1", "day": "1", "hour": "1"}
    table.commit(1, [DataFile(f"{n}.parquet", 1, place, own if n % 2 else plain) for n in range(FILES)])
    sql = rows_sql(table, table.shown(), PARTITIONS)
    assert (sql.count(".parquet'"), sql.count("read_parquet(")) == (FILES, 2)
    assert "union_by_name" not in sql


def test_a_file_of_another_writer_is_looked_into(hand: LakeInHand) -> None:
    own = with_schema(hand, Schema((PLAN, SCORE)))
    fill(own, 1)
    [file] = own.lake.silver.events.files()
    root = Path(own.folder, "silver", "events")
    whole = pq.read_table(root / file.path, partitioning=None)
    for number, names in enumerate([["score"], ["plan", "score"], []]):
        index = whole.column_names.index("event_id")
        other = whole.drop_columns(names).set_column(index, "event_id", pa.array([f"other{number}"]))
        path = f"{Path(file.path).parent}/other{number}.parquet"
        pq.write_table(other, root / path)
        own.lake.silver.events.replace([], [DataFile(path, 1, file.partition, {"numRecords": 1})])
    assert shown(own, "plan", "score") == [
        ("1", "p1", 1), ("other0", "p1", None), ("other1", None, None), ("other2", "p1", 1),
    ]  # fmt: skip


def test_a_column_of_a_type_that_we_do_not_have_is_not_lost_silently(tmp_path: Path) -> None:
    table = Table(tmp_path.as_uri(), (Column("id", "BIGINT", ""),))
    DeltaTable.create(str(tmp_path), schema=pa.schema([("id", pa.int64()), ("more", pa.list_(pa.int64()))]))
    assert [column.name for column in table.stored()] == ["id", "more"]


ALPHABET = st.text(string.ascii_letters + "'\"\\.{}$ /~é", min_size=1, max_size=6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(ALPHABET, min_size=1, max_size=3), min_size=1, max_size=6))
def test_any_set_of_paths_can_be_parsed(tmp_path_factory: Any, paths: list[list[str]]) -> None:
    """Also such that hold one another, or differ in case only."""
    free = [path for path in paths if path[0] not in {"event_type"}]
    extras = tuple(Extra(f"c{n}", "VARCHAR", (path_of(path),)) for n, path in enumerate(free))
    hand = with_schema(LakeInHand(tmp_path_factory.mktemp("lake")), Schema(extras))
    events = []
    for number, path in enumerate(free):
        value: Any = f"v{number}"
        for name in reversed(path):
            value = {name: value}
        events.append({**value, "event_type": "e"})
    found = rows(hand, *events, {"event_type": "e"})
    for number in range(len(free)):
        assert found[number][f"c{number}"] == f"v{number}"
    assert all(found[-1][extra.name] is None for extra in extras)
