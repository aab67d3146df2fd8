"""`simulate` as a user sees it."""

from __future__ import annotations

import json

import pytest

import penstock

from .conftest import Cli


def test_files_and_truth(cli: Cli) -> None:
    told = cli.out("simulate", "--out", "sim", "--events", "300", "--every", "1h", "--files", "3", "--profile", "both",
                   "--start", "2026-03-01", "--seed", "7", "--dirt", "--malformed", "0.2")  # fmt: skip
    truth = json.loads((cli.folder / "sim" / "truth.json").read_text())
    assert told.startswith(f"{truth['totals']['files']} files in sim: {truth['totals']['lines']} lines, ")
    assert truth["plan"]["dirt"]["malformed"] == 0.2 and truth["plan"]["dirt"]["late"] > 0
    assert truth["totals"]["malformed"] > 100
    files = sorted(path.relative_to(cli.folder / "sim").as_posix() for path in (cli.folder / "sim").rglob("*.gz"))
    assert files[0] == "year=2026/month=03/day=01/hour=01/minute=00/events-20260301T010000Z.jsonl.gz"


def test_to_a_collector(cli: Cli) -> None:
    with penstock.collector(collect={"processes": 1}) as collector:
        told = cli.out("simulate", "--url", collector.url, "--rate", "1200/m", "--for", "1s")
    assert told == "80 accepted, 0 quarantined, 0 refused; 0 requests repeated\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give either --out or --url"),
        (["--out", "a", "--url", "http://127.0.0.1"], "give either --out or --url"),
        (["--url", "http://127.0.0.1", "--rate", "many"], "'many' is no rate"),
        (["--url", "nowhere"], "'nowhere' is no address"),
        (["--out", "a", "--every", "often"], "'often' is not a duration"),
        (["--out", "a", "--late", "2"], "Usage: "),
    ],
)
def test_what_cannot_be_is_told(cli: Cli, arguments: list[str], words: str) -> None:
    result = cli("simulate", *arguments)
    assert result.exit_code != 0
    assert words in result.stderr
    assert not (cli.folder / "a").exists()
