"""Keys and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.bronze.layout import (
    INBOX,
    Span,
    arrival,
    batch_key,
    from_inbox,
    inbox_key,
    load_key,
    minute_folder,
    origin,
    source,
    span,
)
from penstock.stream._packing import label

MOMENTS = st.datetimes(
    datetime(1970, 1, 1),
    datetime(2200, 1, 1),
    timezones=st.builds(lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-14 * 60, 14 * 60)),
)
SHARDS = st.from_regex(r"[A-Za-z0-9_.-]{1,40}", fullmatch=True).filter(lambda name: not name.startswith("load-"))
OFFSETS = st.integers(0, 10**12 - 1)
LONG = st.integers(0, 10**56 - 1)
NAMES = st.from_regex(r"[A-Za-z0-9_.-]{1,80}", fullmatch=True)


def test_a_batch_lies_where_the_documents_say() -> None:
    at = datetime(2026, 2, 1, 23, 59, 59, 999_000, tzinfo=UTC)
    key = "year=2026/month=02/day=01/hour=23/minute=59/20260201T230000-ab12cd34-000000000007-000000000041.jsonl.gz"
    assert batch_key("20260201T230000-ab12cd34", 7, 41, at) == key
    assert span(key) == Span("20260201T230000-ab12cd34", 7, 41)
    assert arrival(key) == datetime(2026, 2, 1, 23, 59, tzinfo=UTC)


@given(SHARDS, OFFSETS, OFFSETS, MOMENTS)
def test_a_batch_is_read_back_from_its_key(shard: str, first: int, last: int, at: datetime) -> None:
    key = batch_key(shard, first, last, at)
    assert span(key) == Span(shard, first, last)
    assert arrival(key) == at.astimezone(UTC).replace(second=0, microsecond=0)
    assert key.startswith(minute_folder(at))


@given(SHARDS, st.tuples(OFFSETS, OFFSETS), st.tuples(OFFSETS, OFFSETS), MOMENTS)
def test_keys_of_a_shard_sort_as_its_records_do(
    shard: str, one: tuple[int, int], other: tuple[int, int], at: datetime
) -> None:
    assert (batch_key(shard, *one, at) < batch_key(shard, *other, at)) == (one < other)


@given(st.tuples(LONG, LONG), st.tuples(LONG, LONG), MOMENTS)
def test_offsets_that_do_not_count_sort_too_and_are_no_span(
    one: tuple[int, int], other: tuple[int, int], at: datetime
) -> None:
    shard = f"{label('events' * 20)}-shardId-000000000000"
    keys = [batch_key(shard, *each, at, counted=False) for each in (one, other)]
    assert (keys[0] < keys[1]) == (one < other)
    for key in keys:
        assert span(key) is None, "or gaps would be looked for between them"
        assert arrival(key) == at.astimezone(UTC).replace(second=0, microsecond=0)
        assert len(inbox_key(key).removeprefix(INBOX)) < 255


@given(MOMENTS, MOMENTS)
def test_folders_sort_as_time_does(one: datetime, other: datetime) -> None:
    if minute_folder(one) < minute_folder(other):
        assert one < other


@given(st.text("0123456789abcdef", min_size=64, max_size=64), NAMES, MOMENTS)
def test_a_loaded_file_is_no_batch(content_hash: str, name: str, at: datetime) -> None:
    key = load_key(content_hash, name, at)
    assert span(key) is None
    assert arrival(key) == at.astimezone(UTC).replace(second=0, microsecond=0)
    assert content_hash[:16] in key


def test_a_loaded_file_that_is_named_like_a_batch_is_none() -> None:
    name = "shard-000000000000-000000000009.jsonl.gz"
    assert span(load_key("0" * 64, name, datetime(2026, 1, 1, tzinfo=UTC))) is None


@given(SHARDS, OFFSETS, OFFSETS, MOMENTS)
def test_the_inbox_names_the_object(shard: str, first: int, last: int, at: datetime) -> None:
    key = batch_key(shard, first, last, at)
    marker = inbox_key(key)
    assert from_inbox(marker) == key
    assert marker.startswith(INBOX)
    assert marker.count("/") == 1
    assert len(marker.removeprefix(INBOX)) < 255, "it is the name of a file"


@given(st.text(st.characters(exclude_characters="!", exclude_categories=["Cs", "Cc"]), min_size=1))
def test_the_inbox_may_name_any_key(key: str) -> None:
    assert from_inbox(inbox_key(key)) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "segment-logs/web/1700000000000/x.gz",
        "2026/02/01/12/x.jsonl",
        "year=2026/month=13/day=01/hour=00/minute=00/x.jsonl",
        "year=2026/month=02/day=30/hour=00/minute=00/x.jsonl",
        "year=2026/month=02/day=01/hour=24/minute=00/x.jsonl",
        "year=2026/month=02/day=01/hour=00/minute=60/x.jsonl",
        "year=0000/month=01/day=01/hour=00/minute=00/x.jsonl",
        "year=26/month=2/day=1/hour=0/minute=0/x.jsonl",
    ],
)
def test_a_key_that_lies_elsewhere_has_no_arrival(key: str) -> None:
    assert arrival(key) is None


LEVELS = [
    ("year=2026/month=02/day=01/hour=12/minute=34/x.jsonl", "2026-02-01T12:34"),
    ("year=2026/month=02/day=01/hour=12/x.jsonl", "2026-02-01T12:00"),
    ("year=2026/month=02/day=01/x.jsonl", "2026-02-01T00:00"),
    ("year=2026/month=2/day=1/hour=3/x.jsonl", "2026-02-01T03:00"),
    ("year=2026/month=02/x.jsonl", "2026-02-28T23:59"),
    ("year=2024/month=02/x.jsonl", "2024-02-29T23:59"),
    ("year=2026/month=12/x.jsonl", "2026-12-31T23:59"),
    ("year=2026/x.jsonl", "2026-12-31T23:59"),
]


@pytest.mark.parametrize(("key", "at"), LEVELS)
def test_arrival_is_told_by_the_folders_that_are_there(key: str, at: str) -> None:
    assert arrival(key) == datetime.fromisoformat(at).replace(tzinfo=UTC)


SERIES = [
    ("year=2026/month=02/day=01/", ""),
    ("a/b/year=2026/month=02/x.jsonl", "a/b/"),
    ("segment-logs/web/1769904000000/x.gz", "segment-logs/web/"),
    ("p/2026/02/01/12/x", "p/"),
    ("year=2026/month=2/day=1/x.jsonl", None),
    ("a/x.jsonl", None),
]


@pytest.mark.parametrize(("name", "series"), SERIES)
def test_folders_that_sort_by_time_are_a_series(name: str, series: str | None) -> None:
    assert origin(name).series == series


@given(NAMES, st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True), MOMENTS)
def test_a_key_tells_its_source(name: str, who: str, at: datetime) -> None:
    key = load_key("0" * 64, name, at, who)
    assert source(key) == who
    assert arrival(key) == arrival(load_key("0" * 64, name, at))
    assert len(inbox_key(key).removeprefix(INBOX)) < 255


@pytest.mark.parametrize("who", ["a/b", "it's", "x" * 100, "é", '"', "../.."])
def test_a_source_of_any_name_becomes_a_plain_one(who: str) -> None:
    key = load_key("0" * 64, "a.jsonl", datetime(2026, 1, 1, tzinfo=UTC), who)
    assert source(key) == re.sub(r"[^A-Za-z0-9_.-]", "_", who)[:64]


def test_a_source_that_nobody_could_have_written_is_the_default() -> None:
    assert source("year=2026/source=it's/a.jsonl") == "default"
    assert source("year=2026/month=02/day=01/a.jsonl") == "default"


@pytest.mark.parametrize("name", ["x.jsonl.gz", "s-1-2.jsonl.gz", "s-000000000000-000000000001.json", "-0-0.jsonl.gz"])
def test_what_others_wrote_is_no_batch(name: str) -> None:
    assert span(minute_folder(datetime(2026, 1, 1, tzinfo=UTC)) + name) is None
