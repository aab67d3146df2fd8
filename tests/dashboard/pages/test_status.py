"""Status says how every stage is and what became of every event; it asks the worker, and changes nothing itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from penstock.alerts import history
from penstock.alerts import state as alerts
from penstock.alerts.notice import Notice
from penstock.collect import Request
from penstock.dashboard.facts import sample
from penstock.hosts.supervisor import free_port
from penstock.pipeline import Pipeline
from penstock.requests import Requests
from penstock.settings import Settings, load
from penstock.worker_lock import only_worker
from site_in_hand import HERE, NOW, SCRIPT, Seen, visit
from support import LakeInHand

NASTY = b"<img src=x onerror=alert(1)>\x00\xff\x1b[31m\xe2\x80\xae\"'></pre><script>alert(2)</script>"
AGAIN = '{"name": "purchase", "session_id": "s", "price": 5}'
ALERT = {"name": "Sales", "report": "revenue", "column": "revenue", "when": "below", "value": 5}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Nobody listens at the collector's port."""
    return load(data=tmp_path / "data", collect={"port": free_port()}, alerts=[ALERT])


@pytest.fixture
def dirty(settings: Settings) -> Settings:
    hand = LakeInHand(settings.data)
    hand.put([{"event_type": "page_view", "event_id": str(nth)} for nth in range(5)], NOW - timedelta(hours=2))
    hand.put([NASTY, AGAIN, AGAIN.replace("5", "7"), {"event_type": "page_view", "event_id": "1"}], NOW)
    hand.put_bytes("year=2026/month=11/day=20/hour=17/minute=00/load-ab-x.gz", b"\x1f\x8b damaged")
    way = Pipeline(settings, clock=lambda: NOW)
    way.drain()
    way.close()
    return settings


def look(client: TestClient, address: str = "/status") -> Seen:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return Seen(answer.text)


def text(seen: Seen) -> str:
    return " ".join(seen.texts)


def stages(seen: Seen) -> list[str]:
    """The colour of each light, from left to right."""
    return [each["class"].split()[1] for each in seen.all("div") if each.get("class", "").startswith("stage ")]


def test_numbers_of_every_stage(dirty: Settings) -> None:
    with only_worker(dirty.data), visit(dirty) as client:
        seen = look(client)
    said = text(seen)
    assert "5 events" in said
    assert "4 in quarantine" in said
    assert "10 received = 5 stored + 1 duplicate + 4 quarantined + 0 in flight" in said
    assert "✓ balanced" in said
    assert "0.8 / min" in said, "four lines in five minutes"
    assert [row for row in seen.texts if row.startswith("2026-11-20 ") and row.endswith(":00")] == [
        f"2026-11-20 {h}:00" for h in (18, 17, 16)
    ]
    assert {"events", "quarantine", "ledger", "sessions", "duckdb", "deltalake"} <= set(seen.texts)


def test_lights(dirty: Settings) -> None:
    with visit(dirty) as client:
        assert stages(look(client)) == ["bad", "good", "bad", "bad", "bad", "warn"]
        with only_worker(dirty.data):
            assert stages(look(client)) == ["bad", "good", "good", "good", "good", "good"]
    send(dirty)
    for later, light in ((0, "good"), (3, "warn"), (16, "bad")):
        with only_worker(dirty.data), visit(dirty, timedelta(minutes=later)) as client:
            seen = look(client)
            assert stages(seen)[2] == light
            assert ("Events have been waiting in stream" in text(seen)) == (light != "good")


def send(settings: Settings) -> None:
    way = Pipeline(settings, clock=lambda: NOW)
    request = Request("POST", "/v1/events", "", {}, b'{"event_type":"late"}')
    way.stream.append(way.collector.receive(request).records)
    way.close()


def test_what_waits_is_in_flight(dirty: Settings) -> None:
    send(dirty)
    with only_worker(dirty.data), visit(dirty) as client:
        said = text(look(client))
    assert "11 received = 5 stored + 1 duplicate + 4 quarantined + 1 in flight" in said
    assert "1 record," in said


def test_a_ledger_that_is_not_balanced(dirty: Settings) -> None:
    way = Pipeline(dirty)
    gone = next(entry.key for entry in way.lake.bronze.list() if "/test-" in entry.key)
    way.lake.bronze.delete(gone)
    way.close()
    with only_worker(dirty.data), visit(dirty) as client:
        said = text(look(client))
    assert "✗ not balanced" in said
    assert f"not balanced: {gone} is in the ledger, but gone from bronze" in said
    assert "The ledger is not balanced." in said


def test_samples_are_text(dirty: Settings) -> None:
    with only_worker(dirty.data), visit(dirty) as client:
        seen = look(client)
    assert not seen.all("img")
    assert all(each.get("src") for each in seen.all("script"))
    assert not [name for _, attributes in seen.elements for name in attributes if name.startswith(("on", "style"))]
    assert sample(NASTY) in seen.texts
    assert not {"\x00", "\x1b", "\u202e"} & set(text(seen))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain", "plain"),
        (b"\x00\x1b[1m", "\\x00\\x1b[1m"),
        (b"\xff\xfe", "\\xff\\xfe"),
        ("\u202e\u2028\ud7ff".encode(), "\\u202e\\u2028\\ud7ff"),
        ("ünï 😀".encode(), "ünï 😀"),
        (b"x" * 5000, "x" * 300 + "…"),
        (b"", ""),
    ],
)
def test_sample(raw: bytes, shown: str) -> None:
    assert sample(raw) == shown


# judging again


def forms(seen: Seen) -> list[dict[str, str]]:
    return [form for form in seen.all("form") if form.get("action") == "/quarantine/replay"]


def test_without_a_worker_the_page_says_the_command(dirty: Settings) -> None:
    with visit(dirty) as client:
        seen = look(client)
        assert not forms(seen)
        assert f"penstock quarantine replay --data {dirty.data}" in seen.texts
        answer = client.post("/quarantine/replay", data={"reason": "bad_event_name"}, headers={"origin": HERE})
        assert answer.status_code == 409
        said = text(Seen(answer.text))
        assert f"penstock quarantine replay --reason bad_event_name --data {dirty.data}" in said
    assert not (dirty.data / "asked").exists()


def test_the_worker_is_asked_and_its_answer_shown(dirty: Settings) -> None:
    mended = dirty.model_copy(update={"aliases": {"event_type": ("name",)}})
    with only_worker(dirty.data), visit(dirty) as client:
        assert len(forms(look(client))) == 3, "all, and two reasons; a whole file has no line to judge"
        answer = client.post(
            "/quarantine/replay",
            data={"reason": "bad_event_name"},
            headers={"origin": HERE},
            follow_redirects=False,
        )
        assert answer.status_code == 303
        where = answer.headers["location"].partition("#")[0]
        assert "The worker is judging …" in look(client, where).texts
        worker = Pipeline(mended, clock=lambda: NOW)
        assert worker.jobs["replay"]() == 1
        assert not worker.jobs["replay"]()
        worker.close()
        for _ in range(2):
            seen = look(client, where)
            assert "2 judged again: 2 stored, 0 duplicates, 0 still in quarantine." in seen.texts
        assert "7 events" in text(seen)
        assert "✓ balanced" in seen.texts
        assert "Nobody knows this request any more." in look(client, "/status?replay=../../x").texts


@pytest.mark.parametrize(
    ("sent", "status"), [({"reason": "no_such"}, 400), ({"reason": "x" * 200_000}, 413), ({"reason": "../x"}, 400)]
)
def test_what_cannot_be_asked(dirty: Settings, sent: dict[str, str], status: int) -> None:
    with only_worker(dirty.data), visit(dirty) as client:
        assert client.post("/quarantine/replay", data=sent, headers={"origin": HERE}).status_code == status
        assert client.post("/quarantine/replay", headers={"origin": "http://evil.test"}).status_code == 403
        assert client.get("/quarantine/replay").status_code == 405
    assert not (dirty.data / "asked").exists()


def test_all_at_once(dirty: Settings) -> None:
    with only_worker(dirty.data), visit(dirty) as client:
        client.post("/quarantine/replay", data={"reason": ""}, headers={"origin": HERE})
    asked: list[Any] = []
    Requests(dirty.data).answer("replay", asked.append)
    assert asked == [{"reasons": ""}]


# alerts, drift, what cannot be told


def test_alerts(dirty: Settings) -> None:
    firing = alerts.State(NOW, NOW - timedelta(hours=1), NOW, "tracking", ["revenue is 3, below 5"])
    with visit(dirty) as client:
        assert "new" in look(client).texts
        alerts.save(dirty.data, {"Sales": firing, "gone": firing})
        said = text(look(client))
    assert "firing: tracking" in said
    assert "revenue is 3, below 5" in said
    assert "Alert Sales fires: tracking." in said
    assert "gone" not in said.split("Alerts")[1].split("Versions")[0]


def test_what_fired_lately(dirty: Settings) -> None:
    hour = timedelta(hours=1)
    fired = Notice("Sales", "firing", "tracking", [f"revenue is {SCRIPT}"], NOW - 3 * hour, NOW, NOW, NOW - 3 * hour)
    history.add(dirty.data, fired)
    history.add(dirty.data, Notice("Sales", "over", "tracking", [], NOW - 3 * hour, NOW, NOW, NOW - hour))
    with visit(dirty) as client:
        seen = look(client)
    at = seen.texts.index("What fired lately (UTC)")
    rows = ["2026-11-20 17:00", "Sales", "over, after 2 h", "2026-11-20 15:00", "Sales", "fired: tracking"]
    assert seen.texts[at + 4 : at + 10] == rows
    assert not seen.all("img")


def test_fields_without_a_column(dirty: Settings) -> None:
    with visit(dirty) as client:
        assert "name" not in look(client).texts
        seen = look(client, "/status?look=drift")
    assert seen.texts[seen.texts.index("name") :][:3] == ["name", "2", "string"]


def test_nothing_has_come_yet(settings: Settings) -> None:
    with only_worker(settings.data), visit(settings) as client:
        said = text(look(client))
    assert "Nothing has come yet." in said
    assert "Nothing is in quarantine." in said
    assert "0 received = 0 stored" in said


def test_each_part_that_cannot_be_told_leaves_the_others(dirty: Settings) -> None:
    log = min((dirty.data / "silver/quarantine/_delta_log").glob("*.json"))
    log.write_text('{"protocol": {"minReaderVersion": 99, "minWriterVersion": 99}}')
    with only_worker(dirty.data), visit(dirty) as client:
        seen = look(client)
    assert stages(seen) == ["bad", "good", "good", "bad", "good", "good"]
    assert "This could not be answered." in seen.texts
    assert "duckdb" in seen.texts
