"""The pages say what is true: generated parts are up to date, links lead somewhere, examples work."""

from __future__ import annotations

import json
import re
import shlex
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from penstock.alerts.watch import Watch
from penstock.api import OpenLake
from penstock.cli import app
from penstock.cli.docs import fill, write
from penstock.dashboard.access import check
from penstock.pipeline import Pipeline
from penstock.settings import load
from support import LakeInHand

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
}


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_generated_parts_are_up_to_date(page: str) -> None:
    assert fill(PAGES[page]) == PAGES[page], "run `make docs`"


def test_write_brings_a_page_up_to_date(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("before\n<!-- generated: reasons -->\nout of date\n<!-- end -->\nafter\n")
    write(tmp_path)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n")
    assert "| `bad_gzip` |" in text and "out of date" not in text


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGES[page])
    missing = [link for link in links if "://" not in link and not (ROOT / page).parent.joinpath(link).exists()]
    assert missing == []


def commands() -> list[tuple[str, str]]:
    """Every `penstock ...` that a page shows, in a block or in a sentence."""
    found = []
    for page, text in PAGES.items():
        shown = [*re.findall(r"`(penstock [^`]+)`", text), *re.findall(r"^ {4}(penstock .+)$", text, re.MULTILINE)]
        found += [(page, command) for command in shown]
    return sorted(set(found))


@pytest.mark.parametrize(("page", "command"), commands())
def test_commands_exist_with_their_options(page: str, command: str) -> None:
    words = shlex.split(command, comments=True)[1:]
    path = [word for word in words[:2] if re.fullmatch("[a-z]+(-[a-z]+)*", word)]
    path = path[:2] if path[:1] in (["stream"], ["quarantine"]) else path[:1]
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0, shown.output
    assert [word for word in words if word.startswith("--") and word not in shown.output] == []


def test_python_in_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hand = LakeInHand(tmp_path / "penstock-data")
    hand.rows_of({"event_type": "purchase", "session_id": "s", "price": 5})
    [code] = blocks("README.md", "python")
    names: dict[str, object] = {}
    exec(code, names)
    assert names["table"].to_pylist() == [{"event_type": "purchase", "sum(revenue)": Decimal("5.00")}]  # type: ignore[attr-defined]
    names["lake"].close()  # type: ignore[attr-defined]


def test_settings_in_the_page_are_taken(tmp_path: Path) -> None:
    [example] = blocks("docs/settings.md", "toml")
    (tmp_path / "penstock.toml").write_text(example)
    settings = load(tmp_path / "penstock.toml")
    assert (settings.collect.port, settings.deliver.seconds, settings.sources[0].name) == (8787, 60, "shop")


def test_settings_of_the_dashboards_access_are_taken(tmp_path: Path) -> None:
    examples = blocks("docs/dashboard-access.md", "toml")
    for example in examples:
        (tmp_path / "penstock.toml").write_text(example)
        check(load(tmp_path / "penstock.toml"), tmp_path / "penstock.toml")
    assert len(examples) == 3


def test_alerts_in_the_page_are_taken(tmp_path: Path) -> None:
    [example] = blocks("docs/alerts.md", "toml")
    (tmp_path / "penstock.toml").write_text(example)
    settings = load(tmp_path / "penstock.toml")
    with OpenLake(Pipeline(settings.model_copy(update={"data": tmp_path / "data"}))) as lake:
        assert {state.word for state in Watch(lake).check().values()} <= {"firing", "quiet"}


def test_the_event_in_the_page_is_one(hand: LakeInHand) -> None:
    example, _ = blocks("docs/formats.md", "json")
    [row] = hand.rows_of(json.loads(example))
    assert (row["event_type"], row["revenue"]) == ("purchase", Decimal("59.98"))
    assert json.loads(row["properties"]) == {"coupon": "SPRING"}
