"""A process that appends to a SQLite stream without end and prints how many records are acknowledged so far.

Arguments: stream URL, the name that its records carry, records per append, and what else to do: `deliver` after every
append what waits into the folder `bronze` beside the stream, or write `unsynced`, as nobody should.
"""

from __future__ import annotations

import itertools
import sys

from penstock.bronze.deliver import deliver
from penstock.objects import Objects
from penstock.stream import Record, Stream, sqlite


def main(url: str, name: str, count: int, *also: str) -> None:
    stream = sqlite.open(url)
    bronze = Objects(url.replace("sqlite:", "file:").rsplit("/", 1)[0] + "/bronze") if "deliver" in also else None
    for start in itertools.count(0, count):
        if "unsynced" in also:
            do_not_sync(stream)
        stream.append([Record(b'{"writer":"%s","n":%d}' % (name.encode(), start + n)) for n in range(count)])
        sys.stdout.write(f"{start + count}\n")
        sys.stdout.flush()
        if bronze is not None:
            deliver(stream, bronze, limit_bytes=10_000)


def do_not_sync(stream: Stream) -> None:
    assert isinstance(stream, sqlite.SqliteStream)
    stream._active_writer()._connection.execute("pragma synchronous = off")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
