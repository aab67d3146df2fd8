"""An answer → lines of a chart for a terminal: bars, one below the other; of long times, columns beside each other."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.cells import cell_len, set_cell_size

from ..reports.compare import is_measure
from ..reports.fill import BUCKET, RUNNING
from ..reports.run import Answer
from .output import visible

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = " ▁▂▃▄▅▆▇█"
_HEIGHT = 10
_MOST_BARS = 48
_LABEL = 44


def chart(answer: Answer, width: int | None = None) -> list[str]:
    """Of its first column of numbers."""
    table = answer.table
    wide = width or shutil.get_terminal_size((80, 24)).columns
    measures = [field.name for field in table.schema if is_measure(field, answer.question.report.keys)]
    if not measures or not table.num_rows:
        return ["nothing to draw"]
    values = [float(value or 0) for value in table[measures[0]].to_pylist()]
    names = [f.name for f in table.schema if not is_measure(f, answer.question.report.keys) and f.name != RUNNING]
    labels = [
        " ".join(_label(value) for value in row) for row in zip(*(table[n].to_pylist() for n in names), strict=True)
    ]
    labels = labels or [measures[0]] * len(values)
    if names == [BUCKET] and len(values) > _MOST_BARS:
        return [measures[0], *_columns(labels, values, wide)]
    if RUNNING in table.column_names:
        running = table[RUNNING].to_pylist()
        labels = [f"{label} …" if runs else label for label, runs in zip(labels, running, strict=True)]
    return [measures[0], *_bars(labels, values, wide)]


def _bars(labels: Sequence[str], values: Sequence[float], wide: int) -> list[str]:
    name_width = min(max(map(cell_len, labels)), _LABEL, max(8, wide // 2))
    numbers = [_number(value) for value in values]
    room = max(4, wide - name_width - max(map(len, numbers)) - 4)
    most = max(*values, 0.0) or 1.0
    return [
        f"{set_cell_size(label, name_width)}  {_bar(value / most, room)} {number}"
        for label, value, number in zip(labels, values, numbers, strict=True)
    ]


def _bar(share: float, room: int) -> str:
    eighths = round(max(share, 0) * room * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def _columns(labels: Sequence[str], values: Sequence[float], wide: int) -> list[str]:
    """A column for each bucket; for as many as a column has to show, their average."""
    axis = len(_number(max(values))) + 1
    room = max(8, wide - axis - 2)
    each = -(-len(values) // room)
    means = [sum(part) / len(part) for part in (values[at : at + each] for at in range(0, len(values), each))]
    most = max(*means, 0.0) or 1.0
    heights = [round(max(mean, 0) / most * _HEIGHT * 8) for mean in means]
    lines = []
    for row in reversed(range(_HEIGHT)):
        mark = _number(most) if row == _HEIGHT - 1 else "0" if row == 0 else ""
        cells = "".join(_LEVELS[min(max(height - row * 8, 0), 8)] for height in heights)
        lines.append(f"{mark:>{axis}} ┤{cells}".rstrip())
    ends = f"{labels[0]}{labels[-1]:>{max(len(means) - len(labels[0]), len(labels[-1]) + 1)}}"
    return [*lines, f"{'':{axis}}  {ends}", *([f"each column is the average of {each}"] if each > 1 else [])]


def _label(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes").replace("+00:00", "Z")
    return "(none)" if value is None else visible(str(value))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
