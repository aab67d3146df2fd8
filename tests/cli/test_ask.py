"""`sql`, `counts`, `status`, `verify`, `quarantine list`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Cli

BY_TYPE = "select event_type, sum(revenue) as revenue, max(event_ts) as at from events group by all order by 1"


def test_sql_as_a_table_for_people(shop: Cli) -> None:
    assert shop.out("sql", BY_TYPE).splitlines() == [
        "event_type  revenue  at",
        "=1+1                 2026-02-01T13:30Z",
        "purchase    59.98    2026-02-01T12:00Z",
    ]


def test_sql_as_csv_is_safe_in_a_spreadsheet(shop: Cli) -> None:
    assert shop.out("sql", BY_TYPE, "--format", "csv").splitlines() == [
        "event_type,revenue,at",
        "'=1+1,,2026-02-01T13:30:00.000Z",
        "purchase,59.98,2026-02-01T12:00:00.000Z",
    ]


def test_sql_as_json_keeps_types(shop: Cli) -> None:
    assert shop.json("sql", BY_TYPE) == [
        {"event_type": "=1+1", "revenue": None, "at": "2026-02-01T13:30:00.000Z"},
        {"event_type": "purchase", "revenue": 59.98, "at": "2026-02-01T12:00:00.000Z"},
    ]


@pytest.mark.parametrize("table", ["events", "quarantine", "ledger", "event_counts"])
def test_every_table_can_be_asked(shop: Cli, table: str) -> None:
    assert len(shop.json("sql", f"from {table}")) >= 1


def test_bad_sql_is_told_in_words(shop: Cli) -> None:
    result = shop("sql", "selct 1")
    assert result.exit_code == 1
    assert "syntax error" in result.stderr
    assert result.stdout == ""


def test_sql_may_export(shop: Cli) -> None:
    shop.out("sql", "copy (select * from events) to 'export.parquet'")
    assert shop.json("sql", "select count(*) as n from 'export.parquet'") == [{"n": 2}]


COUNTS: list[tuple[list[str], list[tuple[str, int]]]] = [
    (["--by", "day"], [("2026-02-01", 1)]),
    (["--by", "hour"], [("2026-02-01T12:00:00.000Z", 1)]),
]


@pytest.mark.parametrize(("options", "expected"), COUNTS)
def test_counts_has_a_row_for_each_hour_or_day(shop: Cli, options: list[str], expected: list[tuple[str, int]]) -> None:
    grain = options[1]
    rows = shop.json("counts", "purchase", "--last", "2000d", *options)
    assert [(row[grain], row["events"]) for row in rows if row["events"]] == expected
    assert len(rows) > 1


def test_counts_of_an_unknown_event_names_those_there_are(shop: Cli) -> None:
    result = shop("counts", "purchsae", "--last", "2h")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "total 0"
    assert "there are =1+1, purchase" in result.stderr


def test_counts_of_a_known_event_that_did_not_happen_says_nothing_more(shop: Cli) -> None:
    assert shop("counts", "purchase", "--last", "1h").stderr == ""


def test_a_wrong_duration_shows_a_right_one(shop: Cli) -> None:
    result = shop("counts", "purchase", "--last", "3x")
    assert result.exit_code == 1
    assert "24h" in result.stderr


def test_counts_leaves_crawlers_out_and_says_so(cli: Cli) -> None:
    bot = {"event_type": "page_seen", "user_agent": "Googlebot/2.1", "event_ts": "2026-02-01T12:00:00Z"}
    cli.out("load", cli.file([bot]))
    cli.out("refine", "--once")
    cli.out("rollup", "--once")
    result = cli("counts", "page_seen", "--last", "2000d", "--by", "day")
    assert result.stdout.splitlines()[-1] == "total 0"
    assert "1 events of known crawlers are not counted" in result.stderr
    assert cli.out("counts", "page_seen", "--last", "2000d", "--by", "day", "--bots").splitlines()[-1] == "total 1"


def test_status_has_a_line_for_each_stage(shop: Cli) -> None:
    rows = {row["stage"]: row for row in shop.json("status")}
    assert list(rows) == ["stream", "bronze", "silver", "quarantine", "gold"]
    assert rows["bronze"]["waiting"] == "0 objects"
    assert rows["silver"]["holds"] == "2 events, batch 1"
    assert rows["quarantine"]["holds"] == "1 events"


def test_status_says_what_waits(shop: Cli) -> None:
    shop.out("load", shop.file([{"event_type": "later"}], "later.jsonl"))
    [bronze] = [row for row in shop.json("status") if row["stage"] == "bronze"]
    assert bronze["waiting"].startswith("1 objects since ")


def test_quarantine_list_says_why(shop: Cli) -> None:
    [row] = shop.json("quarantine", "list")
    assert (row["reason"], row["events"], row["meaning"]) == ("malformed_json", 1, "the line is not JSON")
    assert row["sample"].endswith("events.jsonl:4")


def test_verify_balances(shop: Cli) -> None:
    assert shop.out("verify").splitlines()[-1] == (
        "balanced: 4 received = 2 stored + 1 duplicate + 1 quarantined + 0 in flight"
    )
    [row] = shop.json("verify")
    assert [row[name] for name in ("received", "stored", "duplicate", "quarantined", "in_flight")] == [4, 2, 1, 1, 0]


def test_verify_counts_what_waits_as_in_flight(shop: Cli) -> None:
    shop.out("load", shop.file([{"event_type": "later"}], "later.jsonl"))
    assert shop.out("verify").splitlines()[-1].endswith("1 in flight")


def one(folder: Path, pattern: str) -> Path:
    return next(path for path in sorted(folder.rglob(pattern)) if "_delta_log" not in path.parts)


def more_lines(data: Path) -> None:
    with one(data / "bronze", "load-*").open("a") as file:
        file.write('{"event_type":"forged"}\n')


def less_bronze(data: Path) -> None:
    one(data / "bronze", "load-*").unlink()


def less_silver(data: Path) -> None:
    one(data / "silver" / "events", "*.parquet").unlink()


def shorter_silver(data: Path) -> None:
    path = one(data / "silver" / "events", "*.parquet")
    path.write_bytes(path.read_bytes()[:100])


def damaged_silver(data: Path) -> None:
    path = one(data / "silver" / "events", "*.parquet")
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + bytes(len(whole) - 8) + whole[-4:])


def less_quarantine(data: Path) -> None:
    one(data / "silver" / "quarantine", "*.parquet").unlink()


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        (more_lines, "has 5 events, the ledger says 4"),
        (less_bronze, "is in the ledger, but gone from bronze"),
        (less_silver, ".parquet is gone"),
        (shorter_silver, "has 100 bytes, it was committed with"),
        (damaged_silver, "silver cannot be read"),
        (less_quarantine, ".parquet is gone"),
    ],
)
def test_verify_finds_what_was_done_to_the_files(shop: Cli, tamper: Callable[[Path], None], sentence: str) -> None:
    tamper(shop.data)
    result = shop("verify")
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "balanced" not in result.stdout


def test_verify_shows_the_newest_hours_and_says_what_it_leaves_out(cli: Cli) -> None:
    with_hours = [
        f'{{"penstock":1,"dialect":"events","source":"default","received_at":"2026-02-{1 + hour // 24:02}'
        f'T{hour % 24:02}:00:00.000Z","user_agent":null,"event":{{"event_type":"a","event_id":"{hour}"}}}}'
        for hour in range(30)
    ]
    cli.out("load", cli.file(with_hours))
    cli.out("refine", "--once")
    result = cli("verify")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1 + 24 + 1)
    assert "6 earlier rows that balance are not shown" in result.stderr
    assert len(cli.json("verify")) == 30


@pytest.mark.parametrize(
    "command", [["sql", "select 1"], ["counts", "a"], ["status"], ["verify"], ["quarantine", "list"]]
)
def test_a_question_about_nothing_makes_no_folder(cli: Cli, command: list[str]) -> None:
    result = cli(*command, "--data", "typo")
    assert result.exit_code == 2
    assert "there is no folder typo" in result.stderr
    assert not (cli.folder / "typo").exists()
