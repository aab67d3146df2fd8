"""Athena as a report's engine, over its API and a lake in a bucket: what it makes, what it refuses, what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import penstock
from athena_in_hand import AthenaInHand, Rows, serving
from penstock.cli import app
from penstock.errors import PenstockError, SettingsError
from penstock.hosts.supervisor import free_port
from penstock.objects import Objects
from penstock.reports.engines.athena import Athena, passes
from penstock.reports.question import prepare
from penstock.reports.run import ask
from penstock.reports.statement import Statement, statement
from penstock.setting_sections import AthenaSettings
from penstock.silver.lake import Silver
from s3_in_hand import a_lake, environment
from s3_in_hand import serving as s3
from support import LakeInHand

from .conftest import COLUMNS

NOW = datetime(2026, 4, 10, 12, 30, tzinfo=UTC)
DAYS = ("2026-03-01", "2026-03-02")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a silver in a bucket, with a file for each of two days."""
    hand = LakeInHand(tmp_path_factory.mktemp("lake"))
    for day in DAYS:
        hand.put([{"event_type": "page_view", "event_id": f"of {day}", "event_ts": f"{day}T10:00:00Z"}])
        hand.refine()
    with pytest.MonkeyPatch.context() as env, s3("moto", tmp_path_factory.mktemp("s3")) as endpoint:
        for name, value in environment(endpoint).items():
            env.setenv(name, value)
        found = f"{a_lake()}/silver"
        copy(hand.folder / "silver", found)
        yield found


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AthenaInHand]:
    made = AthenaInHand(lambda sql: ([column("events", "bigint")], [[3]]), scanned=5 << 20)
    with serving(made, monkeypatch):
        yield made


@pytest.fixture
def engine(url: str, server: AthenaInHand) -> Iterator[Callable[..., Athena]]:
    made: list[Athena] = []

    def make(tell: Callable[[str], None] = lambda _: None, at: str = url, **settings: Any) -> Athena:
        made.append(Athena(Silver(at, read_only=True), AthenaSettings(**settings), tell, sleep=lambda _: None))
        return made[-1]

    yield make
    for one in made:
        one.close()


def copy(folder: Path, url: str) -> None:
    there = Objects(url)
    for file in folder.rglob("*"):
        if file.is_file():
            there.put(file.relative_to(folder).as_posix(), file.read_bytes())


def column(name: str, kind: str, *arguments: int) -> dict[str, Any]:
    told = [{"kind": "LONG", "value": argument} for argument in arguments]
    return {"name": name, "typeSignature": {"rawType": kind, "arguments": told}}


def told(name: str = "events", since: str = DAYS[0], **asked: Any) -> Statement:
    return statement(prepare(name, COLUMNS, now=NOW, since=since, until=DAYS[1], **asked), inlines=True)


def test_what_it_needs_is_made_once(engine: Callable[..., Athena], server: AthenaInHand, url: str) -> None:
    athena = engine(database="numbers", workgroup="analysts", most_bytes=1 << 30)
    athena.ask(told())
    athena.ask(told())
    database, table, *queries = (asked["QueryString"] for asked in server.asked)
    assert database == "create database if not exists `numbers`"
    assert table == (
        f"create external table if not exists `numbers`.`{athena.table}`\n"
        f"location '{url}/events/'\ntblproperties ('table_type' = 'DELTA')"
    )
    assert len(queries) == 2
    assert all(f'"numbers"."{athena.table}"' in query for query in queries)
    assert [asked.get("QueryExecutionContext") for asked in server.asked] == [None, *[{"Database": "numbers"}] * 3]
    made = server.workgroups["analysts"]
    assert made["BytesScannedCutoffPerQuery"] == 1 << 30
    assert made["EnforceWorkGroupConfiguration"] is True
    assert made["ResultConfiguration"]["OutputLocation"] == "s3://lake/athena/"


def test_a_workgroup_that_is_there_stays_as_it_is(engine: Callable[..., Athena], server: AthenaInHand) -> None:
    server.workgroups["penstock"] = {"BytesScannedCutoffPerQuery": 1}
    engine().ask(told())
    assert server.workgroups == {"penstock": {"BytesScannedCutoffPerQuery": 1}}


def test_what_it_will_read_is_told_before_and_what_it_read_after(
    engine: Callable[..., Athena], server: AthenaInHand
) -> None:
    said: list[str] = []
    athena = engine(said.append)
    athena.ask(told(since=DAYS[1]))
    before, after = said
    assert before.startswith("Athena will read at most ")
    assert ", 1 of 2 files once: at most $0.000045" in before, "of 10 MB, the least that is billed"
    assert after == "Athena read 5.0 MB: $0.000045"
    server.scanned = 1 << 40
    athena.ask(told())
    assert ", all 2 files once: at most $" in said[2]
    assert said[3] == "Athena read 1.0 TB: $5.000000"


def test_what_may_read_too_much_is_refused_before_anything_is_asked(
    engine: Callable[..., Athena], server: AthenaInHand
) -> None:
    with pytest.raises(PenstockError, match=r"this may read .* KB, more than .* most_bytes = 1\.0 KB") as refused:
        engine(most_bytes=1024).ask(told())
    assert "less time" in str(refused.value.hint)
    assert server.asked == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1 as n from d.t", 1),
        ("with a as (select * from d.t), b as (select * from a union all select * from a) select * from b", 2),
        ("select x from d.t where x in (select x from d.t) and y in (select y from other)", 2),
        ("with a as (with b as (select * from t) select * from b) select * from a join a as c using (x)", 2),
        ("select count(*) as n from (select x from t) as u cross join unnest(u.x) as v(w)", 1),
        ("select a, count(distinct b) as b, count(distinct c) as c, count(*) as n from t group by a", 3),
        ("select a, count(distinct b) as b from t group by a", 1),
        ("with few as (select x from t) select * from t as a where a.x in (select x from few)", 2),
    ],
)
def test_each_pass_over_the_table_counts(sql: str, expected: int) -> None:
    assert passes(sql, "t") == expected


def test_all_kinds_of_values_and_several_pages(engine: Callable[..., Athena], server: AthenaInHand) -> None:
    columns = [
        column("text", "varchar"), column("whole", "bigint"), column("small", "integer"), column("part", "double"),
        column("money", "decimal", 38, 2), column("yes", "boolean"), column("day", "date"),
        column("at", "timestamp with time zone"), column("local", "timestamp"), column("nothing", "unknown"),
    ]  # fmt: skip
    row = ["ü'\n", 1 << 60, -3, 2.5e-7, "12345678901234567890.12", True, "2026-03-29",
           "2026-03-29 01:02:03.456789 UTC", "2026-03-29 01:02:03.456", None]  # fmt: skip
    server._run = lambda sql: (columns, [row, [None] * 10, *([row] * 20)])
    found = engine().ask(told()).to_pylist()
    assert len(found) == 22
    assert found[1] == dict.fromkeys(found[0])
    assert found[0] == found[21]
    assert found[0] == {
        "text": "ü'\n", "whole": 1 << 60, "small": -3, "part": 2.5e-7, "money": Decimal("12345678901234567890.12"),
        "yes": True, "day": date(2026, 3, 29), "at": datetime(2026, 3, 29, 1, 2, 3, 456789, UTC),
        "local": datetime(2026, 3, 29, 1, 2, 3, 456000), "nothing": None,
    }  # fmt: skip


def test_no_row_at_all_keeps_its_columns(engine: Callable[..., Athena], server: AthenaInHand) -> None:
    server._run = lambda sql: ([column("events", "bigint")], [])
    found = engine().ask(told())
    assert (found.num_rows, found.column_names) == (0, ["events"])


def test_the_answer_is_finished_as_elsewhere(engine: Callable[..., Athena], server: AthenaInHand) -> None:
    answer = ask("events", engine().ask, COLUMNS, now=NOW, since=DAYS[0], until=DAYS[1], inlines=True)
    assert answer.rows()[0]["events"] == 3


def test_from_python_and_the_command_line(url: str, server: AthenaInHand, tmp_path: Path) -> None:
    lake = url.removesuffix("/silver")
    with penstock.open(tmp_path / "data", lake=lake) as opened:
        answer = opened.report("events", engine="athena", since=DAYS[0], until=DAYS[1])
    assert answer.rows()[0]["events"] == 3
    assert [note.split()[:2] for note in answer.notes] == [["Athena", "will"], ["Athena", "read"]]

    told = ["report", "events", "--engine", "athena", "--from", DAYS[0], "--to", DAYS[1], "--lake", lake]
    result = CliRunner().invoke(app, [*told, "--data", str(tmp_path / "data")])
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == ["events", "3"]
    assert [line.split()[0] for line in result.stderr.splitlines()] == ["Athena", "Athena", f"{DAYS[0]}T00:00Z"]


def test_it_says_why_it_has_no_answer(engine: Callable[..., Athena], server: AthenaInHand) -> None:
    def refuse(sql: str) -> Rows:
        raise ValueError("TABLE_NOT_FOUND: it has gone")

    server._run = refuse
    with pytest.raises(PenstockError, match="Athena has no answer: TABLE_NOT_FOUND: it has gone"):
        engine().ask(told())


def test_whoever_stops_waiting_stops_the_query(url: str, server: AthenaInHand) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    athena = Athena(Silver(url, read_only=True), AthenaSettings(), lambda _: None, sleep=interrupt)
    athena.ask(told())
    server.never_done = True
    with pytest.raises(KeyboardInterrupt):
        athena.ask(told())
    assert server.stopped == [str(len(server.asked) - 1)]
    athena.close()


def test_nobody_to_be_asked(
    engine: Callable[..., Athena], server: AthenaInHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(PenstockError, match="Athena cannot be asked"):
        engine().ask(told())


def test_each_generation_of_each_lake_has_a_table_of_its_own(engine: Callable[..., Athena], url: str) -> None:
    assert engine().table == engine().table
    assert engine(at=f"{url}/other").table != engine().table


def test_a_lake_on_a_disk_is_not_athenas(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="from S3 only"):
        Athena(Silver(tmp_path.as_uri()), AthenaSettings(), lambda _: None)


def test_a_statement_longer_than_it_takes(engine: Callable[..., Athena], server: AthenaInHand) -> None:
    with pytest.raises(PenstockError, match="262,144 bytes"):
        engine().ask(told(where=[f"page_path={n:0300}" for n in range(1000)]))
    assert server.asked == []
