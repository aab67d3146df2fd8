"""So many events a month → what each of the five shapes on AWS costs at list price, line by line. Pure.

`UNITS` says what an event takes, in part measured and in part assumed: an account's own bill is the only proof.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .advise import PEAK
from .cost import SECONDS_A_MONTH, Bill, Charge, merged, shards


class Units(NamedTuple):
    """Bytes of an event in stream and bronze: on the emulator, a page view without address and user agent took 315 and
    53 of them, which a test measures again. Assumed: the rest."""

    record_bytes: float = 330
    bronze_bytes: float = 60
    silver_bytes: float = 40
    events_a_request: float = 3
    counters_a_file: float = 10
    collect_seconds: float = 0.015
    event_seconds: float = 0.0001
    page_views_share: float = 0.4
    queries: float = 300
    object_seconds: float = 60


UNITS = Units()
VOLUMES = (1e6, 10e6, 100e6, 1000e6)
_GB = 1 << 30
_READ_BY_A_QUERY = 0.1
"""Of the month, as partitions and columns leave it."""
_REFINE_EVERY_SECONDS = 300
_IDLE_POLLS = 5 * 3 * 60 * 730


def shapes(events: float, bill: Bill, units: Units = UNITS) -> dict[str, list[Charge]]:
    """Shape → its charges; what is kept is what one month brings."""
    parts = _Parts(events, bill, units)
    lake = [*parts.collect(), *parts.kinesis(), *parts.deliver(), *parts.kept()]
    direct = [*parts.collect(), *parts.objects(events / units.events_a_request), *parts.kept()]
    files = [*parts.count(parts.batches), *parts.kept()]
    views = [*parts.page_views()]
    every: dict[str, Sequence[Charge]] = {
        "1 files to counters": files,
        "2 beacons by SQS": [*parts.collect(), *parts.sqs(), *views],
        "2 beacons by Kinesis": [*parts.collect(), *parts.kinesis(), *views],
        "3 stream to bronze, DuckDB": lake,
        "3 with Firehose": [*parts.collect(), *parts.kinesis(), *parts.firehose(), *parts.kept()],
        "3 without a stream": direct,
        "4 stream to Athena": [*parts.kinesis(), *parts.deliver(), *parts.kept(), *parts.athena(units.bronze_bytes)],
        "5 bronze to silver to Athena": [*parts.refine(), *parts.kept(), *parts.athena(units.silver_bytes)],
    }
    return {name: merged(charges) for name, charges in every.items()}


class _Parts:
    """What the shapes are put together from."""

    def __init__(self, events: float, bill: Bill, units: Units) -> None:
        self._events, self._bill, self._units = events, bill, units
        # An object a minute while little comes; a batch of 5,000 fills sooner when much does.
        self.batches = max(min(events, SECONDS_A_MONTH / units.object_seconds), events / 5000)

    def collect(self) -> list[Charge]:
        requests, size = self._events / self._units.events_a_request, self._units.record_bytes
        return [
            *self._bill.http_api(requests, size * self._units.events_a_request),
            *self._bill.functions(requests, self._units.collect_seconds, 512),
        ]

    def kinesis(self) -> list[Charge]:
        """Shards enough for the busiest minute, or on demand where that is cheaper."""
        peak, size = PEAK * self._events / SECONDS_A_MONTH, self._units.record_bytes
        ways: tuple[Callable[[], list[Charge]], ...] = (
            lambda: self._bill.kinesis_provisioned(self._events, size, shards=shards(peak, peak * size)),
            lambda: self._bill.kinesis_on_demand(self._events, size),
        )
        return min((way() for way in ways), key=lambda charges: sum(charge.usd for charge in charges))

    def sqs(self) -> list[Charge]:
        """The events of a request share a message."""
        together = self._units.events_a_request
        return self._bill.sqs(self._events / together, self._units.record_bytes * together, empty_receives=_IDLE_POLLS)

    def deliver(self) -> list[Charge]:
        seconds = 0.1 + self._events / self.batches * self._units.event_seconds
        return [*self._bill.functions(self.batches, seconds, 512), *self.objects(self.batches)]

    def objects(self, number: float) -> list[Charge]:
        """Each has a mark in the inbox beside it, and both are read once."""
        return self._bill.s3(puts=2 * number, gets=2 * number)

    def firehose(self) -> list[Charge]:
        seconds = SECONDS_A_MONTH / 300
        per_call = max(1.0, self._events / SECONDS_A_MONTH * 60)
        return [
            *self._bill.firehose(self._events, self._units.record_bytes),
            *self._bill.functions(self._events / per_call, 0.05 + per_call * self._units.event_seconds, 512),
            *self._bill.s3(puts=max(seconds, self._events * self._units.record_bytes / (128 << 20))),
        ]

    def count(self, files: float) -> list[Charge]:
        """A transaction for each file: its mark and its counters."""
        seconds = 0.1 + self._events / files * self._units.event_seconds
        return [
            *self._bill.functions(files, seconds, 512),
            *self._bill.s3(gets=files),
            *self._bill.dynamodb(writes=files * (1 + self._units.counters_a_file), item_bytes=100, in_transaction=True),
        ]

    def page_views(self) -> list[Charge]:
        """Written to the table and to its index, read the three nights after."""
        views = self._events * self._units.page_views_share
        batches = max(min(self._events, SECONDS_A_MONTH / 5), self._events / 500)
        return [
            *self._bill.functions(batches, 0.05 + self._events / batches * 0.001, 512),
            *self._bill.dynamodb(writes=2 * views, item_bytes=400, gb_kept=2 * views * 400 / _GB),
            *self._bill.dynamodb(reads=3 * views / 20, item_bytes=4096),
        ]

    def refine(self) -> list[Charge]:
        rounds = SECONDS_A_MONTH / _REFINE_EVERY_SECONDS
        seconds = 5 + self._events / rounds * 20e-6
        return [*self._bill.functions(rounds, seconds, 3008), *self._bill.s3(puts=30 * rounds, gets=60 * rounds)]

    def athena(self, event_bytes: float) -> list[Charge]:
        return self._bill.athena(self._units.queries, _READ_BY_A_QUERY * self._events * event_bytes)

    def kept(self) -> list[Charge]:
        return self._bill.s3(gb_kept=self._events * self._units.bronze_bytes / _GB)
