"""`quarantine list`, `show` and `replay`, from a line that is no event to the number on the dashboard."""

from __future__ import annotations

import re

import pytest

from penstock.worker_lock import only_worker

from .conftest import Cli

ODD = {"kind_of": "purchase", "event_id": "1", "price": 5, "event_ts": "2026-02-01T12:00:00Z"}
LINES = (
    ODD,
    "not JSON \x1b[31mred",
    {"event_type": "purchase", "event_id": "2", "event_ts": "yesterday"},
    {**ODD, "event_id": "3"},
)


@pytest.fixture
def shop(cli: Cli) -> Cli:
    cli.out("load", cli.file(LINES))
    cli.out("refine", "--once")
    return cli


def mend(cli: Cli) -> None:
    (cli.folder / "penstock.toml").write_text('[aliases]\nevent_type = ["kind_of"]\n')


def golden(text: str) -> list[str]:
    """Without what is another each time: the minute of arrival, the hash in a loaded file's name."""
    text = re.sub(r"year=\S+/load-[0-9a-f]{16}-", "…/", text)
    text = re.sub(r"20\d\d-\d\d-\d\dT\d\d:\d\d(:00\.000)?Z", "AT", text)
    return [re.sub(r" {2,}", "  ", line) for line in text.splitlines()]


def test_list_groups_by_reason(shop: Cli) -> None:
    assert golden(shop.out("quarantine", "list")) == [
        "reason  events  first_seen  last_seen  example  sample  meaning  remedy",
        "bad_event_name  2  AT  AT  event_type is missing  …/events.jsonl:1"
        "  event_type is missing, not a text, or over 200 bytes"
        "  if another field has it, say so in the settings, then `penstock quarantine replay`",
        "bad_timestamp  1  AT  AT  event_ts yesterday  …/events.jsonl:3"
        "  the time cannot be read, or lies before 1970  only the sender can mend it, and send it again",
        "malformed_json  1  AT  AT  …/events.jsonl:2  the line is not JSON"
        "  only the sender can mend it, and send it again",
    ]


@pytest.mark.parametrize(
    ("by", "columns"), [("reason", ["reason"]), ("source", ["source", "reason"]), ("file", ["bronze_file", "reason"])]
)
def test_list_by(shop: Cli, by: str, columns: list[str]) -> None:
    found = shop.json("quarantine", "list", "--by", by)
    assert list(found[0])[: len(columns) + 1] == [*columns, "events"]
    assert [(row["reason"], row["events"]) for row in found] == [
        ("bad_event_name", 2), ("bad_timestamp", 1), ("malformed_json", 1)
    ]  # fmt: skip


def test_list_of_late(shop: Cli) -> None:
    old = (
        '{"penstock":1,"dialect":"events","source":"default","received_at":"2026-02-01T00:00:00.000Z",'
        '"user_agent":null,"event":{"event_type":""}}'
    )
    shop.out("load", shop.file([old], "old.jsonl"))
    shop.out("refine", "--once")
    assert sum(row["events"] for row in shop.json("quarantine", "list")) == 5
    assert sum(row["events"] for row in shop.json("quarantine", "list", "--last", "24h")) == 4


def test_show_a_reason(shop: Cli) -> None:
    result = shop("quarantine", "show", "malformed_json")
    assert golden(result.stdout) == [
        "line  reason  detail  source  received_at  raw",
        r"…/events.jsonl:2  malformed_json  default  AT  not JSON \x1b[31mred",
    ]
    assert result.stderr.splitlines() == [
        "malformed_json: the line is not JSON; only the sender can mend it, and send it again"
    ]


def test_show_a_line_that_the_list_named(shop: Cli) -> None:
    sample = shop.json("quarantine", "list")[1]["sample"]
    [row] = shop.json("quarantine", "show", sample)
    assert (row["line"], row["reason"], row["detail"]) == (sample, "bad_timestamp", "event_ts yesterday")
    assert row["raw"] == '{"event_type": "purchase", "event_id": "2", "event_ts": "yesterday"}'


def test_show_has_a_limit_and_cuts_what_is_long(cli: Cli) -> None:
    cli.out("load", cli.file([f"x{n}" + "y" * 5000 for n in range(20)]))
    cli.out("refine", "--once")
    found = cli.json("quarantine", "show", "malformed_json")
    assert len(found) == 10
    assert {len(row["raw"]) for row in found} == {301}
    assert len(cli.json("quarantine", "show", "malformed_json", "--limit", "15")) == 15


def test_show_raw_gives_the_very_bytes_from_bronze(cli: Cli) -> None:
    lines = [b"no \xff\x1b[1m JSON", b"x" * (3 << 20)]
    (cli.folder / "a.jsonl").write_bytes(b"\n".join(lines))
    cli.out("load", "a.jsonl")
    cli.out("refine", "--once")
    assert cli("quarantine", "show", "bad_encoding", "--raw").stdout_bytes == lines[0] + b"\n"


def test_show_raw_of_a_file_is_the_file(cli: Cli) -> None:
    damaged = b"\x1f\x8b damaged"
    (cli.folder / "a.jsonl.gz").write_bytes(damaged)
    cli.out("load", "a.jsonl.gz")
    cli.out("refine", "--once")
    assert cli("quarantine", "show", "bad_gzip", "--raw").stdout_bytes == damaged + b"\n"
    told = cli("quarantine", "show", "bad_gzip").stderr
    assert "`penstock load` takes a mended copy" in told
    cli.out("load", cli.file([{"event_type": "a"}], "a.jsonl"))
    cli.out("refine", "--once")
    assert cli.json("sql", "select event_type from events") == [{"event_type": "a"}]


def test_show_of_what_is_gone_from_bronze_is_what_quarantine_kept(shop: Cli) -> None:
    for path in (shop.data / "bronze").rglob("load-*"):
        path.unlink()
    result = shop("quarantine", "show", "malformed_json", "--raw")
    assert result.stdout == "not JSON \x1b[31mred\n"
    assert "gone from bronze" in result.stderr


@pytest.mark.parametrize("command", [("show", "nothing_such"), ("replay", "--reason", "nothing_such")])
def test_an_unknown_reason_names_those_there_are(shop: Cli, command: tuple[str, ...]) -> None:
    result = shop("quarantine", *command)
    assert result.exit_code == 1
    assert "nothing is in quarantine for 'nothing_such'" in result.stderr
    assert "bad_event_name, bad_timestamp, malformed_json" in result.stderr


def test_an_alias_in_the_settings_brings_events_to_gold(shop: Cli) -> None:
    stays = "(1 bad_timestamp, 1 malformed_json)"
    assert shop.out("quarantine", "replay").startswith("4 tried: 0 stored, 0 duplicate, 4 still in quarantine (2 ")
    mend(shop)
    assert shop.out("quarantine", "replay", "--dry-run") == (
        f"4 tried: 2 would be stored, 0 would be duplicate, 2 still in quarantine {stays}\n"
    )
    assert shop.out("quarantine", "replay", "--reason", "bad_timestamp", "--reason", "malformed_json") == (
        f"2 tried: 0 stored, 0 duplicate, 2 still in quarantine {stays}\n"
    )
    assert shop.json("sql", "select count(*) as n from events") == [{"n": 0}]
    assert shop.out("quarantine", "replay") == f"4 tried: 2 stored, 0 duplicate, 2 still in quarantine {stays}\n"
    assert shop.out("quarantine", "replay") == f"2 tried: 0 stored, 0 duplicate, 2 still in quarantine {stays}\n"
    assert shop.json("sql", "select sum(revenue)::varchar as revenue from events") == [{"revenue": "10.00"}]
    assert shop.out("counts", "purchase", "--last", "2000d", "--by", "day").splitlines()[-1] == "total 2"
    assert [row["reason"] for row in shop.json("quarantine", "list")] == ["bad_timestamp", "malformed_json"]
    assert shop.out("verify").splitlines()[-1] == (
        "balanced: 4 received = 2 stored + 0 duplicate + 2 quarantined + 0 in flight"
    )


def test_replay_beside_a_worker(shop: Cli) -> None:
    mend(shop)
    with only_worker(shop.data):
        result = shop("quarantine", "replay")
    assert result.stdout.startswith("4 tried: 2 stored")
    assert "until it is restarted" in result.stderr
