"""The page of events says what reports say: every type, what one says and where, what was rejected, who came."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

import penstock
from penstock.dashboard.charts.formats import show
from penstock.dashboard.pages.session import session_link
from penstock.reports.catalog import reports
from penstock.settings import Settings
from site_in_hand import HOSTILE, NOW, Seen

WEEK = {"since": "2026-11-14", "until": "2026-11-20"}


def page(client: TestClient, address: str) -> Seen:
    """Once nothing of it is late."""
    while True:
        answer = client.get(address)
        assert answer.status_code == 200, answer.text
        seen = Seen(answer.text)
        if not [main for main in seen.all("main") if "data-late" in main]:
            return seen


def rows(settings: Settings, report: str, **asked: object) -> list[dict]:  # type: ignore[type-arg]
    with penstock.open(settings.data) as lake:
        lake.pipeline.clock = lambda: NOW
        return lake.report(report, **{**WEEK, **asked}).rows()


def after(seen: Seen, name: str, count: int) -> list[str]:
    at = seen.texts.index(name, seen.texts.index("Event types"))
    return [text for text in seen.texts[at + 1 :] if text != "≠"][:count]


@pytest.mark.parametrize("query", ["period=7d", "period=7d&device=mobile", "period=7d&event=page_view&compare=none"])
def test_the_list_says_what_the_report_says(client: TestClient, settings: Settings, query: str) -> None:
    seen = page(client, f"/events?{query}")
    where = ["device=mobile"] if "mobile" in query else []
    expected = rows(settings, "event_types", where=where)
    assert len(expected) > 5
    for row in expected:
        events, share, sessions, first, last = after(seen, row["event_type"], 5)
        assert (events, sessions) == (show(row["events"]), show(row["sessions"]))
        assert first == f"{row['first_seen']:%d %b %H:%M}"
        assert last == f"{row['last_seen']:%d %b %H:%M}"
        assert share.endswith("%")


def test_a_click_on_an_event_shows_what_it_says_and_another_leaves_it(client: TestClient, settings: Settings) -> None:
    seen = page(client, "/events?period=7d")
    assert "/events?period=7d&event=cta_click" in seen.links
    seen = page(client, "/events?period=7d&event=cta_click")
    assert "/events?period=7d" in seen.links
    for row in rows(settings, "properties", event="cta_click"):
        assert {row["property"], row["value"], show(row["events"])} <= {*seen.texts}
        assert any(f"properties.{row['property']}=" in link for link in seen.links)
    [most, *_] = rows(settings, "events", event="cta_click", by="page_path", whole=True)
    assert most["page_path"] in seen.texts


@pytest.mark.parametrize("by", ["utm_source", "device", "browser", "country", "language"])
def test_breakdowns(client: TestClient, by: str) -> None:
    seen = page(client, f"/events?period=7d&event=page_view&by={by}")
    assert [link["href"] for link in seen.all("a") if link.get("aria-current") == "true" and f"by={by}" in link["href"]]


def test_sessions_lead_to_their_page(client: TestClient, settings: Settings) -> None:
    for query, where in (("", []), ("&event=cta_click", ["event_type=cta_click"])):
        seen = page(client, f"/events?period=7d{query}")
        newest = rows(settings, "sessions", limit=12, where=where)
        expected = [session_link(row["session_id"], row["start_ts"]) for row in newest]
        assert [link for link in seen.links if link.startswith("/session?")] == expected


def test_what_was_rejected_is_told(client: TestClient, settings: Settings) -> None:
    with penstock.open(settings.data) as lake:
        found = dict(lake.sql("select reason, count(*) from quarantine group by 1").fetchall())
    seen = page(client, "/events?period=28d")
    assert {f"/status?reason={reason}" for reason in found} <= {*seen.links}
    assert not [link for link in page(client, "/events?event=purchase").links if "reason=" in link]


def test_nothing_is_an_answer(client: TestClient) -> None:
    for query in ("event=never", "utm_source=never", "period=custom&from=2020-01-01&to=2020-01-02"):
        seen = page(client, f"/events?{query}")
        assert [text for text in seen.texts if text.startswith(("Nothing", "It has no properties"))]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_text(client: TestClient, value: str) -> None:
    answer = client.get("/events", params={"event": value, "by": value, "period": "today"})
    assert answer.status_code == 200
    harmless(Seen(answer.text))


def test_hostile_properties_are_text(client: TestClient) -> None:
    seen = page(client, "/events?event=page_view&period=today")
    harmless(seen)
    details = page(client, "/details/events/properties?event=page_view&period=today")
    assert {text.strip() for text in HOSTILE} <= {*details.texts}


def harmless(seen: Seen) -> None:
    assert not seen.all("img")
    assert all(attributes.get("src") for attributes in seen.all("script"))
    assert not [name for _, attributes in seen.elements for name in attributes if name.startswith("on")]
    assert not [attributes for _, attributes in seen.elements if "style" in attributes]
    assert all(link.startswith(("/", "#")) or not link for link in seen.links)


# one session


def test_a_session_is_told_event_after_event(client: TestClient, settings: Settings) -> None:
    [visit] = rows(settings, "sessions", limit=1, where=["event_type=cta_click"])
    expected = rows(settings, "session", id=visit["session_id"])
    for link in (session_link(visit["session_id"], visit["start_ts"]), session_link(visit["session_id"])):
        seen = page(client, link)
        at = seen.texts.index("One event after the other")
        told = [text for text in seen.texts[at:] if text in {row["event_type"] for row in expected}]
        assert told == [row["event_type"] for row in expected]
        assert [time["datetime"] for time in seen.all("time") if "title" in time] == [
            row["at"].isoformat() for row in expected
        ]
        harmless(seen)


def test_of_whom_it_says_nothing(client: TestClient, settings: Settings) -> None:
    with penstock.open(settings.data) as lake:
        [(session, person)] = lake.sql(
            "select session_id, user_id from events where user_id is not null and session_id is not null limit 1"
        ).fetchall()
    assert person not in client.get(session_link(session)).text
    assert not {"user_id", "anonymous_id"} & set(reports()["session"].columns)


def test_a_session_that_is_not_there(client: TestClient) -> None:
    seen = page(client, session_link("nobody", datetime(2026, 11, 20, tzinfo=UTC)))
    assert "/session?id=nobody" in seen.links
    assert "Look at all times" in seen.texts
    assert "Look at all times" not in page(client, session_link("nobody")).texts


@pytest.mark.parametrize("day", ["", "x", "0001-01-01", "9999-12-31", "2026-11-20T10:00", "2026-13-01"])
def test_any_day_may_be_said(client: TestClient, day: str) -> None:
    assert client.get("/session", params={"id": "h0", "day": day}).status_code == 200


@pytest.mark.parametrize("value", [*HOSTILE, "", "\0", "x" * 2000, "ü"])
def test_any_id_may_be_said(client: TestClient, value: str) -> None:
    answer = client.get("/session", params={"id": value})
    assert answer.status_code == 200
    harmless(Seen(answer.text))


@pytest.mark.parametrize("nth", range(len(HOSTILE)))
def test_a_hostile_session_is_text(client: TestClient, nth: int) -> None:
    seen = page(client, session_link(f"h{nth}"))
    assert {f"/{HOSTILE[nth]}".strip(), HOSTILE[nth].strip()} <= {*seen.texts}
    harmless(seen)
