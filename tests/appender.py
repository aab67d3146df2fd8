"""A writer in a process of its own: appends to a SQLite stream without end and prints what was acknowledged.

Arguments: stream URL, name that its records carry, records per append. Each line that it prints is how many records
are acknowledged so far.
"""

from __future__ import annotations

import itertools
import sys

from penstock.stream import Record, sqlite


def main(url: str, name: str, count: int) -> None:
    stream = sqlite.open(url)
    for start in itertools.count(0, count):
        stream.append([Record(b'{"writer":"%s","n":%d}' % (name.encode(), start + n)) for n in range(count)])
        sys.stdout.write(f"{start + count}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
