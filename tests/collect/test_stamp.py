"""The line of bronze: what the collector knows, then the event as it came."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from penstock.collect.stamp import MARK, line, one_line, prefix, quoted

AT = datetime(2026, 2, 1, 12, 0, 0, 123_456, tzinfo=UTC)


def test_all_parts() -> None:
    start = prefix("events", "shop", AT, "Agent/1.0", "2026-02-01T11:59:59Z")
    assert line(start, b'{"a":1}', "made", "too_deep") == (
        b'{"penstock":1,"dialect":"events","source":"shop","received_at":"2026-02-01T12:00:00.123Z",'
        b'"user_agent":"Agent/1.0","sent_ts":"2026-02-01T11:59:59Z","event_id":"made","reason":"too_deep",'
        b'"event":{"a":1}}'
    )


def test_only_what_there_is() -> None:
    stamped = json.loads(line(prefix("segment", "default", AT, "", None), b"{}", None, None))
    assert stamped == {
        "penstock": 1,
        "dialect": "segment",
        "source": "default",
        "received_at": "2026-02-01T12:00:00.123Z",
        "user_agent": None,
        "event": {},
    }


def test_every_line_starts_with_the_mark() -> None:
    assert prefix("events", "shop", AT, "", None).startswith(MARK)


def test_times_are_utc() -> None:
    there = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert prefix("events", "shop", there, "", None) == prefix("events", "shop", AT, "", None)


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\r\nb", '","event":{"forged":1}}', "\u2028", "😀", "\0"])
def test_nothing_a_header_holds_leaves_its_field(text: str) -> None:
    stamped = line(prefix("events", "shop", AT, text, text), b"{}", None, None)
    assert len(stamped.splitlines()) == 1
    assert (json.loads(stamped)["user_agent"], json.loads(stamped)["sent_ts"]) == (text, text)
    assert json.loads(stamped)["event"] == {}


def test_a_long_user_agent_is_cut() -> None:
    assert len(json.loads(line(prefix("events", "s", AT, "a" * 5000, None), b"{}", None, None))["user_agent"]) == 1024


@pytest.mark.parametrize("raw", [b'{\n"a":\r\n1\r}', b'{"a":\n\n1}'])
def test_line_breaks_between_tokens_become_blanks(raw: bytes) -> None:
    assert len(one_line(raw)) == len(raw)
    assert len(one_line(raw).splitlines()) == 1
    assert json.loads(one_line(raw)) == json.loads(raw)


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b'{"a":NaN}', '{"a":NaN}'), (b"\xff", "\\xff"), (b"\n\0", "\n\0"), ("é".encode(), "é"), (b"\\ud800", "\\ud800")],
)
def test_quoted(raw: bytes, text: str) -> None:
    assert json.loads(quoted(raw)) == text
    assert len(quoted(raw).splitlines()) == 1
