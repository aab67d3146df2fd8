"""`schema`: the table of events as the settings make it, its DDL, and what the senders send beside it."""

from __future__ import annotations

from typing import Annotated

import typer

from ..clock import duration, utc_now
from ..errors import SettingsError
from ..pipeline import Pipeline
from ..reports.views import views
from ..settings import load
from ..silver.columns import EVENTS, PARTITIONS, Column
from ..silver.ddl import Engine
from ..silver.ddl import ddl as statements
from ..silver.drift import Drift, snippet
from ..silver.drift import drift as look
from .options import As, Config, Data, existing
from .output import Format, note, rows, say


def add_to(app: typer.Typer) -> None:
    app.command()(schema)


def schema(
    ddl: Annotated[Engine | None, typer.Option("--ddl", help="Statements that make the tables known there.")] = None,
    drift: Annotated[bool, typer.Option("--drift", help="Fields in bronze that no column takes.")] = False,
    last: Annotated[str, typer.Option("--last", help="How far back --drift looks: 90m, 24h, 7d.")] = "24h",
    format: As = Format.table,
    data: Data = None,
    config: Config = None,
) -> None:
    """The columns of `events`, with those of the settings; their DDL; or fields that have no column."""
    if ddl is not None and drift:
        raise SettingsError("--ddl and --drift are two questions", hint="ask one at a time")
    if ddl is not None:
        with existing(data, config) as lake:
            say(statements(lake.pipeline.lake.silver, ddl))
        if ddl is not Engine.duckdb:
            say("\n-- Rollups, reckoned from `events` whenever they are asked; in a session whose time zone is UTC.")
            for view in views(ddl):
                say(f"\n{view};")
    elif drift:
        back, now = duration(last), utc_now()
        with existing(data, config) as lake:
            found = look(lake.pipeline.lake, now - back, now)
            _tell(found, lake.pipeline, format)
    else:
        _columns(Pipeline(load(config, data=data)), format)


def _columns(way: Pipeline, format: Format) -> None:
    """From the settings alone: there need be no lake yet."""
    dialects = way.schema.dialects
    places = {**dialects["segment"].paths, **dialects["events"].paths}
    own = {extra.name: extra.places for extra in way.schema.extra}
    listed = [(c, own.get(c.name, places.get(c.name, ()))) for c in (*EVENTS, *way.schema.columns, *PARTITIONS)]
    rows(("column", "type", "meaning", "from"), [(c.name, c.type, c.meaning, ", ".join(p)) for c, p in listed], format)
    if format is Format.table:
        say(f"rules {way.schema.fingerprint}")
        for stored in _stored_otherwise(way):
            note(f"{stored.name} is stored as {stored.type}; `penstock rebuild` of everything applies the settings")


def _stored_otherwise(way: Pipeline) -> list[Column]:
    """Columns that the lake has, if there is one, in another type than the settings say."""
    if way.settings.lake is None and not way.settings.data.is_dir():
        return []
    events = way.lake.silver.events
    return [column for column in events.shown() if column not in events.columns]


def _tell(found: Drift, way: Pipeline, format: Format) -> None:
    rows(
        ("field", "events", "types", "example", "first_seen", "last_seen", "in_silver"),
        [
            (
                one.path,
                one.events,
                ", ".join(f"{kind} {n}" if len(one.types) > 1 else kind for kind, n in sorted(one.types.items())),
                one.example,
                one.first_seen,
                one.last_seen,
                "properties" if one.is_kept else "no",
            )
            for one in found.unknown
        ],
        format,
    )
    if format is not Format.table:
        return
    for name, events in sorted(found.conflicts.items()):
        say(f"{name}: {events} values did not fit the column")
    if found.unknown:
        say("\nto have them as columns, put into penstock.toml what is worth it:\n")
        for one in found.unknown:
            say(snippet(one, way.schema))
    note(f"{found.events} events of {found.objects} objects{', the newest' if found.is_cut else ''} were looked at")
    if found.more_fields:
        note(f"there are more fields than the {len(found.fields)} that are shown")
