"""Where in a text DuckDB means, who counts bytes; people count lines and columns, from 1."""

from __future__ import annotations


def place(text: str, position: int | str | None) -> tuple[int | None, int | None]:
    """Line and column of the byte at `position`."""
    if position is None:
        return None, None
    before = text.encode(errors="replace")[: max(0, int(position))].decode(errors="ignore")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
