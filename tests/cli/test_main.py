"""Errors become words and exit codes; what is piped is plain text."""

from __future__ import annotations

from pathlib import Path

import pytest

import penstock

from .conftest import Cli


def test_version(cli: Cli) -> None:
    assert cli.out("--version") == penstock.__version__ + "\n"


def test_every_command_explains_itself(cli: Cli) -> None:
    for path in ("up", "demo", "send", "load", "refine", "sql", "verify", "stream replay", "quarantine list"):
        assert f" {path} [OPTIONS]" in cli.out(*path.split(), "--help")


@pytest.mark.parametrize(
    ("toml", "key"),
    [
        ("[collect]\nprot = 1", "collect.prot"),
        ("[colect]\nport = 1", "colect"),
        ("[collect]\nport = 70000", "collect.port"),
        ("[stream]\nmax_bytes = 'much'", "stream.max_bytes"),
        ("[[sources]]\nname = 'a b'\nwrite_key = '12345678'", "sources.0.name"),
    ],
)
def test_a_wrong_setting_is_named(cli: Cli, toml: str, key: str) -> None:
    Path("penstock.toml").write_text(toml)
    result = cli("status")
    assert result.exit_code == 2
    assert f"setting {key!r}" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["status", "--config", "nothing.toml"], "there is no settings file nothing.toml"),
        (["refine", "--once", "--data", "a file"], "'a file'"),
        (["stream", "replay", "--from", "1h", "--data", "a file"], "there is no folder a file"),
    ],
)
def test_a_wrong_path_is_named(cli: Cli, arguments: list[str], words: str) -> None:
    Path("a file").touch()
    result = cli(*arguments)
    assert result.exit_code in (1, 2)
    assert words in result.stderr.replace(str(cli.folder) + "/", "")


def test_an_unknown_adapter_names_the_known(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.data.mkdir()
    monkeypatch.setenv("PENSTOCK_STREAM__URL", "carrier-pigeon://")
    result = cli("status")
    assert result.exit_code == 2
    assert "known are: kafka, kinesis, memory, sqlite, sqs" in result.stderr


def test_settings_flag_wins_over_environment_over_file(cli: Cli) -> None:
    Path("penstock.toml").write_text("data = 'from-file'")
    cli.out("load", cli.file([{"event_type": "a"}]))
    cli.out("load", cli.file([{"event_type": "a"}]), "--data", "from-flag")
    assert sorted(path.name for path in Path().iterdir() if path.is_dir()) == ["data", "from-flag"]


def test_piped_output_has_no_escape_codes(shop: Cli) -> None:
    commands = (
        ["sql", "select event_type, page_title from events"],
        ["sql", "select page_title from events", "--format", "csv"],
        ["sql", "selct"],
        ["counts", "purchase"],
        ["status"],
        ["verify"],
        ["quarantine", "list"],
        ["load", "missing.jsonl"],
        ["refine", "--once"],
    )
    for command in commands:
        assert "\x1b" not in shop(*command).output, command
