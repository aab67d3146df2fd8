"""Bronze by key, wherever the bytes lie: in an object of that name, or inside a merged object of its hour.

A key is valid for ever: silver's rows and the ledger name it. An object of its own wins over one inside a merged
object, so what is written again (a replay that heals a damaged object) counts at once.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence

from ..objects import Entry, Objects
from .layout import NOT_DATA, hour_of, is_merged, span
from .merged import MergedObject, Part, read_index

_KEPT_HOURS = 48


class Bronze(Objects):
    """The objects by their own names; `objects` is what really lies there."""

    def __init__(self, objects: Objects) -> None:
        super().__init__(objects.url)
        self.objects = objects
        self._hours: dict[str, Sequence[MergedObject]] = {}
        self._lock = threading.Lock()

    def put(self, key: str, data: bytes, *, create: bool = False) -> bool:
        """Store durably; with `create`, only if the key is free. Returns False when it was taken."""
        if not create and self._holds(key, data):
            return True
        return self.objects.put(key, data, create=create)

    def get(self, key: str) -> bytes:
        """The whole object. Raises FileNotFoundError."""
        try:
            return self.objects.get(key)
        except FileNotFoundError:
            # What is remembered may be out of date, but is never wrong: a name stands for the same bytes for ever.
            for find in (self._remembered, self._place):
                with contextlib.suppress(FileNotFoundError):
                    if (place := find(key)) is not None:
                        return self._read(*place)
            raise

    def exists(self, key: str) -> bool:
        return self.objects.exists(key) or self._place(key) is not None

    def list(self, folder: str = "", *, after: str | None = None) -> Iterator[Entry]:
        """Every object below `folder`, each once, in no particular order; merged ones are shown as what is in them."""
        seen = set()
        for entry in self.objects.list(folder, after=after):
            if not is_merged(entry.key):
                yield entry
                if span(entry.key) is not None:
                    seen.add(entry.key)
        if folder.startswith(NOT_DATA):
            return
        # Only now, after all originals: one that was merged and deleted meanwhile was in an index before.
        inside = (entry.key for entry in self.objects.list(hour_of(folder) or folder) if is_merged(entry.key))
        for hour in sorted({hour for key in inside if (hour := hour_of(key))}):
            for merged in self.merged(hour):
                for key, part in merged.parts.items():
                    if key.startswith(folder) and key > (after or "") and key not in seen:
                        seen.add(key)
                        yield Entry(key, part.size_bytes)

    def delete(self, key: str) -> None:
        """As of `Objects`; what lies in a merged object stays."""
        self.objects.delete(key)

    def merged(self, hour: str) -> Sequence[MergedObject]:
        """The merged objects of an hour's folder that count, as of now."""
        return self.indexes(hour, unfinished=False)

    def indexes(self, hour: str, *, unfinished: bool = True) -> Sequence[MergedObject]:
        """Also those whose merged object is not there yet, or never will be."""
        known = {merged.index: merged for merged in self._hours.get(hour, [])}
        there = {entry.key for entry in self.objects.children(hour).objects if is_merged(entry.key)}
        found = []
        for index in sorted(key for key in there if key.endswith(".json")):
            with contextlib.suppress(FileNotFoundError):
                found.append(known.get(index) or read_index(self.objects, index))
        counting = [merged for merged in found if merged.key in there]
        self._remember(hour, counting)
        return found if unfinished else counting

    def _remember(self, hour: str, counting: Sequence[MergedObject]) -> None:
        with self._lock:
            self._hours.pop(hour, None)
            if counting:
                self._hours[hour] = counting
            if len(self._hours) > _KEPT_HOURS:
                del self._hours[next(iter(self._hours))]

    def _place(self, key: str) -> tuple[str, Part] | None:
        """The merged object that holds `key`, and where in it."""
        hour = hour_of(key)
        if hour is None or span(key) is None:
            return None
        self.merged(hour)
        return self._remembered(key)

    def _remembered(self, key: str) -> tuple[str, Part] | None:
        for merged in self._hours.get(hour_of(key) or "", []):
            if key in merged.parts:
                return merged.key, merged.parts[key]
        return None

    def _read(self, merged: str, part: Part) -> bytes:
        return self.objects.get_range(merged, part.offset, part.size_bytes)

    def _holds(self, key: str, data: bytes) -> bool:
        """Whether a merged object has these bytes for `key`, and has had them since they were durable."""
        place = self._remembered(key)
        if place is None or place[1].size_bytes != len(data) or self.objects.exists(key):
            return False
        with contextlib.suppress(FileNotFoundError):
            return self._read(*place) == data
        return False
