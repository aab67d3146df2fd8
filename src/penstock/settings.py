"""All settings, typed, with the one-machine defaults: file `penstock.toml` < environment `PENSTOCK_…` < flag."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import quote, unquote

from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings import SettingsError as UnreadableVariable

from .errors import SettingsError

Port = Annotated[int, Field(ge=0, le=65535)]
Url = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*:")]
Paths = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
ColumnType = Literal["VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "DECIMAL(18,2)", "BOOLEAN", "DATE", "TIMESTAMPTZ"]
FILE = "penstock.toml"
_PREFIX = "PENSTOCK_"
_NOT_SETTINGS = {"PENSTOCK_HANDED_DOWN"}
_YEARS = 10


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_not_one(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, bool) and cls.model_fields[info.field_name or ""].annotation is not bool:
            raise ValueError("true and false are no value here")
        return value


class CollectSettings(_Section):
    host: str = Field("127.0.0.1", description="address the collector listens on")
    port: Port = Field(8787, description="port the collector listens on")
    prefix: str = Field(
        "/a",
        pattern=r"^(/[A-Za-z0-9_.~-]+)+$",
        description="where the tracker, its events and its pixel are also served, for a reverse proxy",
    )
    receive_seconds: float = Field(
        10, gt=0, le=300, description="how long a sender may take for its headers, and again for its body"
    )
    processes: int = Field(
        min(2, os.cpu_count() or 1), ge=1, le=64, description="server processes; each writes a stream file of its own"
    )


class StreamSettings(_Section):
    url: Url | None = Field(None, description="where the stream is; default sqlite in the data folder")
    retention_hours: int = Field(24, ge=1, le=_YEARS * 8766, description="how long delivered records stay replayable")
    max_bytes: ByteSize = Field(
        ByteSize(10 << 30), ge=1 << 20, description="bound on the stream; reached, it answers 503"
    )


class DeliverSettings(_Section):
    seconds: float = Field(5, gt=0, le=86400, description="an object is written when records wait this long")
    bytes: ByteSize = Field(ByteSize(16 << 20), gt=0, description="or when this much waits, before compression")


class RefineSettings(_Section):
    batch_bytes: ByteSize = Field(ByteSize(48 << 20), gt=0, description="most bronze, as stored, in one batch")
    memory_limit: str | None = Field(
        None, pattern=r"^[0-9]{1,9} ?[KMGT]i?B$", description="DuckDB's memory limit, for example 1GB; default its own"
    )
    bots: tuple[str, ...] = Field(
        (), description="regular expressions; a user agent in which one is found is a bot, beside the known crawlers"
    )


class RollupSettings(_Section):
    seconds: float = Field(
        60,
        ge=0,
        description="how often sessions and rollups by day are made, at most a tenth of the time; those by hour follow"
        " at once",
    )


class MaintainSettings(_Section):
    seconds: float = Field(60, gt=0, description="how often small files are looked for, to be merged")
    keep_hours: int = Field(24, ge=1, description="how long merged files stay for readers that began before")
    merge_after_hours: float = Field(1, ge=0, description="bronze's objects are merged this long after their hour")
    merge_objects: int = Field(24, ge=2, description="in an hour that has at least so many small ones")
    merge_bytes: ByteSize = Field(
        ByteSize(64 << 20), ge=1 << 20, description="most in one merged object; needs three times this in memory"
    )


class RetentionSettings(_Section):
    days: int | None = Field(None, ge=1, description="everything older is deleted, by day of arrival; default never")
    bronze_days: int | None = Field(
        None, ge=1, description="of bronze alone, if that is to go earlier; a rebuild cannot reach back further"
    )


class SourceSettings(_Section):
    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="shown as `source` in every table")
    write_key: str = Field(min_length=8, description="what its senders show; it can only append")
    enabled: bool = Field(True, description="false refuses its events with 401")
    origins: tuple[str, ...] = Field((), description="web origins that may use the key; empty means all")


class DropSettings(_Section):
    url: Url = Field(description="where others put files: file:///folder or s3://bucket/prefix")
    source: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="shown as `source`; default what the folders say"
    )
    settle_seconds: float = Field(
        5, ge=0, le=86400, description="a file that changed later than this is still being written, and left alone"
    )


class ColumnSettings(_Section):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(description="lower case letters, digits, underscores; no column of ours")
    type: ColumnType = Field(description=f"one of {', '.join(f'`{name}`' for name in get_args(ColumnType))}")
    paths: Paths = Field(
        (),
        alias="from",
        description="where it is in an event's JSON, the first that is not null;"
        " default `name`, `properties.name`, `context.name`",
    )
    meaning: str = Field("", description="for people; `penstock schema` shows it")
    strict: bool = Field(
        False, description="an event whose value does not fit goes to quarantine; else the value is null and flagged"
    )


class Settings(BaseSettings):
    """Everything. Unknown names are errors, so a typo is never a silent default."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, toml_file=FILE
    )

    data: Path = Field(Path("penstock-data"), description="folder for everything on one machine")
    lake: Url | None = Field(None, description="URL of the lake, for example s3://bucket/prefix; default in `data`")
    collect: CollectSettings = CollectSettings()
    stream: StreamSettings = StreamSettings()
    deliver: DeliverSettings = DeliverSettings()
    refine: RefineSettings = RefineSettings()
    rollup: RollupSettings = RollupSettings()
    maintain: MaintainSettings = MaintainSettings()
    retention: RetentionSettings = RetentionSettings()
    sources: tuple[SourceSettings, ...] = Field((), description="who may send; empty means anybody")
    columns: tuple[ColumnSettings, ...] = Field((), description="columns of your own in `events`")
    aliases: dict[str, Paths] = Field({}, description="column of ours → where else its value is in an event's JSON")
    drops: tuple[DropSettings, ...] = Field((), description="where others put files of events")

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

    @field_validator("sources")
    @classmethod
    def _key_tells_source(cls, sources: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
        if len({source.write_key for source in sources}) < len(sources):
            raise ValueError("two sources have the same write_key")
        return sources

    @field_validator("drops")
    @classmethod
    def _drops_lie_apart(cls, drops: tuple[DropSettings, ...], info: ValidationInfo) -> tuple[DropSettings, ...]:
        """A drop that holds the lake, or lies in it, would be fed with what it feeds."""
        urls = [f"{unquote(drop.url).rstrip('/')}/" for drop in drops]
        if len(set(urls)) < len(urls):
            raise ValueError("two drops have the same url")
        ours = [_url("file", info.data["data"])] if "data" in info.data else []
        for own in [*ours, info.data.get("lake") or ""]:
            place = f"{unquote(own).rstrip('/')}/"
            if own and any(url.startswith(place) or place.startswith(url) for url in urls):
                raise ValueError(f"a drop and {own}, where Penstock writes, are to lie apart")
        return drops

    @property
    def stream_url(self) -> str:
        return self.stream.url or _url("sqlite", self.data / "stream")

    @property
    def lake_url(self) -> str:
        return (self.lake or _url("file", self.data)).rstrip("/")

    @property
    def seen_path(self) -> Path:
        return self.data.absolute() / "drops.db"

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

    _check_environment()
    try:
        return Here(**given)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"setting {key!r}: {message}", hint=f"see docs/settings.md, or {FILE}") from error
    except UnreadableVariable as error:
        raise SettingsError(f"the environment cannot be read: {error}", hint="it is to be JSON") from error
    except (ValueError, OSError) as error:
        raise SettingsError(f"the settings file cannot be read: {error}") from error


def _check_environment() -> None:
    """Raises SettingsError for a variable with our prefix that names no setting."""
    for name in sorted(os.environ.keys() - _NOT_SETTINGS):
        start, setting = name[: len(_PREFIX)], name[len(_PREFIX) :].split("__")[0]
        if start.upper() == _PREFIX and setting.lower() not in Settings.model_fields:
            raise SettingsError(f"environment variable {name!r}: there is no such setting", hint="see docs/settings.md")
