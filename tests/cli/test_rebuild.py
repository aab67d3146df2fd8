"""`rebuild` and `erase` at the command line."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from cli.conftest import Cli
from penstock.cli import erase as erasing
from penstock.collect import Request
from penstock.hosts.worker import work
from penstock.pipeline import Pipeline
from penstock.settings import Settings
from penstock.verify import verify
from penstock.worker_lock import only_worker

EVENTS = [
    {
        "event_id": f"e{n}",
        "event_type": "buy",
        "user_id": f"u{n % 3}",
        "tier": str(n),
        "event_ts": "2026-02-01T12:00:00Z",
    }
    for n in range(9)
]


@pytest.fixture
def filled(cli: Cli) -> Cli:
    cli.out("load", cli.file([*EVENTS, EVENTS[1], "not JSON"]), "--data", str(cli.data))
    cli.out("refine", "--once", "--data", str(cli.data))
    return cli


def test_a_rebuild_says_that_nothing_changed_and_can_be_undone(filled: Cli) -> None:
    data = ("--data", str(filled.data))
    assert filled.out("rebuild", *data) == (
        "9 events before, 9 now\nno difference: every row is the same, and so is quarantine\n"
    )
    assert filled.out("rebuild", "--undo", *data) == "the silver of before is shown again\n"
    assert filled.out("rebuild", "--forget", *data) == "1 deleted\n"
    assert filled("rebuild", "--undo", *data).exit_code == 1
    assert filled.out("verify", *data).endswith("9 stored + 1 duplicate + 1 quarantined + 0 in flight\n")


def test_new_settings_are_previewed_then_applied_to_history(filled: Cli) -> None:
    config = filled.folder / "penstock.toml"
    config.write_text('[[columns]]\nname = "tier"\ntype = "INTEGER"\n[aliases]\nsession_id = ["user_id"]\n')
    options = ("--data", str(filled.data), "--config", str(config))
    ask = ("sql", "select sum(tier) as tiers, count(session_id) as sessions from events", *options)
    told = "9 events have another tier\n"
    assert told in filled.out("rebuild", "--preview", *options)
    assert filled.json(*ask) == [{"tiers": None, "sessions": 0}]
    assert told in filled.out("rebuild", *options)
    assert filled.json(*ask) == [{"tiers": 36, "sessions": 9}]


def test_a_range_that_is_none_is_refused(filled: Cli) -> None:
    result = filled("rebuild", "--from", "1d", "--to", "2d", "--data", str(filled.data))
    assert result.exit_code == 1
    assert "--from has to be earlier than --to" in result.stderr


def test_erase_tells_what_it_did_and_leaves_a_receipt(filled: Cli) -> None:
    data = ("--data", str(filled.data))
    receipt = filled.folder / "receipt.json"
    said = filled.out("erase", "--user-id", "u1", "--receipt", str(receipt), *data)
    assert said.startswith("4 events erased: 3 stored, 1 duplicate, 0 quarantined\n")
    assert "u1" not in receipt.read_text()
    assert json.loads(receipt.read_text())["silver_files"] == 1
    assert filled.json("sql", "select distinct user_id from events order by 1", *data) == [
        {"user_id": "u0"},
        {"user_id": "u2"},
    ]
    assert filled.out("verify", *data).endswith("6 stored + 0 duplicate + 1 quarantined + 0 in flight\n")


@pytest.mark.parametrize("options", [(), ("--user-id", "a", "--session-id", "b")])
def test_erase_wants_to_know_whom(filled: Cli, options: tuple[str, ...]) -> None:
    result = filled("erase", *options, "--data", str(filled.data))
    assert result.exit_code == 1
    assert "one of --user-id, --anonymous-id, --session-id" in result.stderr


def test_a_running_worker_erases_what_a_command_asks_for(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "_WAIT_SECONDS", 60)
    stop = threading.Event()

    def run() -> None:
        way = Pipeline(Settings(data=filled.data))
        with only_worker(filled.data):
            started.set()
            work(way, stop)
        way.close()

    started = threading.Event()
    worker = threading.Thread(target=run)
    worker.start()
    try:
        assert started.wait(30)
        said = filled.out("erase", "--user-id", "u1", "--data", str(filled.data))
    finally:
        stop.set()
        worker.join()
    assert "4 events erased: 3 stored, 1 duplicate, 0 quarantined\n" in said
    left = [path for path in (filled.data / "asked").rglob("*") if path.is_file()]
    assert left == [], "no request, which names the person, stays behind"


def test_events_that_were_erased_do_not_come_again_by_a_replay(tmp_path: Path) -> None:
    way = Pipeline(Settings(data=tmp_path / "data"))
    try:
        for user in ("u1", "u2"):
            body = json.dumps({"event_type": "thing", "user_id": user}).encode()
            way.stream.append(way.collector.receive(Request("POST", "/v1/events", "", {}, body)).records)
        assert way.erase("user_id", "u1").stored == 1
        assert way.replay(way.clock() - timedelta(days=1)) == 0
        way.drain()
        assert verify(way).problems == []
        assert verify(way).ledger.total("stored") == 1
    finally:
        way.close()
