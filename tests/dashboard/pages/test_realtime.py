"""The page of what happens now, as the server makes it: what the window says, filtered as asked, and only text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from penstock.dashboard.live.tail import Lag, Seen
from penstock.dashboard.live.window import Entry, Now, Ranked
from penstock.dashboard.pages.realtime import PAGE, context, fits
from penstock.dashboard.render import Renderer
from penstock.dashboard.state import Site, State
from site_in_hand import HOSTILE
from site_in_hand import Seen as Html

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
AT = NOON.timestamp()
SITE = Site({}, "Asia/Kathmandu", date(2026, 1, 1), NOON)
FEED = [
    Entry(1, AT, "page_view", "/a", "s1", "letter", "mobile", "DE"),
    Entry(2, AT + 1, "cta_click", "/b", "s/2&x"),
    Entry(3, AT + 2, "download", "/A/file"),
]


def told(feed: list[Entry] = FEED, seen: Seen | None = None, share: str = "", **given: str) -> dict[str, Any]:
    state = State("/realtime", SITE, given={name: (value,) for name, value in given.items()}, share=share)
    return dict(context(state, seen or Seen(Now(newest=3), reading=True), feed, "w"))


def test_the_newest_is_first_and_on_the_clock_of_the_site() -> None:
    lines = told()["feed"]
    assert [line.type for line in lines] == ["download", "cta_click", "page_view"]
    assert lines[0].clock == "17:45:02"
    assert lines[2].about == "letter · mobile · DE"
    assert lines[1].link == "/session?id=s/2%26x&day=2026-11-20"
    assert lines[0].link is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "cta_click"}, [2]), ({"text": "/A"}, [1, 3]), ({"text": "letter"}, [1]), ({"text": "s/2"}, [2]),
        ({"type": "cta_click", "text": "mobile"}, []), ({"type": "", "text": ""}, [1, 2, 3]),
    ],
)  # fmt: skip
def test_the_feed_is_filtered(given: dict[str, str], expected: list[int]) -> None:
    fitting = [entry.n for entry in FEED if fits(entry, given.get("type", ""), given.get("text", ""))]
    assert fitting == expected
    assert len(told(**given)["feed"]) == len(expected)


def test_the_stream_goes_on_where_the_page_ends() -> None:
    assert told()["stream"] == "/live?after=w-3"
    assert told([], Seen(Now(newest=9)))["stream"] == "/live?after=w-9"


def test_a_shared_page_leads_to_no_session() -> None:
    assert {line.link for line in told(share="/share/x")["feed"]} == {None}


def html(context: dict[str, Any]) -> Html:
    renderer = Renderer("Site", "UTC", (PAGE,))
    state = State("/realtime", SITE)
    return Html(renderer.html("realtime.html", page=PAGE, state=state, shown=None, seen=None, **context))


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_text(value: str) -> None:
    feed = [Entry(1, AT, value, value, value, value, value, value)]
    now = Now(1, (None,) * 28 + (0, 1), int(AT // 60), (Ranked(value, 1),), (Ranked(value, 1),), 1, 1, 1)
    seen = html(told(feed, Seen(now, Lag(1, AT), True), text=value, type=value))
    assert seen.texts.count(value) >= 4
    assert not seen.all("img")
    assert all(attributes.get("src") for attributes in seen.all("script"))
    assert not [name for _, attributes in seen.elements for name in attributes if name.startswith("on")]
    assert all(link.startswith(("/", "#")) for link in seen.links)


def test_without_a_stream_it_says_so() -> None:
    assert "The stream cannot be read" in " ".join(html(told(seen=Seen())).texts)
    assert "The stream cannot be read" not in " ".join(html(told()).texts)


def test_the_page_is_served_and_small(client: TestClient) -> None:
    answer = client.get("/realtime")
    assert answer.status_code == 200
    seen = Html(answer.text)
    assert {"Online now", "Events per minute", "No events yet. What the collector takes is here within a second."} <= {
        *seen.texts
    }
    assert [meta["content"] for meta in seen.all("meta") if meta.get("http-equiv") == "refresh"] == ["30"]
    assert [feed["aria-live"] for feed in seen.all("ol")] == ["off"]
    assert not [label for label in seen.texts if label == "+ Filter"]


def test_a_page_that_has_the_feed_already_need_not_get_it() -> None:
    assert told(feed=FEED, **{})["feed"]
    state = State("/realtime", SITE, given={"feed": ("no",)})
    assert context(state, Seen(), FEED, "w")["feed"] == []
