"""`alerts`: what is watched, and how it is."""

from __future__ import annotations

from pathlib import Path

from .conftest import Cli

SETTINGS = """
[[alerts]]
name = "silence"
report = "events"
column = "events"
when = "below"
value = 1
last = "1h"
[alerts.ask]
event = "purchase"

[[alerts]]
name = "shop"
report = "events"
column = "events"
when = "above"
value = 1000
last = "1h"
"""


def listed(cli: Cli, *arguments: str) -> list[tuple[str, str, str | None]]:
    return [(row["alert"], row["state"], row["layer"]) for row in cli.json("alerts", *arguments)]


def test_without_alerts(shop: Cli) -> None:
    assert shop.out("alerts", "--check").splitlines()[1:] == []


def test_list_check_and_once(shop: Cli) -> None:
    Path("penstock.toml").write_text(SETTINGS)
    assert listed(shop) == [("silence", "new", None), ("shop", "new", None)]
    checked = shop("alerts", "--check")
    assert checked.exit_code == 1
    assert "events is 0, below 1" in checked.stdout
    assert listed(shop) == [("silence", "new", None), ("shop", "new", None)]
    assert listed(shop, "--once") == [("silence", "firing", "traffic"), ("shop", "quiet", None)]
    assert listed(shop) == [("silence", "firing", "traffic"), ("shop", "quiet", None)]


def test_check_when_all_is_quiet(shop: Cli) -> None:
    Path("penstock.toml").write_text(SETTINGS.replace('"below"', '"above"'))
    assert shop("alerts", "--check").exit_code == 0


def test_check_of_one_that_cannot_be(shop: Cli) -> None:
    Path("penstock.toml").write_text(SETTINGS.replace('"events"', '"evnts"').replace('"below"', '"above"'))
    checked = shop("alerts", "--check")
    assert checked.exit_code == 2
    assert "there is no report 'evnts'" in checked.stdout


def test_a_question_makes_no_folder(cli: Cli) -> None:
    assert cli("alerts").exit_code == 2
    assert not cli.data.exists()
