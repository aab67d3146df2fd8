"""All settings, typed, with the one-machine defaults: file `penstock.toml` < environment `PENSTOCK_…` < flag."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from pydantic import ByteSize, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings import SettingsError as UnreadableVariable

from .errors import SettingsError
from .setting_sections import (
    MAIL_PASSWORD,
    AlertSettings,
    AthenaSettings,
    CollectSettings,
    ColumnSettings,
    DashboardSettings,
    DeliverSettings,
    DropSettings,
    MailSettings,
    MaintainSettings,
    RefineSettings,
    RetentionSettings,
    RollupSettings,
    SourceSettings,
    StreamSettings,
    WebhookSettings,
)
from .setting_types import Paths, TableName, Url

FILE = "penstock.toml"
_PREFIX = "PENSTOCK_"
_NOT_SETTINGS = {"PENSTOCK_HANDED_DOWN", MAIL_PASSWORD}


class Settings(BaseSettings):
    """Everything. Unknown names are errors, so a typo is never a silent default."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, toml_file=FILE
    )

    data: Path = Field(Path("penstock-data"), description="folder for everything on one machine")
    lake: Url | None = Field(None, description="URL of the lake, for example s3://bucket/prefix; default in `data`")
    gold: Url | None = Field(None, description="where the rollups are: dynamodb://table; default sqlite in `data`")
    counters_table: TableName | None = Field(None, description="the AWS function `count` fills it, `counts` reads it")
    read_only: bool = Field(False, description="only ask the lake, which others fill; gold is made in `data`")
    cache_bytes: ByteSize = Field(
        ByteSize(10 << 30), ge=1 << 20, description="most that copies of Parquet files of a lake in a bucket take here"
    )
    collect: CollectSettings = CollectSettings()
    stream: StreamSettings = StreamSettings()
    deliver: DeliverSettings = DeliverSettings()
    refine: RefineSettings = RefineSettings()
    athena: AthenaSettings = AthenaSettings()
    rollup: RollupSettings = RollupSettings()
    maintain: MaintainSettings = MaintainSettings()
    retention: RetentionSettings = RetentionSettings()
    sources: tuple[SourceSettings, ...] = Field((), description="who may send; empty means anybody")
    columns: tuple[ColumnSettings, ...] = Field((), description="columns of your own in `events`")
    aliases: dict[str, Paths] = Field({}, description="column of ours → where else its value is in an event's JSON")
    drops: tuple[DropSettings, ...] = Field((), description="where others put files of events")
    prices: dict[str, float] = Field({}, description="your own prices of AWS, in US dollars, instead of the listed")
    dashboard: DashboardSettings = DashboardSettings()
    webhooks: WebhookSettings = WebhookSettings()
    mail: MailSettings = MailSettings()
    alerts: tuple[AlertSettings, ...] = Field(
        (), description="who is told when a report's numbers are not as they should be"
    )

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

    @field_validator("alerts")
    @classmethod
    def _alerts_can_be_told(cls, alerts: tuple[AlertSettings, ...], info: ValidationInfo) -> tuple[AlertSettings, ...]:
        if len({alert.name for alert in alerts}) < len(alerts):
            raise ValueError("two alerts have the same name")
        by_mail = any(target.startswith("mailto:") for alert in alerts for target in alert.to)
        if by_mail and "mail" in info.data and info.data["mail"].host is None:
            raise ValueError("an alert goes by e-mail, but [mail] host does not say through which server")
        return alerts

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
    def saved_path(self) -> Path:
        return self.data.absolute() / "dashboard.db"

    @property
    def gold_url(self) -> str:
        return self.gold or _url("sqlite", self.gold_path)

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
