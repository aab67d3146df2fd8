"""`report` and `reports`: one answer in every format, charts, comparisons, SQL, and refusals in words."""

from __future__ import annotations

import io
import json
import re
import shlex
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlglot

import penstock
from penstock.cli.chart import chart
from penstock.reports.catalog import reports

from .conftest import Cli

DAYS = ("--from", "2026-02-01", "--to", "2026-02-02")


def visit(number: int, at: str, **more: object) -> dict[str, object]:
    return {"event_type": "page_view", "event_id": str(number), "session_id": f"s{number}", "event_ts": at, **more}


@pytest.fixture
def site(cli: Cli) -> Cli:
    """Two days: three views, two of them on the first; gold is not made yet."""
    rows = [
        visit(1, "2026-02-01T10:00:00Z", page_path="/", utm_source="news"),
        visit(2, "2026-02-01T11:00:00Z", page_path="/pricing | \x1b[31mred"),
        visit(3, "2026-02-02T10:00:00Z", page_path="/"),
        {**visit(4, "2026-02-02T11:00:00Z"), "event_type": "purchase", "price": 29.99, "quantity": 2},
    ]
    cli.out("load", cli.file(rows))
    cli.out("refine", "--once")
    return cli


def test_a_table_for_people(site: Cli) -> None:
    result = site("report", "events", *DAYS, "--set", "event=page_view")
    assert result.stdout.splitlines() == ["bucket      events", "2026-02-01  2", "2026-02-02  1"]
    assert result.stderr.splitlines() == ["2026-02-01T00:00Z to 2026-02-03T00:00Z, from silver"]


def test_gold_answers_when_it_is_there(site: Cli) -> None:
    site.out("rollup", "--once")
    result = site("report", "events", *DAYS, "--set", "event=page_view")
    assert result.stdout.splitlines() == ["bucket      events", "2026-02-01  2", "2026-02-02  1"]
    assert result.stderr.splitlines() == ["2026-02-01T00:00Z to 2026-02-03T00:00Z, from gold"]


def test_a_single_row_goes_downwards(site: Cli) -> None:
    lines = site.out("report", "overview", *DAYS).splitlines()
    assert "views              3" in lines
    assert "conversion_rate    25.0 %" in lines
    assert "revenue            59.98" in lines


def test_a_comparison_stands_beside(site: Cli) -> None:
    day = ("--from", "2026-02-02", "--to", "2026-02-02", "--compare", "previous")
    assert site.out("report", "events", *day, "--set", "event=page_view").splitlines() == [
        "bucket      events  events_before  events_change",
        "2026-02-02  1       2              -50.0 %",
    ]
    [row] = site.json("report", "overview", *day)
    assert (row["views"], row["views_before"], row["views_change"]) == (1, 2, -0.5)


def test_json_and_csv_for_programs(site: Cli) -> None:
    rows = site.json("report", "revenue_hourly", *DAYS, "--zone", "Europe/Berlin", "--grain", "hour")
    assert len(rows) == 48
    assert rows[0] == {"bucket": "2026-02-01T00:00+01:00", "running": False, "purchases": 0, "revenue": 0.0}
    assert [row for row in rows if row["purchases"]] == [
        {"bucket": "2026-02-02T12:00+01:00", "running": False, "purchases": 1, "revenue": 59.98}
    ]
    csv = site.out("report", "events", *DAYS, "--by", "utm_source", "--set", "event=page_view", "--format", "csv")
    assert csv.splitlines() == [
        "bucket,running,utm_source,events",
        "2026-02-01,false,news,1",
        "2026-02-01,false,,1",
        "2026-02-02,false,news,0",
        "2026-02-02,false,,1",
    ]


def test_the_running_bucket_is_marked(site: Cli) -> None:
    site.out("load", site.file([{"event_type": "now", "event_id": "now"}], "now.jsonl"))
    site.out("refine", "--once")
    [row] = site.json("report", "events", "--from", "1d")
    assert (row["running"], row["events"]) == (True, 1)
    assert site.out("report", "events", "--from", "1d").splitlines()[1].split() == [row["bucket"], "…", "1"]
    assert " … " in site.out("report", "events", "--from", "1d", "--format", "chart")


def test_parquet(site: Cli) -> None:
    site.out("report", "events", *DAYS, "--format", "parquet", "--out", "answer.parquet")
    assert pq.read_table("answer.parquet").column("events").to_pylist() == [2, 2]
    piped = site("report", "events", *DAYS, "--format", "parquet")
    assert pq.read_table(io.BytesIO(piped.stdout_bytes)).num_rows == 2


def test_chart_is_plain_in_a_pipe(site: Cli) -> None:
    text = site.out("report", "top_pages", *DAYS, "--format", "chart")
    title, first, second = text.splitlines()
    assert title == "views"
    assert first.startswith("/ ") and first.endswith("█ 2")
    assert second.startswith("/pricing | \\x1b[31mred") and second.count("█") * 2 in range(
        first.count("█") - 1, first.count("█") + 2
    )
    assert "\x1b" not in text


def test_a_long_chart_has_columns(site: Cli) -> None:
    lines = site.out("report", "events", "--from", "2026-01-01", "--to", "2026-03-31", "--format", "chart").splitlines()
    assert len(lines) == 1 + 10 + 1 + 1
    assert lines[-1] == "each column is the average of 2"
    assert all(len(line) <= 80 for line in lines)


def test_charts_fit_any_width(site: Cli) -> None:
    with penstock.open(site.data) as lake:
        for name in ("events", "top_pages", "sessions", "session"):
            more = {"id": "s1"} if name == "session" else {}
            answer = lake.report(name, since="2026-01-01", until="2026-12-31", **more)
            for width in (20, 40, 200):
                assert chart(answer, width)


def test_filters_and_steps(site: Cli) -> None:
    where = ("--where", "page_path=/", "--where", "utm_source!=news")
    assert site.json("report", "top_pages", *DAYS, *where)[0]["views"] == 1
    steps = site.json("report", "funnel", *DAYS, "--step", "page_view & page_path=/", "--step", "purchase")
    assert [row["event"] for row in steps] == ["page_view & page_path=/", "purchase"]


@pytest.mark.parametrize("dialect", ["duckdb", "athena", "spark", "snowflake"])
def test_show_sql(site: Cli, dialect: str) -> None:
    text = site.out("report", "sources", *DAYS, "--where", "page_path=it's", "--show-sql", "--dialect", dialect)
    sqlglot.parse_one(text, read=dialect)
    assert re.search(r"\$[a-z]", text) is None


def test_the_sql_that_is_shown_runs(site: Cli) -> None:
    text = site.out("report", "events", *DAYS, "--show-sql")
    assert [row["events"] for row in site.json("sql", text)] == [2, 2]


REFUSED: list[tuple[list[str], str]] = [
    (["nothing"], "there is no report 'nothing'"),
    (["events", "--from", "soon"], "is no time"),
    (["events", "--zone", "Mars"], "there is no time zone"),
    (["events", "--where", "nothing=1"], "there is no column"),
    (["events", "--where", "page_path~("], "missing )"),
    (["events", "--set", "event"], "sets nothing"),
    (["events", "--set", "nothing=1"], "has no parameter"),
    (["top_pages", "--set", "limit=many"], "limit of report top_pages cannot be"),
    (["session"], "needs id"),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED)
def test_refusals_are_words(site: Cli, arguments: list[str], sentence: str) -> None:
    result = site("report", *arguments)
    assert result.exit_code == 1
    assert sentence in result.stderr


def test_reports_lists_them(cli: Cli) -> None:
    listed = cli.out("reports").splitlines()
    assert [line.split()[0] for line in listed[1:]] == list(reports())


@pytest.mark.parametrize("name", reports())
def test_reports_tells_all_about_one(cli: Cli, name: str) -> None:
    text, report = cli.out("reports", name), reports()[name]
    assert report.question in text
    assert all(column in text for column in report.columns)
    assert all(parameter.meaning in text for parameter in report.parameters.values())


@pytest.mark.parametrize("name", reports())
def test_every_example_runs(site: Cli, name: str) -> None:
    words = shlex.split(reports()[name].example)
    assert words[:3] == ["penstock", "report", name]
    for line in site.out(*words[1:], "--format", "json").splitlines():
        json.loads(line)


def test_a_lake_without_events(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert cli.out("report", "top_pages").splitlines() == ["page_path  views  sessions  views_per_session"]
    assert "views" in cli.out("report", "overview")


def test_an_engine_that_there_is_not(site: Cli) -> None:
    result = site("report", "events", *DAYS, "--engine", "presto")
    assert result.exit_code == 2
    assert "no engine of reports is called 'presto'" in result.stderr
    assert "known are: duckdb, athena, spark" in result.stderr


def test_athena_reads_no_disk(site: Cli) -> None:
    result = site("report", "events", *DAYS, "--engine", "athena")
    assert result.exit_code == 2
    assert "Athena reads from S3 only" in result.stderr
