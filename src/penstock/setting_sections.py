"""The sections of the settings, one class each: what may be said there, its default, and a line for the docs."""

from __future__ import annotations

import os
from typing import Any, Literal, get_args

from pydantic import ByteSize, ConfigDict, Field, model_validator

from .setting_types import (
    Address,
    Ancestor,
    Duration,
    HostName,
    Name,
    PasswordHash,
    Paths,
    Port,
    Private,
    Section,
    Target,
    Url,
    Zone,
)

ColumnType = Literal["VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "DECIMAL(18,2)", "BOOLEAN", "DATE", "TIMESTAMPTZ"]
MAIL_PASSWORD = "PENSTOCK_MAIL_PASSWORD"
"""In the environment only, so that it is in no file."""
_YEARS = 10


class _Listening(Section):
    """Of something that listens; its fields say more of both."""

    host: str
    port: int

    @property
    def address(self) -> str:
        """Host and port as this machine reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"


class CollectSettings(_Listening):
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


class StreamSettings(Section):
    url: Url | None = Field(None, description="where the stream is; default sqlite in the data folder")
    retention_hours: int = Field(24, ge=1, le=_YEARS * 8766, description="how long delivered records stay replayable")
    max_bytes: ByteSize = Field(
        ByteSize(10 << 30), ge=1 << 20, description="bound on the stream; reached, it answers 503"
    )


class DeliverSettings(Section):
    seconds: float = Field(5, gt=0, le=86400, description="an object is written when records wait this long")
    bytes: ByteSize = Field(ByteSize(16 << 20), gt=0, description="or when this much waits, before compression")


class RefineSettings(Section):
    engine: Literal["duckdb", "spark"] = Field(
        "duckdb", description="who makes silver: `duckdb` in this process, or `spark` on as many as it has"
    )
    spark: dict[str, str] = Field(
        {}, description='Spark\'s own settings, such as `"spark.master" = "local[4]"`; default as it was started'
    )
    batch_bytes: ByteSize = Field(ByteSize(48 << 20), gt=0, description="most bronze, as stored, in one batch")
    memory_limit: str | None = Field(
        None, pattern=r"^[0-9]{1,9} ?[KMGT]i?B$", description="DuckDB's memory limit, for example 1GB; default its own"
    )
    bots: tuple[str, ...] = Field(
        (), description="regular expressions; a user agent in which one is found is a bot, beside the known crawlers"
    )


class AthenaSettings(Section):
    database: str = Field(
        "penstock", pattern="^[a-z0-9_]{1,128}$", description="database of its tables; made if it is missing"
    )
    workgroup: str = Field(
        "penstock",
        pattern=r"^[A-Za-z0-9._-]{1,128}$",
        description="workgroup that runs the queries; one that is missing is made, with `most_bytes` as its limit",
    )
    most_bytes: ByteSize = Field(
        ByteSize(10 << 30), gt=0, description="a report that may read more is refused before it is asked"
    )


class RollupSettings(Section):
    seconds: float = Field(
        15,
        ge=0,
        description="how often sessions and rollups by day are made, at most a tenth of the time; those by hour follow"
        " at once",
    )


class MaintainSettings(Section):
    seconds: float = Field(60, gt=0, description="how often small files are looked for, to be merged")
    keep_hours: int = Field(24, ge=1, description="how long merged files stay for readers that began before")
    merge_after_hours: float = Field(1, ge=0, description="bronze's objects are merged this long after their hour")
    merge_objects: int = Field(24, ge=2, description="in an hour that has at least so many small ones")
    merge_bytes: ByteSize = Field(
        ByteSize(64 << 20), ge=1 << 20, description="most in one merged object; needs three times this in memory"
    )


class RetentionSettings(Section):
    days: int | None = Field(None, ge=1, description="everything older is deleted, by day of arrival; default never")
    bronze_days: int | None = Field(
        None, ge=1, description="of bronze alone, if that is to go earlier; a rebuild cannot reach back further"
    )


class SourceSettings(Section):
    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="shown as `source` in every table")
    write_key: str = Field(min_length=8, description="what its senders show; it can only append")
    enabled: bool = Field(True, description="false refuses its events with 401")
    origins: tuple[str, ...] = Field((), description="web origins that may use the key; empty means all")


class DropSettings(Section):
    url: Url = Field(description="where others put files: file:///folder or s3://bucket/prefix")
    source: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="shown as `source`; default what the folders say"
    )
    settle_seconds: float = Field(
        5, ge=0, le=86400, description="a file that changed later than this is still being written, and left alone"
    )


class ColumnSettings(Section):
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


class AlertSettings(Section):
    name: Name = Field(description="what it is called; no other alert is")
    report: str | None = Field(None, description="which report is asked, as `penstock reports` lists them")
    ask: dict[str, Any] = Field(
        {}, description="how: `where`, `by`, `grain`, `zone`, `bots` and the report's parameters, as a table"
    )
    column: str | None = Field(None, description="the column whose numbers are compared with `value`")
    when: Literal["above", "below"] | None = Field(
        None, description="`above` or `below`: it fires if any row is; with `anomaly`, on too many or too few only"
    )
    value: float | None = Field(None, allow_inf_nan=False, description="the threshold")
    anomaly: bool = Field(False, description="fires on what report `anomalies` finds in the last complete hour")
    last: Duration | None = Field(
        None,
        description="how far back is looked, up to now; default the last complete bucket of the report's grain, and of"
        " reports that are not by time 24h",
    )
    every: Duration = Field("5m", description="how often it is evaluated")
    repeat: Duration = Field("6h", description="how often it is told again while it holds")
    to: tuple[Target, ...] = Field(
        ("log",), min_length=1, max_length=20, description="who is told: `log`, `webhook:https://…`, `mailto:…`"
    )

    @model_validator(mode="after")
    def _is_threshold_or_anomaly(self) -> AlertSettings:
        told = (self.report, self.column, self.value)
        if self.anomaly and any(part is not None for part in (*told, self.last)):
            raise ValueError("an alert with `anomaly` has no report, column, value or last")
        if not self.anomaly and (None in told or self.when is None):
            raise ValueError("an alert has report, column, when and value, or `anomaly = true`")
        if taken := self.ask.keys() & {"since", "until", "compare", "whole", "name", "now"}:
            raise ValueError(f"`ask` cannot say {sorted(taken)[0]}")
        return self


class WebhookSettings(Section):
    allow_private: bool = Field(
        False, description="alerts may also go to addresses of this machine and of private networks"
    )


class MailSettings(Section):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    host: str | None = Field(
        None, pattern=r"^[A-Za-z0-9._:-]{1,253}$", description="SMTP server that takes alerts by e-mail"
    )
    port: Port = Field(587, description="its port")
    starttls: bool = Field(
        True, description="encrypt, and refuse a server that cannot or whose certificate is not its own"
    )
    sender: Address = Field("penstock@localhost", alias="from", description="address that they come from")
    user: str | None = Field(
        None, description=f"name to log in with, if it wants one; its password is in the environment, `{MAIL_PASSWORD}`"
    )

    @model_validator(mode="after")
    def _password_is_encrypted(self) -> MailSettings:
        if self.user is not None and not self.starttls:
            raise ValueError("a password is not sent without starttls")
        return self


class DashboardSettings(_Listening):
    host: str = Field("127.0.0.1", description="address the dashboard listens on; any but this machine's needs a login")
    port: Port = Field(8788, description="port the dashboard listens on")
    title: Name = Field("Penstock", description="name of the site, as pages show it")
    zone: Zone = Field("UTC", description="time zone of its days, for example Europe/Berlin")
    hosts: tuple[HostName, ...] = Field(
        (), description="names that browsers use for it, beside localhost and addresses"
    )
    password: PasswordHash | None = Field(
        None,
        description="what `penstock dashboard-password` prints; with one, a login is asked for on this machine too",
    )
    session_days: float = Field(30, gt=0, le=366, description="how long a login lasts")
    proxies: tuple[Private, ...] = Field(
        (), description="addresses of reverse proxies that say for whom they ask (`X-Forwarded-For`, `-Proto`)"
    )
    trusted_proxy_header: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="header in which `proxies` name the user; instead of a password",
    )
    patience_seconds: float = Field(
        0.2, ge=0, le=300, description="how long a page waits for its numbers; then it comes, and they follow"
    )
    frame_ancestors: tuple[Ancestor, ...] = Field((), description="web origins that may embed shared pages")
    sql: Literal["auto", "on", "off"] = Field(
        "auto",
        description="the SQL playground: `auto` where the system can confine a query, `on` also elsewhere, for yourself"
        " alone, `off`",
    )
    sql_seconds: float = Field(30, gt=0, le=3600, description="how long a query of the playground may take")

    @model_validator(mode="after")
    def _header_has_a_proxy(self) -> DashboardSettings:
        if self.trusted_proxy_header is not None and not self.proxies:
            raise ValueError("with trusted_proxy_header, `proxies` says from whom it is believed")
        return self
