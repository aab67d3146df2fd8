"""A report's parameters as they were given → values to bind, and what its template may use. Pure.

A step is an event type and, if need be, filters after ` & `: `page_view & page_path=/pricing & utm_source=google`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite
from typing import Any, NamedTuple

from ..clock import duration
from ..errors import PenstockError
from .catalog import Parameter, Report
from .filters import Columns, column_sql, condition, parse

_AND = re.compile(r"\s+&\s+")
_TEXT_CHARS = 2000


class Step(NamedTuple):
    """`label` is what was asked; `sql` is the condition on a row of events."""

    label: str
    sql: str


@dataclass
class Given:
    """`bound`: for SQL's `$name`; `rendered`: for the template, nothing in it that anybody else wrote as SQL."""

    bound: dict[str, Any] = field(default_factory=dict)
    rendered: dict[str, Any] = field(default_factory=dict)


def given(report: Report, values: Mapping[str, Any], columns: Columns) -> Given:
    """Raises PenstockError for a parameter that is unknown or missing, and for a value that does not fit."""
    for name in values.keys() - report.parameters.keys():
        known = ", ".join(report.parameters) or "none"
        raise PenstockError(f"report {report.name} has no parameter {name!r}", hint=f"its parameters: {known}")
    found = Given()
    for name, parameter in report.parameters.items():
        value = values.get(name)
        if value is None:
            if parameter.required:
                raise PenstockError(f"report {report.name} needs {name}: {parameter.meaning}", hint=report.example)
            value = parameter.default
        try:
            _take(found, parameter, value, columns)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise PenstockError(
                f"{name} of report {report.name} cannot be {_told(value)!r}{f': {error}' if str(error) else ''}",
                hint=f"it is of type {parameter.type}: {parameter.meaning}",
            ) from None
    return found


def _told(value: Any) -> str:
    listed = isinstance(value, list | tuple)
    return (", ".join(map(str, value)) if listed else str(value))[:80]


def _take(found: Given, parameter: Parameter, value: Any, columns: Columns) -> None:
    name = parameter.name
    if parameter.type == "steps":
        found.rendered[name] = _steps(found, name, _texts(value, parameter), columns)
    elif parameter.type == "column":
        found.rendered[name] = column_sql(str(value), columns)
    elif parameter.type in ("text", "texts"):
        found.bound[name] = _text(value) if parameter.type == "text" else _texts(value, parameter)
    else:
        found.bound[name] = found.rendered[name] = _plain(parameter, value)


def _plain(parameter: Parameter, value: Any) -> Any:
    if parameter.type == "choice":
        if value not in parameter.choices:
            raise ValueError(f"choose one of {', '.join(parameter.choices)}")
        return str(value)
    if parameter.type == "boolean":
        if (word := str(value).lower()) not in ("true", "false"):
            raise ValueError("write true or false")
        return word == "true"
    if parameter.type == "duration":
        return int(duration(str(value)).total_seconds()) if value else 0
    number = int(str(value)) if parameter.type == "integer" else float(Decimal(str(value)))
    if not isfinite(number):
        raise ValueError
    low, high = parameter.least, parameter.most
    if not (low is None or number >= low) or not (high is None or number <= high):
        raise ValueError(f"it is to be from {low if low is not None else '…'} to {high if high is not None else '…'}")
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _TEXT_CHARS or "\0" in value:
        raise ValueError("a text of at most 2000 characters is expected")
    return value


def _texts(value: Any, parameter: Parameter) -> list[str]:
    texts = [] if value is None else [value] if isinstance(value, str) else list(map(_text, value))
    low, high = parameter.least or 0, parameter.most or 100
    if not low <= len(texts) <= high:
        raise ValueError(f"{int(low)} to {int(high)} of them are expected")
    return texts


def _steps(found: Given, name: str, texts: Sequence[str], columns: Columns) -> list[Step]:
    steps = []
    for number, text in enumerate(texts):
        event, *filters = _AND.split(text.strip())
        if not event or "=" in event:
            raise ValueError("a step begins with an event type, filters follow after ' & '")
        event_name = f"{name}_{number}_event"
        where = condition(map(parse, filters), columns, f"{name}_{number}")
        found.bound |= {event_name: event, f"{name}_{number}_label": text.strip(), **where.values}
        steps.append(Step(text.strip(), f"(event_type = ${event_name} and {where.sql})"))
    return steps
