"""All settings, typed, with the one-machine defaults: file `penstock.toml` < environment `PENSTOCK_…` < flag."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, ByteSize, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from .errors import SettingsError

Port = Annotated[int, Field(ge=0, le=65535)]
FILE = "penstock.toml"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CollectSettings(_Section):
    host: str = Field("127.0.0.1", description="address the collector listens on")
    port: Port = Field(8787, description="port the collector listens on")
    processes: int = Field(
        min(2, os.cpu_count() or 1), ge=1, le=64, description="server processes; each writes a stream file of its own"
    )


class StreamSettings(_Section):
    url: str | None = Field(None, description="where the stream is; default sqlite in the data folder")
    retention_hours: int = Field(24, ge=1, description="how long delivered records stay replayable")
    max_bytes: ByteSize = Field(ByteSize(10 << 30), gt=0, description="bound on the stream; reached, it answers 503")


class DeliverSettings(_Section):
    seconds: float = Field(5, gt=0, description="an object is written when records wait this long")
    bytes: ByteSize = Field(ByteSize(16 << 20), gt=0, description="or when this much waits, before compression")


class RefineSettings(_Section):
    batch_bytes: ByteSize = Field(ByteSize(48 << 20), gt=0, description="most bronze, as stored, in one batch")
    memory_limit: str | None = Field(None, description="DuckDB's memory limit, for example 1GB; default its own")


class SourceSettings(_Section):
    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="shown as `source` in every table")
    write_key: str = Field(min_length=8, description="what its senders show; it can only append")
    enabled: bool = Field(True, description="false refuses its events with 401")
    origins: tuple[str, ...] = Field((), description="web origins that may use the key; empty means all")


class Settings(BaseSettings):
    """Everything. Unknown names are errors, so a typo is never a silent default."""

    model_config = SettingsConfigDict(
        env_prefix="PENSTOCK_", env_nested_delimiter="__", extra="forbid", frozen=True, toml_file=FILE
    )

    data: Path = Field(Path("penstock-data"), description="folder for everything on one machine")
    lake: str | None = Field(None, description="URL of the lake, for example s3://bucket/prefix; default in `data`")
    collect: CollectSettings = CollectSettings()
    stream: StreamSettings = StreamSettings()
    deliver: DeliverSettings = DeliverSettings()
    refine: RefineSettings = RefineSettings()
    sources: tuple[SourceSettings, ...] = Field((), description="who may send; empty means anybody")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def stream_url(self) -> str:
        return self.stream.url or _url("sqlite", self.data / "stream")

    @property
    def lake_url(self) -> str:
        return (self.lake or _url("file", self.data)).rstrip("/")

    @property
    def gold_path(self) -> Path:
        return self.data.absolute() / "gold" / "rollups.db"


def _url(scheme: str, path: Path) -> str:
    return f"{scheme}://{quote(str(path.absolute()))}"


def load(config: Path | None = None, **flags: Any) -> Settings:
    """Settings from file, environment and `flags` (None means not given). Raises SettingsError naming the key."""
    if config is not None and not config.is_file():
        raise SettingsError(f"there is no settings file {config}")
    given = {name: value for name, value in flags.items() if value is not None}

    class Here(Settings):
        model_config = SettingsConfigDict(toml_file=config or FILE)

    try:
        return Here(**given)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"setting {key!r}: {first['msg']}", hint=f"see docs/settings.md, or {FILE}") from error
    except ValueError as error:
        raise SettingsError(f"the settings file cannot be read: {error}") from error
