"""What attacks are after: a lake's files, a secret beside it, a folder to write into; and ways to run a query."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa
import pytest

import penstock
from penstock.dashboard.sandbox import frames, landlock, seccomp
from penstock.dashboard.sandbox.formats import cells
from penstock.dashboard.sandbox.process import Job, Process
from penstock.dashboard.sandbox.tables import NAMES, Snapshot, folders, snapshot
from penstock.errors import QueryError
from penstock.pipeline import Pipeline
from penstock.settings import load

SECRET = "TOP-SECRET-73"
AT_ONCE = 2
LOOSE = Path(__file__).with_name("loose_worker.py")
SRC = Path(penstock.__file__).parents[1]
confined = pytest.mark.skipif(
    not landlock.version() or not seccomp.is_possible(), reason="this system cannot confine a query"
)
T = TypeVar("T")


class Outcome(NamedTuple):
    """`said`: the rows as text, or why there are none."""

    attack: str
    answered: bool
    said: str


@dataclass(frozen=True)
class Targets:
    folder: Path

    def __post_init__(self) -> None:
        self.outside.mkdir(exist_ok=True)
        self.secret.write_text(f"word\n{SECRET}\n")
        (self.outside / "secret.json").write_text(json.dumps({"word": SECRET}))
        (self.data / "silver" / "link.csv").symlink_to(self.secret)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def outside(self) -> Path:
        return self.folder / "outside"

    @property
    def secret(self) -> Path:
        return self.outside / "secret.csv"

    @property
    def parquet(self) -> Path:
        return next((self.data / "silver" / "events").rglob("*.parquet"))

    def aimed(self, attack: str) -> str:
        """The attack with the places in it."""
        places = {"data": self.data, "outside": self.outside, "secret": self.secret, "parquet": self.parquet}
        for name, path in places.items():
            attack = attack.replace(f"{{{name}}}", str(path))
        return attack

    def state(self) -> dict[str, tuple[int, int, str]]:
        """Every file: when it was changed, its mode, what is in it."""
        return {
            str(path): (path.lstat().st_mtime_ns, path.lstat().st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def shown(self) -> tuple[list[str], Snapshot]:
        way = Pipeline(load(data=self.data))
        try:
            return folders(way), snapshot(way, {name for _, name in NAMES})
        finally:
            way.close()

    def without_gate(self, attacks: Sequence[str], seconds: float = 5) -> list[Outcome]:
        """Each in a process of its own, as the playground starts it, with all tables."""
        readable, shown = self.shown()

        async def one(attack: str) -> Outcome:
            process = await Process.start(readable, strict=True)
            rows = []
            try:
                await process.ready()
                job = Job(self.aimed(attack), shown.views, shown.paths, seconds, seconds, 1000, 1 << 20)
                async for kind, what in process.answer(job, shown.loaded):
                    rows += cells(pa.Table.from_batches([what])) if kind == frames.ROWS else []
                return Outcome(attack, True, repr(rows))
            except QueryError as error:
                return Outcome(attack, False, f"{error.code}: {error}")
            finally:
                await process.close()

        return run(_each(one, attacks))

    def only_landlock(self, attacks: Sequence[str]) -> list[Outcome]:
        """Each in a process that Landlock alone holds, by a DuckDB that may do everything."""
        readable, _ = self.shown()

        async def one(attack: str) -> Outcome:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-B", str(LOOSE), *readable,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                env={"PYTHONPATH": str(SRC)}, cwd="/",
            )  # fmt: skip
            said, _ = await process.communicate(self.aimed(attack).encode())
            return Outcome(attack, said.startswith(b"rows "), said.decode(errors="replace"))

        return run(_each(one, attacks))


async def _each(one: Any, attacks: Sequence[str]) -> list[Outcome]:
    room = asyncio.Semaphore(AT_ONCE)

    async def in_turn(attack: str) -> Outcome:
        async with room, asyncio.timeout(60):
            return await one(attack)

    return await asyncio.gather(*(in_turn(attack) for attack in attacks))


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
