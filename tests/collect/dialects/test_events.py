"""`POST /v1/events`: an object, an array, or a page view told by the URL alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

POST_VIEW = "page=/posts/some-post&time=2021-03-13T12:34:56Z"


def test_an_object_and_a_list_of_one_are_the_same(post: Any) -> None:
    event = '{"event_type":"x","event_id":"e"}'
    assert post.lines(event) == post.lines(f"[{event}]")


@pytest.mark.parametrize("body", [b"", b"\r\n", b" " * 100])
def test_a_page_view_without_a_body(post: Any, body: bytes) -> None:
    (line,) = post.lines(body, query=POST_VIEW)
    assert line["dialect"] == "beacon"
    assert line["event_id"].startswith("made-")
    assert line["event"] == {"page": "/posts/some-post", "time": "2021-03-13T12:34:56Z", "event_type": "page_view"}


@pytest.mark.parametrize(
    ("query", "event"),
    [
        ("page=/a%20b&title=caf%C3%A9", {"page": "/a b", "title": "café", "event_type": "page_view"}),
        ("page_path=/a&event_type=read", {"page_path": "/a", "event_type": "read"}),
        ("event_type=ping", {"event_type": "ping"}),
        ("page=/a&page=/b", {"page": "/b", "event_type": "page_view"}),
        ("page=/a&writeKey=k&write_key=k", {"page": "/a", "event_type": "page_view"}),
        ("page=/%FF%00", {"page": "/\ufffd\0", "event_type": "page_view"}),
    ],
)
def test_the_fields_of_the_query(post: Any, query: str, event: dict[str, str]) -> None:
    assert [line["event"] for line in post.lines(b"", query=query)] == [event]


@pytest.mark.parametrize("query", ["", "a=1", "page=", "page", "&&&", "?", "%"])
def test_a_query_that_tells_no_page(post: Any, query: str) -> None:
    assert post.error(b"", query=query) == (400, "empty_body")


def test_a_query_of_very_many_fields(post: Any) -> None:
    assert post.error(b"", query="page=/&" + "&".join(f"a{n}=1" for n in range(80))) == (400, "too_many_keys")


def test_a_query_that_is_too_long_an_event(post: Any) -> None:
    assert post.error(b"", query="page=/" + "a" * (1 << 16)) == (413, "event_too_large")


def test_the_query_does_not_touch_an_event_in_the_body(post: Any) -> None:
    assert [line["event"] for line in post.lines('{"event_type":"x"}', query=POST_VIEW)] == [{"event_type": "x"}]


def test_the_sender_of_an_event_with_its_own_id_can_find_it_again(post: Any) -> None:
    intake = post(b"", query="page=/&event_id=mine")
    assert json.loads(intake.reply.body)["events"] == [{"event_id": "mine", "status": "accepted"}]
