"""So many events a day → what to run, how much of it, and what it costs a month: from measured rates, on paper. Pure.

Each rate is processor seconds from benchmarks/results.md, taken on two cores that also made the load: upper bounds.
What lies beyond one machine is computed, not tried: hence `RESERVE`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .advise import PEAK
from .cost import SECONDS_A_MONTH, Bill, Charge, shards, total
from .month import UNITS, Units, shapes

REQUEST_SECONDS = 80e-6
EVENT_SECONDS = 5.6e-6
"""An event costs the collector so much beside its request."""
DELIVER_SECONDS = 14.7e-6
REFINE_SECONDS = 9.8e-6
ID_SECONDS = 340e-9
"""To read an id of the same hour again, as a batch does with every one that is there (benchmarks/hour.py)."""
REFINE_SERIAL = 0.17
"""Of refine's work, one core does alone: two cores did 9.9 processor seconds in 5.8 of the clock."""
REFINE_EVENT_BYTES, REFINE_ID_BYTES = 1140, 18
"""Of memory, for an event of the batch and for an id that is read again (benchmarks/hour.py)."""
SPARK_TIMES = 2.3
DAY_SECONDS = 4e-6
"""Of the clock, for an event of a day whose sessions and rollups are made anew."""
DAY_SHARE = 10
"""Rollups by day are made at most a tenth of the time."""

RESERVE = 2
"""What was measured on two cores is doubled before it is believed of more."""
BACKLOG = 2
"""What waits in stream or bronze is safe, so its readers are made for twice the mean; only collectors bear the peak."""
MACHINE_CORES, MACHINE_GB = 8, 32
EXECUTOR_CORES = 4
VOLUMES = (1e5, 1e6, 1e7, 1e8, 1e9, 1e10)

_DAY, _DAYS_A_MONTH = 86_400, SECONDS_A_MONTH / 86_400
_GB, _MB = 1 << 30, 1 << 20
BATCH_BYTES, _MOST_BATCH_BYTES = 48 * _MB, 768 * _MB
OBJECT_BYTES, OBJECT_SECONDS, LEAST_DAY_SECONDS = 16 * _MB, 5, 15
MANY, FILE_BYTES = 24, 32 * _MB
"""As the settings and silver's merging have them."""
_GB_A_CORE = 2


class Capacity(NamedTuple):
    """`run` says what to run; rates are a second; cores, workers and executors have the reserve in them.

    `refine_*` are of DuckDB on one machine, `executors` of Spark in its place, each of `EXECUTOR_CORES`. Objects are
    counted before they are merged, files as merging leaves them at the worst. `day_rollups_minutes`: no sooner are
    sessions and rollups by day made again. Dollars are a month: `usd_functions` of shape 3 of `month`, which does not
    refine; `usd_machines` of what `run` says, with the lake in S3.
    """

    events_a_day: float
    run: str
    mean: float
    peak: float
    collect_cores: float
    deliver_workers: int
    kafka_partitions: int
    kinesis_shards: int
    refine_cores: float
    refine_gb: float
    executors: int
    batch_mb: int
    bronze_gb_a_day: float
    silver_gb_a_day: float
    bronze_objects_a_day: int
    silver_files_a_day: int
    day_rollups_minutes: float
    usd_functions: float
    usd_machines: float = 0


ONE_MACHINE = "one machine"
REFINE_ALONE = "stream, refine"
SPARK = "stream, Spark"
"""With a stream come collectors and workers of their own; refine has a machine to itself, or Spark."""


class _Refine(NamedTuple):
    """What silver takes, on one machine and on Spark."""

    batch: int
    cores: float
    gb: float
    executors: int


def capacity(events: float, bill: Bill, *, units: Units = UNITS, peak_times: float = PEAK) -> Capacity:
    """`events` a day; the busiest minute has `peak_times` their mean."""
    mean, peak = events / _DAY, peak_times * events / _DAY
    larger = max(1.0, units.record_bytes / UNITS.record_bytes)
    collect = RESERVE * peak * (larger * EVENT_SECONDS + REQUEST_SECONDS / units.events_a_request)
    deliver = RESERVE * BACKLOG * mean * larger * DELIVER_SECONDS
    workers = max(1, math.ceil(deliver))
    refine = _refine(mean, units.bronze_bytes, larger)
    objects = math.ceil(max(min(events, workers * _DAY / OBJECT_SECONDS), events * units.record_bytes / OBJECT_BYTES))
    found = Capacity(
        events_a_day=events,
        run=_run(collect, deliver, refine),
        mean=mean,
        peak=peak,
        collect_cores=collect,
        deliver_workers=workers,
        kafka_partitions=2 * workers,
        kinesis_shards=shards(peak / units.events_a_request, peak * units.record_bytes),
        refine_cores=refine.cores,
        refine_gb=refine.gb,
        executors=refine.executors,
        batch_mb=refine.batch // _MB,
        bronze_gb_a_day=events * units.bronze_bytes / _GB,
        silver_gb_a_day=events * units.silver_bytes / _GB,
        bronze_objects_a_day=objects,
        silver_files_a_day=_silver_files(mean, objects, units),
        day_rollups_minutes=max(LEAST_DAY_SECONDS, DAY_SHARE * events * DAY_SECONDS) / 60,
        usd_functions=total(shapes(events * _DAYS_A_MONTH, bill, units)["3 stream to bronze, DuckDB"]),
    )
    return found._replace(usd_machines=total([*_kept(found, bill), *_machines(found, deliver, bill, units)]))


def _run(collect: float, deliver: float, refine: _Refine) -> str:
    """One machine has one worker, and one refine that gets no faster with more cores."""
    if refine.cores > _bears(MACHINE_CORES) or refine.gb > MACHINE_GB:
        return SPARK
    if deliver > 1 or collect + deliver + refine.cores > MACHINE_CORES:
        return REFINE_ALONE
    return ONE_MACHINE


def _kept(found: Capacity, bill: Bill) -> list[Charge]:
    """An object has its mark in the inbox beside it."""
    a_day = found.bronze_gb_a_day + found.silver_gb_a_day
    return bill.s3(puts=2 * found.bronze_objects_a_day * _DAYS_A_MONTH, gb_kept=a_day * _DAYS_A_MONTH)


def _machines(found: Capacity, deliver: float, bill: Bill, units: Units) -> list[Charge]:
    if found.run == ONE_MACHINE:
        return _containers(bill, found.collect_cores + deliver + found.refine_cores, found.refine_gb)
    records = found.events_a_day * _DAYS_A_MONTH / units.events_a_request
    record_bytes = units.record_bytes * units.events_a_request
    return [
        *bill.kinesis_provisioned(records, record_bytes, shards=found.kinesis_shards),
        *_containers(bill, math.ceil(found.collect_cores) + found.deliver_workers),
        # Made for twice the mean, Spark runs half of the time; its driver is one more.
        *(
            bill.glue(1, SECONDS_A_MONTH / BACKLOG, dpus=found.executors + 1)
            if found.run == SPARK
            else _containers(bill, found.refine_cores, found.refine_gb)
        ),
    ]


def _refine(mean: float, bronze_bytes: float, larger: float) -> _Refine:
    """`larger`: times the events that were measured."""
    batch = _batch_bytes(mean, bronze_bytes)
    events = batch / bronze_bytes
    cores = RESERVE * BACKLOG * mean * larger * _refine_seconds(mean, events)
    gb = (events * larger * REFINE_EVENT_BYTES + mean * 3600 * REFINE_ID_BYTES) / _GB
    return _Refine(batch, cores, gb, math.ceil(SPARK_TIMES * cores / EXECUTOR_CORES))


def _refine_seconds(mean: float, batch_events: float) -> float:
    """Of a processor for one event: to clean it, and its part of reading half an hour's ids."""
    return REFINE_SECONDS + mean * 3600 / 2 * ID_SECONDS / batch_events


def _batch_bytes(mean: float, bronze_bytes: float) -> int:
    """Large enough that reading ids again costs no more than cleaning."""
    batch = BATCH_BYTES
    while batch < _MOST_BATCH_BYTES and _refine_seconds(mean, batch / bronze_bytes) > 2 * REFINE_SECONDS:
        batch *= 2
    return batch


def _bears(cores: int) -> float:
    """How much work so many cores do for one refine, in cores: Amdahl's law."""
    return 1 / (REFINE_SERIAL + (1 - REFINE_SERIAL) / cores)


def _silver_files(mean: float, objects: int, units: Units) -> int:
    """Small ones of an hour are merged when there are `MANY`; the large ones stay as they are."""
    return math.ceil(24 * (min(objects / 24, MANY) + mean * 3600 * units.silver_bytes / FILE_BYTES))


def _containers(bill: Bill, cores: float, gb: float = 0) -> list[Charge]:
    whole = max(1, math.ceil(cores))
    return bill.containers(whole, max(_GB_A_CORE * whole, gb))
