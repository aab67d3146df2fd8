"""Options that every command has, and how they become a pipeline."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ..api import OpenLake
from ..errors import SettingsError
from ..pipeline import Pipeline, check_writable
from ..settings import Settings, load
from .output import Format

Data = Annotated[Path | None, typer.Option("--data", help="Folder for everything.", show_default="./penstock-data")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file.", show_default="./penstock.toml")]
Lake = Annotated[
    str | None,
    typer.Option("--lake", help="URL of a lake to ask where it lies: s3://bucket/prefix. Nothing is written there."),
]
Engine = Annotated[
    str | None, typer.Option("--engine", help="Who makes silver: duckdb or spark.", show_default="as in [refine]")
]
Once = Annotated[bool, typer.Option("--once", help="Do what there is to do, then end (for cron).")]
As = Annotated[Format, typer.Option("--format", help="How rows are written.")]
OwnPrices = Annotated[
    list[str] | None, typer.Option("--price", help="Your own price: sqs_request=0.5; may be repeated.")
]


def settings_of(data: Path | None, config: Path | None, lake: str | None = None, **more: Any) -> Settings:
    """The settings; with `lake`, of a reader who keeps what he needs in `data`, or in a folder for caches."""
    if lake is None:
        return load(config, data=data, **more)
    return load(config, data=data or _for_caches(lake), lake=lake, read_only=True, **more)


def _for_caches(lake: str) -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "penstock" / hashlib.sha256(lake.rstrip("/").encode()).hexdigest()[:16]


@contextmanager
def pipeline(data: Path | None, config: Path | None, engine: str | None = None) -> Iterator[Pipeline]:
    """The pipeline that the settings describe, closed at the end; its folder is made if it is missing."""
    settings = load(config, data=data, refine=None if engine is None else {"engine": engine})
    check_writable(settings)
    opened = Pipeline(settings)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def existing(data: Path | None, config: Path | None, url: str | None = None) -> Iterator[OpenLake]:
    """The same, to ask. Raises SettingsError if there is nothing: a question makes no folder."""
    settings = settings_of(data, config, url)
    if settings.lake is None and not settings.data.is_dir():
        raise SettingsError(
            f"there is no folder {settings.data}",
            hint="--data says where the data is; `penstock up` and `penstock load` make it",
        )
    with OpenLake(Pipeline(settings)) as lake:
        yield lake
