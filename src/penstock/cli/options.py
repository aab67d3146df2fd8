"""Options that every command has, and how they become a pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ..pipeline import Pipeline
from ..settings import load

Data = Annotated[Path | None, typer.Option("--data", help="Folder for everything.", show_default="./penstock-data")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file.", show_default="./penstock.toml")]
Once = Annotated[bool, typer.Option("--once", help="Do what there is to do, then end (for cron).")]


@contextmanager
def pipeline(data: Path | None, config: Path | None, **flags: Any) -> Iterator[Pipeline]:
    """The pipeline that the settings describe, closed at the end."""
    opened = Pipeline(load(config, data=data, **flags))
    try:
        yield opened
    finally:
        opened.close()
