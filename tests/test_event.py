"""What can be an event: the limits, counted exactly, at every depth and size."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.event import DEPTH, EVENT_BYTES, KEYS, SMALL_EVENT_BYTES, depth, judge, keys


def judged(value: Any) -> str | None:
    return judge(value, json.dumps(value, separators=(",", ":")).encode())


def lists(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


def objects(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({}, None),
        (None, "not_an_object"),
        (True, "not_an_object"),
        (5, "not_an_object"),
        ("{}", "not_an_object"),
        ([{}], "not_an_object"),
        ({"a": "a" * (EVENT_BYTES - 8)}, None),
        ({"a": "a" * (EVENT_BYTES - 7)}, "event_too_large"),
        ({"a": lists(DEPTH - 1)}, None),
        ({"a": lists(DEPTH)}, "too_deep"),
        (objects(DEPTH), None),
        (objects(DEPTH + 1), "too_deep"),
        ({"shallow": [{}] * 100}, None),
        ({"text": "[{" * 100}, None),
        (dict.fromkeys(map(str, range(KEYS)), 0), None),
        (dict.fromkeys(map(str, range(KEYS + 1)), 0), "too_many_keys"),
        ({"a": [dict.fromkeys(map(str, range(KEYS - 1)), 0)]}, None),
        ({"a": [dict.fromkeys(map(str, range(KEYS)), 0)]}, "too_many_keys"),
    ],
)
def test_judge(value: Any, reason: str | None) -> None:
    assert judged(value) == reason


def test_a_small_event_cannot_have_too_many_keys() -> None:
    """The check of the keys is left out for small events; the shortest one with too many of them is not small."""
    shortest = "{" + ",".join(f'"{chr(i)}":0' for i in range(0x100, 0x100 + KEYS + 1)) + "}"
    assert len(shortest) > SMALL_EVENT_BYTES
    assert judge(json.loads(shortest), shortest.encode()) == "too_many_keys"


json_values = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def plain_depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(plain_depth, inner), default=0)


def plain_keys(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (len(value) if isinstance(value, dict) else 0) + sum(map(plain_keys, inner))


@settings(deadline=None)
@given(json_values)
def test_depth_and_keys_count_like_the_plain_definition(value: Any) -> None:
    assert depth(value) == plain_depth(value)
    assert keys(value) == plain_keys(value)


def test_depth_and_keys_need_no_stack() -> None:
    assert depth(lists(100_000)) == 100_000
    assert keys(objects(100_000)) == 100_000
