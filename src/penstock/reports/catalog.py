"""The catalog: every report is one file, `sql/<name>.sql`, which says what it answers, how to ask, and how it is done.

It begins with a block of TOML in comments, between two lines `-- ---`; then comes SQL, DuckDB's, as a Jinja template.
`<name>.gold.sql` beside it, if there is one, gives the same answer from rollups, for the questions that it says; and
`<name>.days.gold.sql`, which is asked first, for those about whole days.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from ..errors import PenstockError
from .period import Grain

_HEAD = re.compile(r"-- ---\n(.*?)-- ---\n", re.DOTALL)
_GOLD, _DAYS = ".gold.sql", ".days.gold.sql"
ANY = "any"
TYPES = ("text", "integer", "number", "boolean", "choice", "duration", "column", "steps", "texts")


@dataclass(frozen=True)
class Parameter:
    """`type` is one of TYPES. Values are bound as `$name`; numbers, choices, booleans, columns and steps are also there
    for the template: a column as its expression, steps as a list of conditions with their labels, a duration (`30m`;
    empty for none) as seconds.
    """

    name: str
    type: str
    meaning: str
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class Gold:
    """The same from `rollups`, of whose `grain` (hour or day, UTC) the period has to be made; so have its buckets.

    With the grain ANY, the rollups are of `one_day` and tell of whole days; its SQL adds what they lack, which is then
    in `events`. It is easiest said with a block in the report's own SQL, which it replaces.

    It is exact for these `grains`, with `whole` also for all of the period at once, for filters on and breakdowns by
    these columns, with these parameters, and these `choices` of others. With `parts`, the period may hold parts of
    hours: its SQL leaves those out. It reads the rollups by their names, and `sessions`.
    """

    rollups: tuple[str, ...]
    sql: str
    grain: str
    grains: tuple[Grain, ...] = ()
    filters: tuple[str, ...] = ()
    breakdowns: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    whole: bool = False
    parts: bool = False


@dataclass(frozen=True)
class Report:
    """`source` is what its SQL reads: events or sessions. `grains`: of its column `bucket`, the first is usual.

    `breakdown`: it has a column `breakdown`, for a column of the asker's choice. `finish`: a module of `finish/` that
    does what SQL cannot. `notes`: what to know of every answer. `additive`: it counts visitors by the days of their
    sessions, which is exact only for all sessions of whole days. `keys`: columns of numbers that are
    names all the same.
    """

    name: str
    title: str
    question: str
    example: str
    sql: str
    columns: Mapping[str, str]
    source: str = "events"
    grains: tuple[Grain, ...] = ()
    breakdown: bool = False
    additive: bool = False
    keys: tuple[str, ...] = ()
    finish: str | None = None
    notes: tuple[str, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    gold: tuple[Gold, ...] = ()


@cache
def reports() -> Mapping[str, Report]:
    """Every report by its name, in the order of the alphabet."""
    folder = files(__package__) / "sql"
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.name.endswith(".sql")}
    names = sorted(name.removesuffix(".sql") for name in texts if not name.endswith(_GOLD))
    return {name: read(name, texts[f"{name}.sql"], *_given(texts, name)) for name in names}


def _given(texts: Mapping[str, str], name: str) -> Iterator[str]:
    for kind in (_DAYS, _GOLD):
        if name + kind in texts:
            yield texts[name + kind]


@cache
def source(file: str) -> str:
    """The SQL in a file of the catalog."""
    return _split(file, (files(__package__) / "sql" / file).read_text(encoding="utf-8"))[1]


def report(name: str) -> Report:
    """Raises PenstockError that names those there are."""
    try:
        return reports()[name]
    except KeyError:
        raise PenstockError(f"there is no report {name!r}", hint=f"there are {', '.join(reports())}") from None


def read(name: str, text: str, *golds: str) -> Report:
    """A report from its files. Raises ValueError for a file that is not as it should be."""
    told, sql = _split(name, text)
    parameters = {key: _parameter(name, key, value) for key, value in told.pop("parameters", {}).items()}
    return Report(
        name=name,
        sql=sql,
        grains=tuple(map(Grain, told.pop("grains", ()))),
        notes=tuple(told.pop("notes", ())),
        keys=tuple(told.pop("keys", ())),
        parameters=parameters,
        gold=tuple(_gold(f"{name}.gold", gold) for gold in golds),
        **told,
    )


def _gold(name: str, text: str) -> Gold:
    told, sql = _split(name, text)
    grains = tuple(map(Grain, told.pop("grains", ())))
    lists: dict[str, Any] = {
        key: tuple(told.pop(key)) for key in ("rollups", "filters", "breakdowns", "parameters") if key in told
    }
    choices = {key: tuple(values) for key, values in told.pop("choices", {}).items()}
    return Gold(sql=sql, grains=grains, choices=choices, **told, **lists)


def _split(name: str, text: str) -> tuple[dict[str, Any], str]:
    found = _HEAD.match(text)
    if found is None:
        raise ValueError(f"{name}.sql does not begin with a block between two lines `-- ---`")
    lines = (line.removeprefix("--").removeprefix(" ") for line in found[1].splitlines())
    return tomllib.loads("\n".join(lines)), text[found.end() :].strip()


def _parameter(report: str, name: str, told: dict[str, Any]) -> Parameter:
    if told["type"] not in TYPES:
        raise ValueError(f"{report}.sql: parameter {name} has type {told['type']!r}")
    choices = tuple(told.pop("choices", ()))
    return Parameter(name, choices=choices, required="default" not in told, **told)
