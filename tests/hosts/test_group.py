"""Requests that wait together are made durable together, fail together, and never hold more than a bounded memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest

from penstock.clock import utc_now
from penstock.errors import StreamFull, Transient
from penstock.hosts import group as module
from penstock.hosts.group import GroupCommit
from penstock.stream import Record
from penstock.stream.memory import MemoryStream


class GatedStream(MemoryStream):
    """A memory stream whose appends wait at a gate and are noted; each takes one of `troubles`, while there are any."""

    def __init__(self) -> None:
        super().__init__(utc_now, 1 << 30)
        self.gate = threading.Event()
        self.gate.set()
        self.at_gate = threading.Event()
        self.appends: list[list[bytes]] = []
        self.troubles: list[Exception] = []

    def append(self, records: Sequence[Record]) -> None:
        self.at_gate.set()
        assert self.gate.wait(30)
        self.appends.append([record.data for record in records])
        if self.troubles:
            raise self.troubles.pop()
        super().append(records)


def record(name: object) -> Record:
    return Record(f'{{"name":"{name}"}}'.encode())


@pytest.fixture
def stream() -> Iterator[GatedStream]:
    stream = GatedStream()
    yield stream
    stream.gate.set()


def stored(stream: GatedStream) -> list[bytes]:
    return list(stream.tail({}).lines)


async def waiting(group: GroupCommit, stream: GatedStream, *batches: list[Record]) -> list[asyncio.Task[None]]:
    """Tasks that append, the first of them already at the closed gate."""
    stream.gate.clear()
    stream.at_gate.clear()
    tasks = [asyncio.create_task(group.append(batch)) for batch in batches]
    await asyncio.to_thread(stream.at_gate.wait, 30)
    return tasks


def test_those_who_come_during_an_append_share_the_next(stream: GatedStream) -> None:
    async def scenario() -> None:
        group = GroupCommit(stream)
        first = await waiting(group, stream, [record("first")])
        others = [asyncio.create_task(group.append([record(n), record(-n)])) for n in range(1, 101)]
        await asyncio.sleep(0)
        assert not [task for task in [*first, *others] if task.done()]
        stream.gate.set()
        await asyncio.gather(*first, *others)
        group.close()

    asyncio.run(scenario())
    assert [len(names) for names in stream.appends] == [1, 200]
    assert stored(stream) == [data for names in stream.appends for data in names]


def test_the_records_of_a_request_stay_together_and_in_order(stream: GatedStream) -> None:
    async def scenario() -> None:
        group = GroupCommit(stream)
        batches = [[record(f"{n}-{i}") for i in range(3)] for n in range(20)]
        await asyncio.gather(*map(group.append, batches))
        group.close()

    asyncio.run(scenario())
    assert stored(stream) == [record(f"{n}-{i}").data for n in range(20) for i in range(3)]


@pytest.mark.parametrize(
    "trouble", [Transient("disk", hint="look"), StreamFull("full"), OSError(28, "No space left"), ValueError("a bug")]
)
def test_a_failure_reaches_all_who_wait_and_passes(stream: GatedStream, trouble: Exception) -> None:
    async def scenario() -> None:
        group = GroupCommit(stream)
        assert group.healthy
        stream.troubles.append(trouble)
        tasks = await waiting(group, stream, *([record(n)] for n in range(50)))
        stream.gate.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(answer, Transient) for answer in answers] == [True] * 50
        assert not group.healthy
        await group.append([record("after")])
        assert group.healthy
        group.close()

    asyncio.run(scenario())
    assert stored(stream) == [record("after").data]


def test_only_the_failed_append_fails(stream: GatedStream) -> None:
    async def scenario() -> None:
        group = GroupCommit(stream)
        stream.troubles.append(Transient("disk"))
        (bad,) = await waiting(group, stream, [record("bad")])
        good = asyncio.create_task(group.append([record("good")]))
        stream.gate.set()
        with pytest.raises(Transient):
            await bad
        await good
        group.close()

    asyncio.run(scenario())
    assert stored(stream) == [record("good").data]


def test_a_failure_is_doubted_after_a_while(stream: GatedStream, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load balancer sends nothing while we call ourselves ill, so nothing else would ever show that we are well."""

    async def scenario() -> None:
        group = GroupCommit(stream)
        stream.troubles.append(Transient("disk"))
        with pytest.raises(Transient):
            await group.append([record("x")])
        assert not group.healthy
        monkeypatch.setattr(module, "_DOUBT_SECONDS", -1.0)
        assert group.healthy
        group.close()

    asyncio.run(scenario())


def test_memory_is_bounded_while_the_disk_stands_still(stream: GatedStream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAITING_BYTES", 10_000)
    big = Record(b"{" + b" " * 998 + b"}")

    async def scenario() -> None:
        group = GroupCommit(stream)
        taken = await waiting(group, stream, [big])
        more = [asyncio.create_task(group.append([big])) for _ in range(1000)]
        await asyncio.sleep(0)
        refused = [task for task in more if task.done()]
        assert all(isinstance(task.exception(), Transient) for task in refused)
        assert (len(more) - len(refused)) * 1000 <= 10_000 + 1000
        stream.gate.set()
        await asyncio.gather(*taken, *(task for task in more if task not in refused))
        await group.append([big])
        group.close()

    asyncio.run(scenario())
    assert len(stored(stream)) == sum(map(len, stream.appends))


def test_a_sender_that_gives_up_takes_nobody_with_it(stream: GatedStream) -> None:
    async def scenario() -> None:
        group = GroupCommit(stream)
        first, second, third = await waiting(group, stream, [record(1)], [record(2)], [record(3)])
        first.cancel()
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        stream.gate.set()
        await third
        await group.append([record(4)])
        group.close()

    asyncio.run(scenario())
    assert record(3).data in stored(stream) and record(4).data in stored(stream)


def test_close_lets_a_running_append_end(stream: GatedStream) -> None:
    async def scenario() -> None:
        group = GroupCommit(stream)
        (task,) = await waiting(group, stream, [record("last")])
        threading.Timer(0.05, stream.gate.set).start()
        group.close()
        await task

    asyncio.run(scenario())
    assert stored(stream) == [record("last").data]
