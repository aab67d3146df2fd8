"""The examples run, on simulated traffic; each is skipped where its package is missing, and says how to get it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import jinja2
import pytest
import yaml

import penstock
from penstock.bronze.load import load
from penstock.export.attach import attach
from penstock.gold.by_day import DAYS
from penstock.gold.sessions import SESSIONS
from penstock.silver.columns import EVENTS, LEDGER, QUARANTINE

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 30 visits of today; every third puts something into the cart, every sixth buys it."""
    folder = tmp_path_factory.mktemp("examples")
    with penstock.open(folder / "data") as lake:
        now = lake.pipeline.clock()
        day = now.date().isoformat()
        visits = [
            {
                "event_type": event,
                "event_id": f"{event}{n}",
                "session_id": f"s{n}",
                "event_ts": f"{day}T00:00:00Z",
                "page_path": f"/{n % 4}",
                "price": 5,
                "first_day": day,
            }
            for n in range(30)
            for event in ("page_view", *["add_to_cart"] * (n % 3 == 0), *["purchase"] * (n % 6 == 0))
        ]
        (folder / "visits.jsonl").write_text("".join(json.dumps(visit) + "\n" for visit in visits))
        load(lake.pipeline.lake.bronze.objects, folder / "visits.jsonl", now)
        lake.pipeline.drain()
    return folder / "data"


@pytest.fixture(autouse=True)
def here(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PENSTOCK_DATA", str(data))
    yield


def needs(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not here: pip install 'penstock[examples]'")


STREAMLIT = """
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("streamlit_app.py", default_timeout=120).run()
assert not app.exception and not app.error, (app.exception, app.error)
print({metric.label: metric.value for metric in app.metric}["sessions"], len(app.dataframe))
app.text_area[0].set_value("select count(*) as n from sessions").run()
print(app.dataframe[-1].value["n"].tolist(), len(app.error))
app.text_area[0].set_value("selct").run()
print(len(app.error), len(app.exception))
"""


def test_the_streamlit_app_shows_numbers_and_answers_sql() -> None:
    needs("streamlit")
    assert run("-c", STREAMLIT) == ["30 3", "[30] 0", "1 0"]


def test_the_streamlit_app_is_short() -> None:
    assert len((EXAMPLES / "streamlit_app.py").read_text().splitlines()) <= 60


def test_the_notebook_runs_as_a_script() -> None:
    needs("marimo")
    text = "\n".join(run("notebook.py"))
    for number in ("30", "10", "5"):
        assert f" {number} " in text
    assert "cohort" in text


def run(*arguments: str) -> list[str]:
    """Python in the folder of the examples, on the lake; its lines."""
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=EXAMPLES, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def sources() -> dict[str, list[str]]:
    [source] = yaml.safe_load((EXAMPLES / "dbt/models/sources.yml").read_text())["sources"]
    return {table["name"]: [column["name"] for column in table["columns"]] for table in source["tables"]}


def test_dbt_is_told_of_every_column() -> None:
    tables = {"events": EVENTS, "sessions": (*SESSIONS, *DAYS), "quarantine": QUARANTINE, "ledger": LEDGER}
    assert sources() == {name: [column.name for column in columns] for name, columns in tables.items()}


def test_the_model_of_dbt_counts_what_was_sold(data: Path, tmp_path: Path) -> None:
    """As dbt would run it: its `source()` names the table in the attached file."""
    with penstock.open(data) as lake:
        attach(lake.pipeline, tmp_path / "lake.duckdb", lake.pipeline.clock())
    model = jinja2.Template((EXAMPLES / "dbt/models/daily_revenue.sql").read_text())
    sql = model.render(source=lambda name, table: f"lake.main.{table}" if name == "penstock" else None)
    profile = yaml.safe_load((EXAMPLES / "dbt/profiles.yml").read_text())["penstock"]["outputs"]["local"]
    assert [(one["path"], one["alias"]) for one in profile["attach"]] == [("lake.duckdb", "lake")]
    with duckdb.connect() as db:
        db.execute(f"attach '{tmp_path}/lake.duckdb' as lake (read_only)")
        [row] = db.sql(f"select sum(purchases), sum(sessions), sum(revenue) from ({sql})").fetchall()
    assert tuple(map(int, row)) == (5, 5, 25)
