"""`send`: to a collector, and straight into a stream."""

from __future__ import annotations

import gzip
import http.server
import json
import threading
from collections.abc import Iterator

import pytest

import aws_in_hand
import penstock
from penstock.hosts.collector import RunningCollector
from penstock.hosts.supervisor import free_port
from penstock.stream import kinesis

from .conftest import Cli

EVENT = {"event_type": "order", "session_id": "s1", "event_id": "one"}


@pytest.fixture(scope="module")
def collector() -> Iterator[RunningCollector]:
    sources = [{"name": "shop", "write_key": "key-of-the-shop"}]
    with penstock.collector(sources=sources, collect={"processes": 1}) as running:
        yield running


def test_send_posts_and_shows_the_answer(cli: Cli, collector: RunningCollector) -> None:
    answer = json.loads(cli.out("send", json.dumps([EVENT, 5]), "--url", collector.url, "--key", "key-of-the-shop"))
    assert (answer["accepted"], answer["quarantined"]) == (1, 1)
    assert answer["events"][0] == {"event_id": "one", "status": "accepted"}
    assert answer["events"][1]["reason"] == "not_an_object"


def test_send_reads_standard_input(cli: Cli, collector: RunningCollector) -> None:
    result = cli("send", "-", "--url", collector.url, "--key", "key-of-the-shop", input=json.dumps(EVENT))
    assert json.loads(result.stdout)["accepted"] == 1


def test_send_takes_an_address_without_scheme(cli: Cli, collector: RunningCollector) -> None:
    url = collector.url.removeprefix("http://")
    assert '"accepted":1' in cli.out("send", json.dumps(EVENT), "--url", url, "--key", "key-of-the-shop")


@pytest.mark.parametrize(
    ("body", "key", "words"),
    [
        ("{", "key-of-the-shop", "400: malformed_json"),
        (json.dumps(EVENT), "another-key", "401: write_key_unknown"),
    ],
)
def test_send_tells_a_refusal(cli: Cli, collector: RunningCollector, body: str, key: str, words: str) -> None:
    result = cli("send", body, "--url", collector.url, "--key", key)
    assert result.exit_code == 1
    assert words in result.stderr


def test_send_without_a_collector_says_how_to_start_one(cli: Cli) -> None:
    result = cli("send", "{}", "--url", f"http://127.0.0.1:{free_port()}")
    assert result.exit_code == 1
    assert "no collector answers" in result.stderr
    assert "penstock up" in result.stderr


class _Stranger(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_error(500, "something else lives here")

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_send_to_somebody_else_shows_what_it_said(cli: Cli) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), _Stranger) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        result = cli("send", "{}", "--url", f"127.0.0.1:{server.server_port}")
    assert result.exit_code == 1
    assert "answered 500: " in result.stderr


# into a stream


def in_stream(cli: Cli) -> list[dict[str, str]]:
    """What waits in the one that `sqlite` below names, as it is delivered."""
    cli.out("deliver", "--once")
    cli.out("refine", "--once")
    return cli.json("sql", "select event_id, source from events order by event_id")


def test_send_into_a_stream_stamps_as_the_collector_does(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = {"name": "shop", "write_key": "key-of-the-shop"}
    monkeypatch.setenv("PENSTOCK_SOURCES", json.dumps([shop]))
    url = f"sqlite://{cli.data}/stream"
    assert cli.out("send", json.dumps(EVENT), "--stream", url, "--key", "key-of-the-shop") == "1 events sent\n"
    assert in_stream(cli) == [{"event_id": "one", "source": "shop"}]
    result = cli("send", json.dumps(EVENT), "--stream", url, "--key", "another")
    assert (result.exit_code, result.stdout) == (1, "0 events sent\n")
    assert "1 refused: write_key_unknown" in result.stderr


def test_a_file_goes_into_a_stream_line_by_line_however_long(cli: Cli) -> None:
    lines = [json.dumps({**EVENT, "event_id": f"event {n}"}) for n in range(1234)]
    lines[700] = '{"event_type": "torn'
    path = cli.folder / "many.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    result = cli("send", f"@{path}", "--stream", f"sqlite://{cli.data}/stream")
    assert (result.exit_code, result.stdout) == (1, "1233 events sent\n")
    assert "1 refused: malformed_json" in result.stderr
    assert len(in_stream(cli)) == 1233


def test_what_is_no_event_is_told(cli: Cli) -> None:
    answer = cli.out("send", json.dumps([EVENT, 5]), "--stream", f"sqlite://{cli.data}/stream")
    assert answer == "2 events sent, 1 of them to quarantine\n"


def test_send_into_kinesis(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with aws_in_hand.aws(monkeypatch):
        url = aws_in_hand.new_stream(shards=2)
        cli.out("send", json.dumps([EVENT, {**EVENT, "event_id": "two"}]), "--stream", url)
        stream = kinesis.open(url, positions=f"file://{cli.folder}/positions")
        batch = stream.poll("c", 1 << 20)
        stream.close()
    assert batch is not None
    assert [json.loads(line)["event"]["event_id"] for line in batch.data.splitlines()] == ["one", "two"]


def test_not_both(cli: Cli) -> None:
    result = cli("send", "{}", "--stream", "kinesis://a", "--url", "127.0.0.1")
    assert result.exit_code == 2
