"""A scheme → the module of that name, and a clear answer when there is none."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from penstock import adapters
from penstock import stream as stream_port
from penstock.adapters import load, names
from penstock.errors import SettingsError


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A port of our own making; its adapters are written by the test."""
    package = tmp_path / "some_port"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "near.py").write_text("here = True\n")
    (package / "_private.py").touch()
    (package / "kafka.py").write_text("import a_package_that_nobody_has\n")
    (package / "broken.py").write_text("import a_package_that_nobody_has\n")
    (package / "typo.py").write_text("import penstock.no_such_module\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("some_port")]:
        monkeypatch.delitem(sys.modules, name)
    return importlib.import_module("some_port")


def test_the_folder_is_the_registry(port: ModuleType) -> None:
    assert names(port) == ["broken", "kafka", "near", "typo"]


def test_private_modules_are_no_adapters() -> None:
    assert not [name for name in names(stream_port) if name.startswith("_")]


@pytest.mark.parametrize("url", ["near://host/path?x=1", "near:", "near:///path", "near"])
def test_the_scheme_is_the_module(port: ModuleType, url: str) -> None:
    assert load(port, url).here


@pytest.mark.parametrize("url", ["far://x", "", "_private://x", "../near", "near.x://", "NEAR://x"])
def test_an_unknown_scheme_names_those_that_are_known(port: ModuleType, url: str) -> None:
    with pytest.raises(SettingsError, match="some_port") as caught:
        load(port, url)
    assert "near" in caught.value.hint


def test_a_missing_package_says_what_to_install(port: ModuleType) -> None:
    with pytest.raises(SettingsError, match="a_package_that_nobody_has") as caught:
        load(port, "kafka://user:secret@broker/topic?password=secret")
    assert caught.value.hint == "pip install 'penstock[kafka]'"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["broken", "typo"])
def test_a_mistake_of_ours_is_not_called_a_missing_package(port: ModuleType, scheme: str) -> None:
    with pytest.raises(ModuleNotFoundError):
        load(port, f"{scheme}://x")


def test_every_extra_that_is_named_can_be_installed() -> None:
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text()
    declared = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    there = set(names(stream_port))
    for scheme, extra in adapters._EXTRAS.items():
        assert scheme not in there or f"\n{extra} = [" in declared


def test_no_adapter_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys, penstock.adapters, penstock.stream;"
        "sys.exit(any(name.startswith('penstock.stream.') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
