"""Finding the borders of events in a text that no strict reader takes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.collect.elements import elements, members


def found(text: bytes) -> list[bytes]:
    return [bytes(element) for element in elements(text)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b"[]", []),
        (b"[1]", [b"1"]),
        (b'[ {"a":[1,2]} , {"b":"],[\\""} ]', [b'{"a":[1,2]}', b'{"b":"],[\\""}']),
        (b'[{"a":NaN},{"b":1}]', [b'{"a":NaN}', b'{"b":1}']),
        (b'[{"a":NaN}, "x,y]" ,[1,2]]', [b'{"a":NaN}', b'"x,y]"', b"[1,2]"]),
        (b'["\\ud800","\\\\",{}]', [b'"\\ud800"', b'"\\\\"', b"{}"]),
        (b"[True, None]", [b"True", b"None"]),
        (b" \n[NaN]\r\n", [b"NaN"]),
    ],
)
def test_elements(text: bytes, parts: list[bytes]) -> None:
    assert found(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"NaN",
        b'{"a":NaN}',
        b"[",
        b"[NaN",
        b"[NaN,",
        b"[NaN,]",
        b"[,NaN]",
        b"[NaN,,1]",
        b"[NaN]]",
        b"[NaN][1]",
        b"[NaN] x",
        b'[NaN,"]',
        b'[NaN,"\\"]',
        b'[NaN,"\\',
        b'[NaN,{"a":1]]',
        b'[NaN,["a":1}]',
        b"]NaN[",
    ],
)
def test_borders_that_are_not_certain_are_not_guessed(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        elements(text)


def test_depth_needs_no_stack() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert found(b"[1," + deep + b"]") == [b"1", deep]


def test_more_brackets_than_any_good_batch_has_are_not_counted_out() -> None:
    with pytest.raises(msgspec.DecodeError):
        elements(b"[NaN," + b",".join([b"[]"] * 200_000) + b"]")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b'{"batch":[NaN,1],"sentAt":"now"}', {"batch": b"[NaN,1]", "sentAt": b'"now"'}),
        (b'{ "b\\u0061tch" : [1] , "x":{"y":",}"}}', {"batch": b" [1]", "x": b'{"y":",}"}'}),
        (b'{"a":1,"a":2}', {"a": b"2"}),
        (b"{}", None),
        (b"[1]", None),
        (b'{"a":1', None),
        (b'{"a":1}}', None),
        (b"{a:1}", None),
        (b'{"a" 1}', None),
        (b'{"\\ud800":1}', None),
        (b'{"a":1,}', None),
    ],
)
def test_members(text: bytes, parts: dict[str, bytes] | None) -> None:
    assert members(text) == parts


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@settings(deadline=None)
@given(st.lists(json_values, max_size=5), st.booleans(), st.sampled_from([None, 2]))
def test_the_borders_are_those_of_the_strict_reader(values: list[Any], ascii_only: bool, indent: int | None) -> None:
    texts = [json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode() for value in values]
    assert found(b"[" + b" ,\n".join(texts) + b"]") == texts
    assert found(b"[NaN," + b" ,\n".join([*texts, b"0"]) + b"]") == [b"NaN", *texts, b"0"]


@settings(deadline=None)
@given(st.dictionaries(st.text(), json_values, min_size=1, max_size=4))
def test_members_are_those_of_the_strict_reader(value: dict[str, Any]) -> None:
    parts = members(json.dumps(value).encode())
    assert parts is not None
    assert {name: json.loads(text) for name, text in parts.items()} == value


@settings(deadline=None)
@given(st.text(alphabet='[]{},"\\a1 ', max_size=30).map(str.encode))
def test_any_text_is_split_or_refused_but_never_altered(text: bytes) -> None:
    try:
        parts = found(text)
    except msgspec.DecodeError:
        return
    assert b",".join(parts).replace(b" ", b"") == text.strip()[1:-1].replace(b" ", b"")
