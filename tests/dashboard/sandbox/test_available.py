"""Where the playground is on, and what people are told where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.dashboard.sandbox import landlock, seccomp
from penstock.dashboard.sandbox.available import available
from penstock.dashboard.sandbox.playground import Playground
from penstock.errors import QueryError
from penstock.settings import load

from .targets import Targets, run


@pytest.mark.parametrize(
    ("setting", "version", "filters", "on", "strict", "words"),
    [
        ("auto", 1, True, True, True, ""),
        ("on", 7, True, True, True, ""),
        ("off", 7, True, False, False, "settings"),
        ("auto", 0, True, False, False, "Landlock"),
        ("auto", 7, False, False, False, "filter"),
        ("on", 0, True, True, False, "keep it to yourself"),
        ("on", 0, False, True, False, "keep it to yourself"),
    ],
)
def test_when_it_is_on(
    setting: str, version: int, filters: bool, on: bool, strict: bool, words: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(landlock, "version", lambda: version)
    monkeypatch.setattr(seccomp, "is_possible", lambda: filters)
    found = available(load(data=tmp_path, dashboard={"sql": setting}))
    assert (found.on, found.strict) == (on, strict)
    assert words in found.reason if words else not found.reason


def test_off_is_an_error_with_the_reason(targets: Targets) -> None:
    async def ask() -> QueryError:
        async with Playground(load(data=targets.data, dashboard={"sql": "off"})) as playground:
            with pytest.raises(QueryError) as refused:
                await playground.run("select 1")
            return refused.value

    error = run(ask())
    assert (error.status, error.code) == (403, "off")
    assert "settings" in str(error)


def test_where_it_cannot_be_confined_nothing_runs(targets: Targets, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process itself finds out, though the dashboard thought that it could be."""

    async def ask() -> QueryError:
        async with Playground(load(data=targets.data)) as playground:
            with pytest.raises(QueryError) as refused:
                await playground.run("select 1")
            return refused.value

    monkeypatch.setattr(
        "penstock.dashboard.sandbox.process._ENVIRONMENT", {"JE_ARROW_MALLOC_CONF": "background_thread:true"}
    )
    monkeypatch.setattr(landlock, "version", lambda: 1)
    monkeypatch.setattr(seccomp, "is_possible", lambda: True)
    error = run(ask())
    assert (error.code, error.status) == ("not_confined", 500)


def test_the_owner_alone_may_do_without(targets: Targets, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> int:
        async with Playground(load(data=targets.data, dashboard={"sql": "on"})) as playground:
            return (await playground.run("select count(*) from events")).rows[0][0].as_py()

    monkeypatch.setattr(landlock, "version", lambda: 0)
    assert run(ask()) == 60
