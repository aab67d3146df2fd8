"""How a queue or stream on AWS is loaded → whether SQS or Kinesis is the better one, why, and what each costs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .cost import HOURS_A_MONTH, SECONDS_A_MONTH, Bill, Charge, shards, total

PEAK = 4
"""The busiest minute has so many times the mean; shards must bear it."""
_LATE_SECONDS = 900
_WORTH_IT = 0.7
"""Back to SQS only if it costs so much less: who moves should not move again next month."""
_IDLE_POLLS = 5 * 3 * 60 * HOURS_A_MONTH
"""Lambda asks an empty queue through five connections, each three times a minute."""


class Load(NamedTuple):
    """As it is now: None is what nobody could tell. `records` are Kinesis' records, or SQS' messages."""

    kind: str
    records_a_month: float | None = None
    record_bytes: float | None = None
    waiting: int | None = None
    oldest_seconds: float | None = None
    retention_seconds: float | None = None
    shards: int | None = None
    on_demand: bool = False


class Option(NamedTuple):
    name: str
    charges: Sequence[Charge]

    @property
    def usd(self) -> float:
        return total(self.charges)


class Advice(NamedTuple):
    """`best` is the name of an option; `verdict` is one sentence, `reasons` are others."""

    options: Sequence[Option]
    best: str
    verdict: str
    reasons: Sequence[str]


def options(records: float, record_bytes: float, bill: Bill) -> list[Option]:
    """The three that there are, for so many records a month."""
    peak = PEAK * records / SECONDS_A_MONTH
    needed = shards(peak, peak * record_bytes)
    return [
        Option("sqs", bill.sqs(records, record_bytes, empty_receives=_IDLE_POLLS)),
        Option("kinesis provisioned", bill.kinesis_provisioned(records, record_bytes, shards=needed)),
        Option("kinesis on demand", bill.kinesis_on_demand(records, record_bytes)),
    ]


def advise(load: Load, bill: Bill) -> Advice:
    """`load` must say how many records there are, and how large."""
    assert load.records_a_month is not None and load.record_bytes is not None
    found = options(load.records_a_month, load.record_bytes, bill)
    queue = found[0]
    stream = min(found[1:], key=lambda option: option.usd)
    reasons = _late(load)
    if load.kind == "sqs" and stream.usd < queue.usd:
        return Advice(found, stream.name, f"move to Kinesis: {_cheaper(stream, queue)}", reasons)
    if load.kind == "sqs":
        kept = f"stay with SQS: {_cheaper(queue, stream)}"
        return Advice(found, queue.name, kept, [*reasons, "Kinesis also gives replay, order and several readers"])
    if load.kind == "kinesis" and queue.usd < _WORTH_IT * stream.usd:
        lost = "a queue has no replay, no order, no second reader and no live view"
        return Advice(found, queue.name, f"SQS would do: {_cheaper(queue, stream)}", [*reasons, lost])
    if load.kind == "kinesis":
        return Advice(found, stream.name, f"stay with Kinesis ({stream.name})", [*reasons, *_shards(load)])
    best = min((queue, stream), key=lambda option: option.usd)
    return Advice(found, best.name, f"{best.name} would cost least", reasons)


def _cheaper(less: Option, more: Option) -> str:
    return f"${less.usd:,.2f} a month instead of ${more.usd:,.2f}"


def _late(load: Load) -> list[str]:
    """What waits too long is the reader's affair, whatever it reads from."""
    if load.oldest_seconds is None or load.oldest_seconds < _LATE_SECONDS:
        return []
    told = f"the oldest has waited {load.oldest_seconds / 60:,.0f} minutes: what reads is too slow, or stopped"
    if load.retention_seconds and load.oldest_seconds > load.retention_seconds / 2:
        told += f"; after {load.retention_seconds / 3600:,.0f} hours it is lost"
    more = "give it more concurrency" if load.kind == "sqs" else "give it more shards, or a parallelization factor"
    return [told, more]


def _shards(load: Load) -> list[str]:
    if load.shards is None or load.on_demand or load.records_a_month is None or load.record_bytes is None:
        return []
    peak = PEAK * load.records_a_month / SECONDS_A_MONTH
    needed = shards(peak, peak * load.record_bytes)
    if needed == load.shards:
        return []
    return [f"{needed} shards would bear {PEAK} times the mean; there are {load.shards}"]
