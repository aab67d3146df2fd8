"""Keys and back."""

from __future__ import annotations

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
    span,
)

MOMENTS = st.datetimes(
    datetime(1970, 1, 1),
    datetime(2200, 1, 1),
    timezones=st.builds(lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-14 * 60, 14 * 60)),
)
SHARDS = st.from_regex(r"[A-Za-z0-9_.-]{1,40}", fullmatch=True).filter(lambda name: not name.startswith("load-"))
OFFSETS = st.integers(0, 10**12 - 1)
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
        "year=2026/month=02/day=01/x.jsonl",
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


@pytest.mark.parametrize("name", ["x.jsonl.gz", "s-1-2.jsonl.gz", "s-000000000000-000000000001.json", "-0-0.jsonl.gz"])
def test_what_others_wrote_is_no_batch(name: str) -> None:
    assert span(minute_folder(datetime(2026, 1, 1, tzinfo=UTC)) + name) is None
