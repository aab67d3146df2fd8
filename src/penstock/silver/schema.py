"""What the settings add to silver, as one value: columns of the user's own, further names of ours, further bots.

Engines, tables and views are given it; without anything added it is `Schema()`, and costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from importlib.resources import files as resources

from ..collect.dialects import Dialect, all_dialects
from ..errors import SettingsError
from .columns import EVENTS, PARTITIONS, WIRE, Column

CLEAN_SQL = (resources("penstock.silver") / "clean.sql").read_text()
_RULES = 1
"""To be raised when the rules change that are not in `clean.sql`: of parsing, user agents, referrers, properties."""
_LIBRARIES = ("crawler-user-agents", "ua-parser")

_MARK = "/* own columns */"
_PART = r'"(?:[^"\\]|\\.)*"|[^."]+'
_PATH_CHARS, _COLUMNS, _PATHS = 500, 200, 16

CASTS = {
    "VARCHAR": "{x}",
    "BIGINT": "case when try_cast({x} as double) = try_cast({x} as bigint) then try_cast({x} as bigint) end",
    "INTEGER": "case when try_cast({x} as double) = try_cast({x} as integer) then try_cast({x} as integer) end",
    "DOUBLE": "case when abs(try_cast({x} as double)) <= 1.7976931348623157e308 then try_cast({x} as double) end",
    "DECIMAL(18,2)": "try_cast({x} as decimal(18, 2))",
    "BOOLEAN": "case when lower({x}) in ('true', '1') then true when lower({x}) in ('false', '0') then false end",
    "DATE": "case when {x} like '____-__-__%'"
    " and try_cast({x} as date) between date '0001-01-01' and date '9999-12-31' then try_cast({x} as date) end",
    "TIMESTAMPTZ": """case
        when not ({x} between '0' and ':') or right({x}, 6) between '+15:00' and '+99:99'
          or right({x}, 6) between '-15:00' and '-99:99' then null
        when {x} like '____-__-__%' then case when try_cast({x} as timestamptz)
            between timestamptz '0001-01-01 00:00:00+00' and timestamptz '9999-12-31 23:59:59+00'
            then try_cast({x} as timestamptz) end
        when try_cast({x} as double) < 100000000000
            then make_timestamptz((try_cast({x} as double) * 1000000)::bigint)
        when try_cast({x} as double) < 100000000000000
            then make_timestamptz((try_cast({x} as double) * 1000)::bigint)
        when try_cast({x} as double) < 100000000000000000 then make_timestamptz(try_cast({x} as double)::bigint)
    end""",
}
"""Type → SQL from text; null is what does not fit. 12.5 is no whole number, infinity is none at all, nor year 10000."""


@dataclass(frozen=True)
class Extra:
    """A column of the user's own. `paths`: where it is in an event's JSON, the first that is not null wins.

    A value that does not fit is null and flagged; if `strict`, its event goes to quarantine.
    """

    name: str
    type: str
    paths: tuple[str, ...] = ()
    meaning: str = ""
    strict: bool = False

    @property
    def column(self) -> Column:
        return Column(self.name, self.type, self.meaning, (self.text,))

    @property
    def text(self) -> str:
        """What `parsed` calls the value as it was sent; no name of ours begins like this."""
        return f"x_{self.name}"

    @property
    def value(self) -> str:
        """What `parsed` and `cleaned` call the value in its type."""
        return f"v_{self.name}"

    @property
    def places(self) -> tuple[str, ...]:
        return self.paths or (self.name, f"properties.{self.name}", f"context.{self.name}")


@dataclass(frozen=True)
class Schema:
    """`aliases`: wire column → paths that are looked at after the built-in ones; `bots`: patterns of user agents.

    Raises SettingsError for what cannot be.
    """

    extra: tuple[Extra, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    bots: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(self)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The user's own."""
        return tuple(extra.column for extra in self.extra)

    @cached_property
    def dialects(self) -> Mapping[str, Dialect]:
        """Every dialect, which also knows the aliases and the user's own columns."""
        if not (self.extra or self.aliases):
            return all_dialects()
        own = {extra.text: extra.places for extra in self.extra}
        return {name: replace(d, paths={**_with(d.paths, self.aliases), **own}) for name, d in all_dialects().items()}

    @cached_property
    def wire(self) -> tuple[str, ...]:
        """Every column of `parsed` that is text."""
        return (*WIRE, *(extra.text for extra in self.extra))

    @cached_property
    def fingerprint(self) -> str:
        """The same for the same rules: of rows with another one, a rebuild may make something else."""
        own = [[e.name, e.type, e.places, e.strict] for e in self.extra]
        built_in = {name: [dict(d.paths), dict(d.event_types)] for name, d in all_dialects().items()}
        libraries = {name: version(name) for name in _LIBRARIES}
        rules = [own, dict(self.aliases), self.bots, CLEAN_SQL, built_in, libraries, _RULES]
        return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()[:16]

    def is_bot(self, user_agent: str) -> bool:
        """By the user's own patterns."""
        return any(re.search(pattern, user_agent) for pattern in self.bots)

    def there(self, columns: AbstractSet[str]) -> list[Extra]:
        """The user's own columns that are among those of a batch."""
        return [extra for extra in self.extra if extra.text in columns]

    def typed_sql(self, parsed: str, columns: AbstractSet[str]) -> str:
        """`parsed` with the user's own values in their types, whether one did not fit, and which strict one."""
        there = self.there(columns)
        if not there:
            return f"select *, false as own_conflict, null::varchar as own_fault from ({parsed})"
        values = ", ".join(f"{CASTS[e.type].format(x=e.text)} as {e.value}" for e in there)
        wrong = {e: f"({e.text} is not null and {e.value} is null)" for e in there}
        faults = " ".join(f"when {wrong[e]} then '{e.name} ' || left({e.text}, 60)" for e in there if e.strict)
        return f"""
            select *, {" or ".join(wrong.values())} as own_conflict,
                   {f"case {faults} end" if faults else "null::varchar"} as own_fault
            from (select *, {values} from ({parsed}))
        """

    def clean_sql(self, columns: AbstractSet[str]) -> str:
        """`clean.sql`, which also gives the user's own columns that are there."""
        return CLEAN_SQL.replace(_MARK, "".join(f"t.{extra.value}, " for extra in self.there(columns)))


def parts(path: str) -> tuple[str, ...]:
    """`properties."a.b".c` → ("properties", "a.b", "c"). A quoted part is a JSON text. Raises SettingsError."""
    try:
        if len(path) > _PATH_CHARS or not re.fullmatch(rf"(?:{_PART})(?:\.(?:{_PART}))*", path):
            raise ValueError
        found = tuple(json.loads(part) if part.startswith('"') else part for part in re.findall(_PART, path))
        if len(found) > _PATHS or not all(part and part.isprintable() for part in found):
            raise ValueError
    except ValueError:
        raise SettingsError(
            f"{path[:80]!r} is no path in an event's JSON",
            hint='names with dots between them, as in properties.plan; an odd name in quotes: properties."my.plan"',
        ) from None
    return found


def path_of(names: Collection[str]) -> str:
    """The path that `parts` takes apart into these names."""
    return ".".join(name if re.fullmatch(r"[\w-]+", name) else json.dumps(name, ensure_ascii=False) for name in names)


def _with(paths: Mapping[str, tuple[str, ...]], aliases: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    more = {name: (*paths.get(name, ()), *further) for name, further in aliases.items()}
    return {**paths, **more}


_OF_REPORTS = {"session", "known_as", "local_ts"}
"""What reports call columns that they make of ours, beside which a user's own would stand twice."""


def _check(schema: Schema) -> None:
    """Raises SettingsError that names the key."""
    for key, problem in _problems(schema):
        raise SettingsError(f"setting {key!r}: {problem}", hint="see docs/formats.md, Columns of your own")
    for key, path in _all_paths(schema):
        try:
            parts(path)
        except SettingsError as error:
            raise SettingsError(f"setting {key!r}: {error}", hint=error.hint) from error


def _problems(schema: Schema) -> Iterator[tuple[str, str]]:
    ours = {column.name for column in (*EVENTS, *PARTITIONS)} | set(WIRE) | _OF_REPORTS
    seen: set[str] = set()
    if len(schema.extra) > _COLUMNS:
        yield "columns", f"at most {_COLUMNS} are possible"
    for number, extra in enumerate(schema.extra):
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", extra.name):
            yield f"columns.{number}.name", f"{extra.name!r} is to be lower case letters, digits and underscores"
        if extra.name in ours:
            more = "; [aliases] says where else its value is" if extra.name in WIRE else ""
            yield f"columns.{number}.name", f"{extra.name!r} is a column of ours, choose another name{more}"
        if extra.name in seen:
            yield f"columns.{number}.name", f"{extra.name!r} is there twice, remove one"
        if extra.type not in CASTS:
            yield f"columns.{number}.type", f"{extra.type!r} is no type, choose one of {', '.join(CASTS)}"
        seen.add(extra.name)
    for name in schema.aliases:
        if name not in WIRE:
            yield f"aliases.{name}", f"there is no such column, choose one of {', '.join(WIRE)}"
    for number, pattern in enumerate(schema.bots):
        try:
            if re.compile(pattern).search(""):
                yield f"refine.bots.{number}", f"{pattern!r} finds every user agent, say more of the bot's name"
        except re.error as error:
            yield f"refine.bots.{number}", f"{pattern!r} is no regular expression: {error}"


def _all_paths(schema: Schema) -> Iterator[tuple[str, str]]:
    for number, extra in enumerate(schema.extra):
        yield from ((f"columns.{number}.from", path) for path in extra.paths)
    for name, paths in schema.aliases.items():
        yield from ((f"aliases.{name}", path) for path in paths)


NOTHING_ADDED = Schema()
