"""What the collector answers to GET: the tracker's file, and a pixel that counts a view."""

from __future__ import annotations

import gzip
from collections.abc import Mapping

import msgspec
import pytest

from penstock.collect import Intake, Request
from penstock.collect.app import Collector
from penstock.collect.keys import Source
from penstock.collect.static import PIXEL
from penstock.collect.tracker import script

FIXED = f"analytics.{script().digest}.js"


def get(
    path: str, query: str = "", headers: Mapping[str, str] | None = None, *, sources: tuple[Source, ...] = ()
) -> Intake:
    collector = Collector(sources, prefix="/stats")
    return collector.receive(Request("GET", path, query, headers or {}, b""))


@pytest.mark.parametrize(
    ("path", "caching"),
    [
        ("/analytics.js", "public, max-age=3600"),
        ("/stats/analytics.js", "public, max-age=3600"),
        (f"/{FIXED}", "public, max-age=31536000, immutable"),
        (f"/stats/{FIXED}", "public, max-age=31536000, immutable"),
    ],
)
def test_tracker_is_served(path: str, caching: str) -> None:
    reply = get(path).reply
    headers = dict(reply.headers)
    assert (reply.status, reply.body) == (200, script().body)
    assert headers["cache-control"] == caching
    assert headers["content-type"] == "text/javascript; charset=utf-8"
    assert headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in headers


@pytest.mark.parametrize("path", ["/a/analytics.js", "/analytics.0000000000000000.js", "/v1/analytics.js", "/stats"])
def test_other_files_are_not_found(path: str) -> None:
    assert get(path).reply.status == 404


def test_unchanged_tracker_is_not_sent_again() -> None:
    etag = dict(get("/analytics.js").reply.headers)["etag"]
    assert get("/analytics.js", headers={"if-none-match": f'"other", {etag}'}).reply[::2] == (304, b"")
    assert get("/analytics.js", headers={"if-none-match": '"other"'}).reply.status == 200


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("br, gzip;q=0.8", True),
        ("deflate, GZIP", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
        ("identity", False),
        ("", False),
    ],
)
def test_tracker_is_compressed_for_who_takes_it(accepted: str, packed: bool) -> None:
    reply = get("/analytics.js", headers={"accept-encoding": accepted}).reply
    assert (("content-encoding", "gzip") in reply.headers) == packed
    assert (gzip.decompress(reply.body) if packed else reply.body) == script().body
    assert ("vary", "accept-encoding") in reply.headers


@pytest.mark.parametrize("path", ["/v1/pixel.gif", "/stats/pixel.gif"])
def test_pixel_counts_a_view(path: str) -> None:
    intake = get(path, "page=/post&utm_source=feed", {"user-agent": "Reader"})
    line = msgspec.json.decode(intake.records[0].data)
    assert intake.reply.body == PIXEL
    assert dict(intake.reply.headers)["content-type"] == "image/gif"
    assert dict(intake.reply.headers)["cache-control"] == "no-store"
    assert line["dialect"] == "beacon"
    assert line["user_agent"] == "Reader"
    assert line["event"] == {"page": "/post", "utm_source": "feed", "event_type": "page_view"}


@pytest.mark.parametrize("headers", [{"sec-gpc": "1"}, {"dnt": "1"}, {"sec-purpose": "prefetch;prerender"}])
def test_pixel_does_not_count_who_does_not_want_it(headers: dict[str, str]) -> None:
    intake = get("/v1/pixel.gif", "page=/post", headers)
    assert intake.records == []
    assert intake.reply.body == PIXEL


@pytest.mark.parametrize(("dnt", "counted"), [("0", 1), ("1", 0)])
def test_pixel_reads_the_signal_itself(dnt: str, counted: int) -> None:
    assert len(get("/v1/pixel.gif", "page=/post", {"dnt": dnt}).records) == counted


def test_pixel_without_a_page_is_refused() -> None:
    intake = get("/v1/pixel.gif", "")
    assert intake.reply.status == 400
    assert intake.records == []


@pytest.mark.parametrize(
    ("query", "referer", "status"),
    [
        ("page=/&writeKey=key-of-site", "https://site.test/post", 200),
        ("page=/&writeKey=key-of-site", "https://other.test/", 403),
        ("page=/&writeKey=key-of-site", "", 403),
        ("page=/", "https://site.test/", 401),
    ],
)
def test_pixel_of_a_source_with_origins(query: str, referer: str, status: int) -> None:
    source = Source("site", "key-of-site", origins=("https://site.test",))
    intake = get("/v1/pixel.gif", query, {"referer": referer} if referer else {}, sources=(source,))
    assert intake.reply.status == status
    assert len(intake.records) == (status == 200)


@pytest.mark.parametrize("path", ["/e", "/stats/e", "/v1/events"])
def test_tracker_posts_to_its_sibling(path: str) -> None:
    request = Request("POST", path, "", {}, b'[{"event_type":"page_view","session_id":"s"}]')
    intake = Collector(prefix="/stats").receive(request)
    assert intake.reply.status == 200
    assert len(intake.records) == 1


def test_bare_beacon_counts_a_view() -> None:
    request = Request("POST", "/v1/events", "page=/post&time=2026-03-13T12:34:56Z", {}, b"")
    assert b'"page":"/post"' in Collector().receive(request).records[0].data
