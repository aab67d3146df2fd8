"""Options that every command has, and how they become a pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ..api import OpenLake
from ..errors import SettingsError
from ..pipeline import Pipeline
from ..settings import load
from .output import Format

Data = Annotated[Path | None, typer.Option("--data", help="Folder for everything.", show_default="./penstock-data")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file.", show_default="./penstock.toml")]
Once = Annotated[bool, typer.Option("--once", help="Do what there is to do, then end (for cron).")]
As = Annotated[Format, typer.Option("--format", help="How rows are written.")]


@contextmanager
def pipeline(data: Path | None, config: Path | None) -> Iterator[Pipeline]:
    """The pipeline that the settings describe, closed at the end; its folder is made if it is missing."""
    opened = Pipeline(load(config, data=data))
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def existing(data: Path | None, config: Path | None) -> Iterator[OpenLake]:
    """The same, to ask. Raises SettingsError if there is nothing: a question makes no folder."""
    settings = load(config, data=data)
    if settings.lake is None and not settings.data.is_dir():
        raise SettingsError(
            f"there is no folder {settings.data}",
            hint="--data says where the data is; `penstock up` and `penstock load` make it",
        )
    with OpenLake(Pipeline(settings)) as lake:
        yield lake
