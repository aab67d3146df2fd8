"""For developers, `python -m penstock.cli.docs`: what docs/ says of settings, commands and columns, from the code.

A page holds a block between `<!-- generated: name -->` and `<!-- end -->`; the rest is written by hand.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin

import typer
from pydantic import BaseModel, ByteSize
from typer.models import ArgumentInfo

from .. import event
from ..collect import REFUSALS
from ..collect.dialects import all_dialects
from ..gold.by_day import DAYS
from ..gold.catalog import ROLLUPS
from ..gold.sessions import SESSIONS
from ..gold.steps import STEPS
from ..gold.walks import WALKS
from ..reports.catalog import Parameter, Report
from ..reports.catalog import reports as catalog
from ..setting_sections import AlertSettings, ColumnSettings, DropSettings, SourceSettings
from ..settings import Settings
from ..silver.columns import EVENTS, LEDGER, LEDGER_PARTITIONS, PARTITIONS, QUARANTINE, Column
from ..silver.quarantine import REASONS
from .main import app
from .output import say

_BLOCK = re.compile(r"(<!-- generated: ([a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_DEPENDS = {"collect.processes": "2, with one processor 1"}


def write(folder: Path) -> None:
    """Bring the generated parts of the pages up to date."""
    for page in sorted(folder.rglob("*.md")):
        text = page.read_text()
        if (new := fill(text)) != text:
            page.write_text(new)
            say(f"{page} written")


def fill(page: str) -> str:
    """A page with its generated blocks as the code wants them. Raises KeyError for a block that nobody makes."""
    return _BLOCK.sub(lambda found: found[1] + "\n" + BLOCKS[found[2]]() + "\n" + found[3], page)


# settings


def settings() -> str:
    parts = [_heading("Top level"), _settings_table(Settings, "")]
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            parts += [_heading(f"`[{name}]`"), _settings_table(field.annotation, name)]
    parts += [_heading("`[[columns]]`, one block for each of your own"), _settings_table(ColumnSettings, "columns")]
    parts += [_heading("`[[sources]]`, one block for each sender"), _settings_table(SourceSettings, "sources")]
    parts += [_heading("`[[drops]]`, one block for each place"), _settings_table(DropSettings, "drops")]
    parts += [_heading("`[[alerts]]`, one block for each"), _settings_table(AlertSettings, "alerts")]
    return "\n".join(parts)


def _settings_table(model: type[BaseModel], section: str) -> str:
    head = ("Name", "Default", "Environment", "Meaning")
    if section in ("columns", "sources", "drops", "alerts"):
        return _table(("Name", "Default", "Meaning"), ([f"`{n}`", d, m] for n, d, m in _fields(model, section)))
    prefix = f"{section}__" if section else ""
    return _table(
        head,
        ([f"`{name}`", d, f"`PENSTOCK_{(prefix + name).upper()}`", m] for name, d, m in _fields(model, section)),
    )


def _fields(model: type[BaseModel], section: str) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        if field.description:
            default = "required" if field.is_required() else _default(field.default)
            yield field.alias or name, _DEPENDS.get(f"{section}.{name}", default), field.description


def _default(value: Any) -> str:
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, ByteSize):
        return f"`{value.human_readable().replace('.0', '')}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


# commands


def commands() -> str:
    return "\n".join(_commands(app, "penstock"))


def _commands(app: typer.Typer, path: str) -> Iterator[str]:
    """A section for each command, those of groups too."""
    for command in app.registered_commands:
        function = command.callback
        if function is not None and not command.hidden:
            yield _heading(f"`{path} {command.name or function.__name__}`")
            yield f"{inspect.cleandoc(function.__doc__ or '')}\n"
            yield _table(("Option", "Default", "Meaning"), _parameters(function))
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from _commands(group.typer_instance, f"{path} {group.name}")


def _parameters(function: Callable[..., Any]) -> Iterator[Sequence[str]]:
    for name, parameter in inspect.signature(function, eval_str=True).parameters.items():
        kind, info = get_args(parameter.annotation)
        if isinstance(info, ArgumentInfo):
            many = "..." if get_origin(kind) is list else ""
            yield f"`{info.metavar or name.upper()}{many}`", "", info.help or ""
            continue
        choices = ", ".join(f"`{choice}`" for choice in kind) if isinstance(kind, type(StrEnum)) else ""
        meaning = f"{info.help}{f' One of {choices}.' if choices else ''}"
        default = info.show_default if isinstance(info.show_default, str) else parameter.default
        shown = "required" if default is parameter.empty else _default(default or None)
        # In Annotated, Typer takes the first name of an option for its default until it builds the command.
        yield f"`{(info.param_decls or (info.default,))[0]}`", shown, meaning


# formats


def limits() -> str:
    return _table(
        ("What", "At most", "Beyond it"),
        [
            ("a request's body, as sent", f"{event.BODY_BYTES:,} bytes", "413 `body_too_large`"),
            ("the same, decompressed", f"{event.DECOMPRESSED_BYTES:,} bytes", "413 `decompressed_too_large`"),
            *(
                (f"events in a request of dialect `{dialect.name}`", f"{dialect.max_events:,}", "413 `too_many_events`")
                for dialect in all_dialects().values()
                if dialect.routes
            ),
            ("one event", f"{event.EVENT_BYTES:,} bytes", f"`{event.EVENT_TOO_LARGE}`"),
            ("nesting of one event", f"{event.DEPTH} levels", f"`{event.TOO_DEEP}`"),
            ("keys in one event, at all levels", f"{event.KEYS}", f"`{event.TOO_MANY_KEYS}`"),
            ("user agent that is kept", f"{event.USER_AGENT_CHARS:,} characters", "cut"),
        ],
    )


def refusals() -> str:
    by_status = sorted(set(REFUSALS.values()))
    listed = ([f"`{code}`" for code, found in REFUSALS.items() if found == status] for status in by_status)
    return _table(("Status", "Codes"), ((str(s), ", ".join(codes)) for s, codes in zip(by_status, listed, strict=True)))


def names(dialect: str) -> str:
    found = all_dialects()[dialect].paths
    return _table(
        ("Column", "Looked for in, the first that is not null"),
        ((f"`{column}`", ", ".join(f"`{path}`" for path in paths)) for column, paths in found.items()),
    )


def routes(dialect: str) -> str:
    return " ".join(f"`{route}`" for route in all_dialects()[dialect].routes) + "\n"


def columns(of: Sequence[Column]) -> str:
    return _table(("Column", "Type", "Meaning"), ((f"`{c.name}`", c.type, c.meaning) for c in of))


def rollups() -> str:
    return "\n".join(f"### {rollup.name}\n\n{rollup.meaning}\n\n{columns(rollup.columns)}" for rollup in ROLLUPS)


def reasons() -> str:
    return _table(("Reason", "Meaning", "What to do"), ((f"`{reason}`", *told) for reason, told in REASONS.items()))


def all_reports() -> str:
    return "\n".join("\n".join(_report(one)) for one in catalog().values())


def _report(report: Report) -> Iterator[str]:
    yield _heading(f"`{report.name}`")
    yield f"{report.question}\n\n    {report.example}\n"
    yield _table(("Column", "Meaning"), ((f"`{name}`", meaning) for name, meaning in report.columns.items()))
    if report.parameters:
        yield _table(
            ("Parameter", "Default", "Meaning"),
            (
                (f"`{p.name}`", "required" if p.required else _given(p.default), _meaning(p))
                for p in report.parameters.values()
            ),
        )
    told = [f"`--grain {', '.join(report.grains)}`."] if report.grains else []
    told += ["`--by` any column."] if report.breakdown else []
    told += [f"{note[0].upper()}{note[1:]}." for note in report.notes]
    if told:
        yield " ".join(told) + "\n"


def _given(value: Any) -> str:
    return "" if value in (None, "", []) else f"`{value}`"


def _meaning(parameter: Parameter) -> str:
    choices = f"; one of {', '.join(f'`{choice}`' for choice in parameter.choices)}" if parameter.choices else ""
    return parameter.meaning + choices


BLOCKS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "commands": commands,
    "limits": limits,
    "refusals": refusals,
    "names in events": lambda: names("events"),
    "names in segment": lambda: names("segment"),
    "routes of segment": lambda: routes("segment"),
    "columns of events": lambda: columns([*EVENTS, *PARTITIONS]),
    "columns of quarantine": lambda: columns(QUARANTINE),
    "columns of ledger": lambda: columns([*LEDGER, *LEDGER_PARTITIONS]),
    "rollups": rollups,
    "columns of sessions": lambda: columns([*SESSIONS, *DAYS]),
    "columns of steps": lambda: columns([*STEPS, *DAYS]),
    "columns of walks": lambda: columns([*WALKS, *DAYS]),
    "reasons": reasons,
    "reports": all_reports,
}


def _heading(text: str) -> str:
    return f"## {text}\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    write(Path("docs"))
