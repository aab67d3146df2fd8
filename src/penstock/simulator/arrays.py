"""Columns of numbers and their text: what the other files of the simulator reckon with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Columns = dict[str, Array]
"""Name → one number per event; all have the same length."""

_64 = (1 << 64) - 1


def length(columns: Columns) -> int:
    return len(columns["at"])


def take(columns: Columns, which: Array | slice) -> Columns:
    return {name: column[which] for name, column in columns.items()}


def joined(parts: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def mixed(numbers: Array, salt: int) -> Array:
    """64 bits that look random (splitmix64); different numbers of one salt give different ones."""
    x = numbers.astype(np.uint64) + np.uint64((salt + 1) * 0x9E3779B97F4A7C15 & _64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def chance(numbers: Array, salt: int) -> Array:
    """From 0 to below 1, always the same for the same number."""
    return (mixed(numbers, salt) >> np.uint64(11)) * 2.0**-53


def uuids(numbers: Array, salt: int) -> list[str]:
    high = mixed(numbers, salt) & np.uint64(_64 ^ 0xF000) | np.uint64(0x4000)
    low = mixed(numbers, salt + 1) & np.uint64(_64 >> 2) | np.uint64(1 << 63)
    h = np.stack([high, low], axis=1).astype(">u8").tobytes().hex()
    return [
        f"{h[i : i + 8]}-{h[i + 8 : i + 12]}-{h[i + 12 : i + 16]}-{h[i + 16 : i + 20]}-{h[i + 20 : i + 32]}"
        for i in range(0, len(h), 32)
    ]


def texts(codes: Array, render: Callable[[int], str]) -> list[str]:
    """`render(code)` for each; called once per distinct code, so a line is put together from few ready pieces."""
    distinct, places = np.unique(codes, return_inverse=True)
    rendered = [render(code) for code in distinct.tolist()]
    return [rendered[place] for place in places.tolist()]


def times(at: Array) -> list[str]:
    """Milliseconds since 1970 → `2026-02-01T12:00:00.000`."""
    rendered: list[str] = np.datetime_as_string(at.astype("datetime64[ms]")).tolist()
    return rendered


def time_text(at: int) -> str:
    """`2026-02-01T12:00:00.000Z`"""
    return f"{np.datetime64(at, 'ms')}Z"


def milliseconds(text: str) -> int:
    """The other way round."""
    return int(np.datetime64(text.removesuffix("Z"), "ms").astype(np.int64))


def days(at: Array) -> Array:
    return at // 86_400_000


def day_text(day: int) -> str:
    return str(np.datetime64(day, "D"))


def in_order(session: Array, within: Array) -> Array:
    """The order by session, then by a number below 2^24; what is equal stays as it is."""
    return np.argsort((session.astype(np.int64) << 24) + within, kind="stable")


def runs(counts: Array) -> tuple[Array, Array]:
    """(0,0,0,1,1,…) and (0,1,2,0,1,…): for each piece of groups of these sizes, its group and its place in it."""
    group = np.repeat(np.arange(len(counts)), counts)
    return group, np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
