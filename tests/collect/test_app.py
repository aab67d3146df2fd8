"""Request → reply: routes, methods, the order of refusals, and what is answered when the stream fails."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.collect import REFUSALS, Request
from penstock.collect.app import refusal, unavailable
from penstock.errors import Refused

EVENT = '{"event_type":"x","event_id":"e1"}'


def test_an_event_is_acknowledged_with_its_id(post: Any) -> None:
    intake = post(EVENT)
    assert intake.reply.status == 200
    assert ("content-type", "application/json") in intake.reply.headers
    assert json.loads(intake.reply.body) == {
        "accepted": 1,
        "quarantined": 0,
        "events": [{"event_id": "e1", "status": "accepted"}],
    }


def test_the_server_stamps_when_whence_and_with_what(post: Any) -> None:
    assert post.lines(EVENT, user_agent="Agent/1.0") == [
        {
            "penstock": 1,
            "dialect": "events",
            "source": "default",
            "received_at": "2026-02-01T12:00:00.000Z",
            "user_agent": "Agent/1.0",
            "event": {"event_type": "x", "event_id": "e1"},
        }
    ]


def test_a_sender_cannot_set_what_the_server_stamps(post: Any) -> None:
    (line,) = post.lines('{"received_at":"1999-01-01T00:00:00Z","source":"other","dialect":"other"}')
    assert (line["received_at"], line["source"], line["dialect"]) == ("2026-02-01T12:00:00.000Z", "default", "events")


@pytest.mark.parametrize(
    "header",
    ["x_forwarded_for", "x_real_ip", "forwarded", "cf_connecting_ip", "true_client_ip", "via", "referer", "cookie"],
)
def test_of_the_headers_only_the_user_agent_is_kept(post: Any, header: str) -> None:
    record = post(EVENT, **{header: "203.0.113.9"}).records[0]
    assert b"203.0.113.9" not in record.data


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/", "/v1/events//"])
def test_a_trailing_slash_changes_nothing(post: Any, path: str) -> None:
    assert post(EVENT, path).reply.status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "post", "BREW", ""])
def test_only_post_sends(post: Any, method: str) -> None:
    intake = post(EVENT, method=method)
    assert (intake.reply.status, intake.records) == (405, [])
    assert ("allow", "OPTIONS, POST") in intake.reply.headers


@pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS"])
def test_an_unknown_path_is_not_found_by_any_method(post: Any, method: str) -> None:
    assert post.error(EVENT, "/v2/events", method=method) == (404, "not_found")


def test_nothing_to_store_is_still_a_200(post: Any) -> None:
    intake = post("[]")
    assert (intake.reply.status, intake.records) == (200, [])
    assert json.loads(intake.reply.body) == {"accepted": 0, "quarantined": 0, "events": []}


def test_a_bad_event_is_told_at_its_place(post: Any) -> None:
    fates = json.loads(post('[{"event_id":"a"},5,{"event_id":"b"}]').reply.body)["events"]
    assert [fate["status"] for fate in fates] == ["accepted", "quarantined", "accepted"]
    assert [fates[0]["event_id"], fates[2]["event_id"]] == ["a", "b"]
    assert fates[1]["reason"] == "not_an_object"


def test_not_stored_is_503_with_a_time_to_come_again() -> None:
    request = Request("POST", "/v1/events", "", {"origin": "https://shop.example"}, b"{}")
    reply = unavailable(request)
    headers = dict(reply.headers)
    assert (reply.status, json.loads(reply.body)["error"]) == (503, "unavailable")
    assert int(headers["retry-after"]) > 0
    assert headers["access-control-allow-origin"] == "https://shop.example"
    assert headers["access-control-expose-headers"] == "retry-after"
    assert b"secret" not in reply.body


@pytest.mark.parametrize(("code", "status"), REFUSALS.items())
def test_a_refusal_says_its_code(code: str, status: int) -> None:
    reply = refusal(Request("POST", "/v1/events", "", {}, b""), Refused(status, code, "why"))
    assert (reply.status, json.loads(reply.body)) == (status, {"error": code, "detail": "why"})


def test_no_refusal_is_one_that_loses_events_with_an_sdk_that_would_try_again() -> None:
    """2xx means stored; 5xx is for our own trouble only; 429 is dropped by two SDKs."""
    assert all(400 <= status < 500 and status != 429 for status in REFUSALS.values())
