"""Bronze of the last hours → the fields that silver has no column for, and how often a column's value did not fit.

Bronze is read, for silver keeps of them only what is in `properties`, as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from ..bronze.layout import arrival, hour_folder
from ..bronze.lines import Lines, read_lines
from ..collect.dialects.segment import TYPES as SEGMENT_TYPES
from ..errors import BadFile
from .columns import EVENTS, PARTITIONS, WIRE, Column
from .engines.duckdb import DuckDB
from .lake import Lake
from .schema import CASTS, Schema, parts, path_of

OBJECTS, EVENTS_READ, FIELDS = 200, 200_000, 1_000
"""Bounds: the newest objects, the events in them, the different fields that are told apart."""

_DEEPEST = 8
_EXAMPLE_CHARS = 60
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_INT64 = 1 << 63
_JUDGED_OTHERWISE = ("VARCHAR", "TIMESTAMPTZ")

Names = tuple[str, ...]


@dataclass
class Field:
    """A field without a column. `types`: JSON's word → events; `fits`: our types of its values."""

    path: str
    is_kept: bool
    example: str
    first_seen: datetime
    last_seen: datetime
    events: int = 0
    types: dict[str, int] = field(default_factory=dict)
    fits: set[str] = field(default_factory=set)

    @property
    def type(self) -> str:
        """The narrowest column type that takes all values."""
        for wide, narrow in (("DOUBLE", {"BIGINT", "DOUBLE"}), ("TIMESTAMPTZ", {"DATE", "TIMESTAMPTZ"})):
            if len(self.fits) > 1 and self.fits <= narrow:
                return wide
        return next(iter(self.fits)) if len(self.fits) == 1 else "VARCHAR"

    def saw(self, value: object, when: datetime) -> None:
        kind, fits = _kind(value)
        self.events += 1
        self.types[kind] = self.types.get(kind, 0) + 1
        self.fits.add(fits)
        self.first_seen, self.last_seen = min(self.first_seen, when), max(self.last_seen, when)


@dataclass
class Drift:
    """`conflicts`: column → events whose value did not fit it; `is_cut` says that bronze held more than was read."""

    objects: int = 0
    events: int = 0
    is_cut: bool = False
    fields: dict[Names, Field] = field(default_factory=dict)
    more_fields: bool = False
    conflicts: dict[str, int] = field(default_factory=dict)

    @property
    def unknown(self) -> list[Field]:
        """The most frequent first."""
        return sorted(self.fields.values(), key=lambda one: (-one.events, one.path))


class _Event(NamedTuple):
    dialect: str
    when: datetime
    value: dict[str, Any]


def drift(lake: Lake, since: datetime, now: datetime, *, objects: int = OBJECTS, events: int = EVENTS_READ) -> Drift:
    """What came since then; of more than `objects` or `events`, the newest."""
    found = Drift()
    known = {name: _Known.of(dialect.paths) for name, dialect in lake.schema.dialects.items()}
    engine = DuckDB(lake.schema)
    try:
        for key in _newest(lake, since, now):
            if found.objects >= objects or found.events >= events:
                found.is_cut = True
                break
            try:
                lines = read_lines(lake.bronze.get(key))
            except (BadFile, FileNotFoundError):
                continue
            when = arrival(key) or now
            engine.add(key, when, lines)
            found.objects += 1
            for event in _events(lines, when):
                found.events += 1
                _look(event, known.get(event.dialect, known["events"]), found)
        found.conflicts = _conflicts(engine)
    finally:
        engine.close()
    return found


def snippet(one: Field, schema: Schema) -> str:
    """`[[columns]]` for the settings file."""
    taken = {column.name for column in (*EVENTS, *schema.columns, *PARTITIONS)} | set(WIRE)
    name = re.sub(r"[^a-z0-9]+", "_", parts(one.path)[-1].lower()).strip("_")[:60]
    name = name if name[:1].isalpha() else f"f_{name}".rstrip("_")
    while name in taken:
        name = f"own_{name}"
    path = json.dumps(one.path, ensure_ascii=False)
    return f'[[columns]]\nname = "{name}"\ntype = "{one.type}"\nfrom = [{path}]\n'


class _Known(NamedTuple):
    """Of a dialect: paths that are read whole, and those among them whose insides are kept as text."""

    read: frozenset[Names]
    kept: frozenset[Names]

    @staticmethod
    def of(paths: Mapping[str, tuple[str, ...]]) -> _Known:
        read = frozenset(parts(path) for each in paths.values() for path in each)
        return _Known(read, frozenset(parts(path) for path in paths.get("properties", ())))


def _newest(lake: Lake, since: datetime, now: datetime) -> Iterator[str]:
    """Keys of objects that arrived since then, the newest first; only the folders of those hours are listed."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    while hour > since - timedelta(hours=1):
        keys = sorted((entry.key for entry in lake.bronze.list(hour_folder(hour))), reverse=True)
        yield from (key for key in keys if (arrival(key) or now) >= since.replace(second=0, microsecond=0))
        hour -= timedelta(hours=1)


def _events(lines: Lines, arrived: datetime) -> Iterator[_Event]:
    """The lines that are events, without the collector's envelope."""
    for text in lines.text.to_pylist():
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            continue
        if not isinstance(value, dict):
            continue
        if "penstock" in value and isinstance(value.get("event"), dict):
            yield _Event(str(value.get("dialect")), _moment(value.get("received_at"), arrived), value["event"])
        else:
            is_segment = "messageId" in value and value.get("type") in SEGMENT_TYPES
            yield _Event("segment" if is_segment else "events", arrived, value)


def _look(event: _Event, known: _Known, found: Drift) -> None:
    for names, value, is_kept in _fields(event.value, (), known, False):
        if names not in found.fields:
            if len(found.fields) >= FIELDS:
                found.more_fields = True
                continue
            example = json.dumps(value, ensure_ascii=False)[:_EXAMPLE_CHARS]
            found.fields[names] = Field(path_of(names), is_kept, example, event.when, event.when)
        found.fields[names].saw(value, event.when)


def _fields(value: dict[str, Any], above: Names, known: _Known, is_kept: bool) -> Iterator[tuple[Names, Any, bool]]:
    """(path, value, whether it is in a column's text) of what no column reads by itself; null is nothing."""
    for name, inner in value.items():
        names = (*above, name)
        inside = is_kept or names in known.kept
        is_opened = names not in known.read or names in known.kept
        if isinstance(inner, dict) and inner and is_opened and len(names) < _DEEPEST:
            yield from _fields(inner, names, known, inside)
        elif inner is not None and names not in known.read and _can_be_said(names):
            yield names, inner, is_kept


def _can_be_said(names: Names) -> bool:
    """Whether a settings file can name it."""
    return all(name and name.isprintable() and len(name) <= 100 for name in names)


def _kind(value: object) -> tuple[str, str]:
    """JSON's word for a value, and the column type that takes it."""
    match value:
        case bool():
            return "boolean", "BOOLEAN"
        case int():
            return "number", "BIGINT" if -_INT64 <= value < _INT64 else "DOUBLE"
        case float():
            return "number", "DOUBLE"
        case str():
            is_time = "TIMESTAMPTZ" if _TIME.fullmatch(value) else "VARCHAR"
            return "string", "DATE" if _DATE.fullmatch(value) else is_time
        case list():
            return "array", "VARCHAR"
    return "object", "VARCHAR"


def _moment(text: object, otherwise: datetime) -> datetime:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        return otherwise


def _as_cleaned(column: Column) -> str:
    """A wire column in its type, as `clean.sql` has it."""
    text = f"p.{column.name}"
    return CASTS["DATE"].format(x=text) if column.type == "DATE" else f"try_cast({text} as {column.type})"


def _conflicts(engine: DuckDB) -> dict[str, int]:
    """Column → events that were flagged for it, or quarantined if it is strict."""
    engine.clean()
    told = {c.name: (c.name, _as_cleaned(c)) for c in EVENTS if c.name in WIRE and c.type not in _JUDGED_OTHERWISE}
    told |= {own.name: (own.text, f"p.{own.value}") for own in engine.own}
    counts = ", ".join(f"count(*) filter (p.{sent} is not null and {value} is null)" for sent, value in told.values())
    [row] = engine.ask(
        f"""
        select {counts} from parsed as p
        join cleaned as c on c.bronze_file = p.bronze_file and c.bronze_line = p.bronze_line
        where c.reason = 'bad_column' or (c.reason is null and contains(c.flags, 'type_conflict'))
        """
    )
    return {name: events for name, events in zip(told, row, strict=True) if events}
