"""How much of what AWS bills for → the month's charges at list price; one table of prices, and AWS's rules of rounding.

A price is what AWS lists for us-east-1, taken second-hand at the date beside it: look before you rely on it. Any of
them may be replaced by name. What an account has free each month is only taken off where that is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .errors import SettingsError

HOURS_A_MONTH = 730
SECONDS_A_MONTH = HOURS_A_MONTH * 3600
_KB, _MB, _GB, _TB = 1 << 10, 1 << 20, 1 << 30, 1 << 40
_MILLION = 1_000_000


class Price(NamedTuple):
    """`price` in US dollars for `per` of `unit`; `free` is how many of them an account has free each month."""

    item: str
    price: float
    per: float
    unit: str
    as_of: str
    source: str
    free: float = 0


_LIST = "2026-09"
_API = "AWS Price List API, quoted by a public repository"
_KINESIS = "aws.amazon.com/kinesis/data-streams/pricing, quoted by public repositories"
_GLUE = "AWS Price List of 2026-09, quoted by a public repository"
_FARGATE = "aws.amazon.com/fargate/pricing, quoted by public repositories"

_TABLE = (
    Price("kinesis_shard_hour", 0.015, 1, "shard-hours", _LIST, _KINESIS),
    Price("kinesis_put_unit", 0.014, _MILLION, "PUT units of 25 KB", _LIST, _KINESIS),
    Price("kinesis_stream_hour", 0.04, 1, "stream-hours", _LIST, _KINESIS),
    Price("kinesis_gb_in", 0.08, 1, "GB written", _LIST, _KINESIS),
    Price("kinesis_gb_out", 0.04, 1, "GB read", _LIST, _KINESIS),
    Price("firehose_gb", 0.029, 1, "GB taken in", _LIST, "aws.amazon.com/firehose/faqs and public repositories"),
    Price("sqs_request", 0.40, _MILLION, "requests of 64 KB", _LIST, _API, free=_MILLION),
    Price("s3_put", 0.005, 1000, "PUT, COPY, POST or LIST requests", _LIST, _API),
    Price("s3_get", 0.0004, 1000, "GET requests", _LIST, _API),
    Price("s3_gb_month", 0.023, 1, "GB-months kept", _LIST, _API),
    Price("lambda_request", 0.20, _MILLION, "calls", _LIST, "aws.amazon.com/lambda/pricing", free=_MILLION),
    Price("lambda_arm_gb_second", 0.0000133334, 1, "GB-seconds", _LIST, "aws.amazon.com/lambda/pricing", free=400_000),
    Price("lambda_x86_gb_second", 0.0000166667, 1, "GB-seconds", _LIST, "aws.amazon.com/lambda/pricing", free=400_000),
    Price("http_api_request", 1.00, _MILLION, "requests of 512 KB", _LIST, "aws.amazon.com/api-gateway/pricing"),
    Price("dynamodb_write", 0.625, _MILLION, "write units of 1 KB", _LIST, "public guide to on-demand prices"),
    Price("dynamodb_read", 0.125, _MILLION, "read units of 4 KB", _LIST, "public guide to on-demand prices"),
    Price("dynamodb_gb_month", 0.25, 1, "GB-months kept", _LIST, "public guide to on-demand prices", free=25),
    Price("athena_tb", 5.00, 1, "TB scanned", _LIST, _GLUE),
    Price("glue_dpu_hour", 0.44, 1, "DPU-hours", _LIST, _GLUE),
    Price("fargate_vcpu_hour", 0.04048, 1, "vCPU-hours", _LIST, _FARGATE),
    Price("fargate_gb_hour", 0.004445, 1, "GB-hours of memory", _LIST, _FARGATE),
    Price("eventbridge_event", 1.00, _MILLION, "events", _LIST, _API),
)
PRICES: Mapping[str, Price] = {price.item: price for price in _TABLE}


class Charge(NamedTuple):
    """One line of the bill: `quantity` of the unit of `PRICES[item]`."""

    item: str
    quantity: float
    usd: float


def prices(own: Mapping[str, float]) -> Mapping[str, Price]:
    """The table with one's own prices in it. Raises SettingsError for an item that it does not have."""
    if unknown := sorted(own.keys() - PRICES.keys()):
        raise SettingsError(f"no price is called {unknown[0]!r}", hint=f"known are: {', '.join(PRICES)}")
    changed = {
        item: PRICES[item]._replace(price=price, as_of="yours", source="your settings") for item, price in own.items()
    }
    return {**PRICES, **changed}


class Bill:
    """AWS's rules, service by service: each method takes what happens in a month and returns what is charged for it."""

    def __init__(self, prices: Mapping[str, Price] = PRICES, *, free_tier: bool = False) -> None:
        self._prices = prices
        self._free_tier = free_tier

    def kinesis_provisioned(self, records: float, record_bytes: float, *, shards: int) -> list[Charge]:
        """Each record is rounded up to PUT units of 25 KB. Reading is free, up to 2 MB/s from a shard."""
        units = records * _units(record_bytes, 25 * _KB)
        return self._charges(kinesis_shard_hour=shards * HOURS_A_MONTH, kinesis_put_unit=units)

    def kinesis_on_demand(self, records: float, record_bytes: float, *, readers: int = 1) -> list[Charge]:
        """Each record is rounded up to 1 KB as it is written; every reader pays for what it reads."""
        written = records * _units(record_bytes, _KB) * _KB / _GB
        read = readers * records * record_bytes / _GB
        return self._charges(kinesis_stream_hour=HOURS_A_MONTH, kinesis_gb_in=written, kinesis_gb_out=read)

    def sqs(
        self, messages: float, message_bytes: float, *, in_a_batch: float = 1, empty_receives: float = 0
    ) -> list[Charge]:
        """A message is sent, received and deleted; a request may hold up to 10, and each begun 64 KB counts as one."""
        requests = messages / in_a_batch
        with_bodies = _units(in_a_batch * message_bytes, 64 * _KB)
        return self._charges(sqs_request=requests * (2 * with_bodies + 1) + empty_receives)

    def firehose(self, records: float, record_bytes: float) -> list[Charge]:
        """Each record is rounded up to 5 KB, so small ones are worth packing together."""
        return self._charges(firehose_gb=records * _units(record_bytes, 5 * _KB) * 5 * _KB / _GB)

    def functions(self, calls: float, seconds: float, memory_mb: int, *, arm: bool = True) -> list[Charge]:
        """Lambda: `seconds` is how long one call runs, billed by the millisecond."""
        gb_seconds = calls * math.ceil(seconds * 1000) / 1000 * memory_mb / 1024
        duration = "lambda_arm_gb_second" if arm else "lambda_x86_gb_second"
        return self._charges(**{"lambda_request": calls, duration: gb_seconds})

    def http_api(self, requests: float, request_bytes: float) -> list[Charge]:
        """API Gateway's HTTP API: a request counts again for each further 512 KB."""
        return self._charges(http_api_request=requests * _units(request_bytes, 512 * _KB))

    def dynamodb(
        self,
        *,
        writes: float = 0,
        item_bytes: float = _KB,
        in_transaction: bool = False,
        reads: float = 0,
        gb_kept: float = 0,
    ) -> list[Charge]:
        """On demand: an item is rounded up to 1 KB to write, to 4 KB to read; a transaction costs twice as much."""
        times = 2 if in_transaction else 1
        return self._charges(
            dynamodb_write=times * writes * _units(item_bytes, _KB),
            dynamodb_read=times * reads * _units(item_bytes, 4 * _KB),
            dynamodb_gb_month=gb_kept,
        )

    def s3(self, *, puts: float = 0, gets: float = 0, gb_kept: float = 0) -> list[Charge]:
        return self._charges(s3_put=puts, s3_get=gets, s3_gb_month=gb_kept)

    def athena(self, queries: float, scanned_bytes: float) -> list[Charge]:
        """A query scans at least 10 MB."""
        return self._charges(athena_tb=queries * max(scanned_bytes, 10 * _MB) / _TB)

    def glue(self, runs: float, seconds: float, *, dpus: int) -> list[Charge]:
        """A run is billed by the second, and for at least a minute."""
        return self._charges(glue_dpu_hour=runs * max(seconds, 60) / 3600 * dpus)

    def containers(self, cores: float, gb: float) -> list[Charge]:
        """Fargate on x86: so many cores, and so much memory for all of them, that run all month."""
        return self._charges(fargate_vcpu_hour=cores * HOURS_A_MONTH, fargate_gb_hour=gb * HOURS_A_MONTH)

    def eventbridge(self, events: float) -> list[Charge]:
        return self._charges(eventbridge_event=events)

    def _charges(self, **quantities: float) -> list[Charge]:
        return [Charge(item, quantity, self._usd(item, quantity)) for item, quantity in quantities.items() if quantity]

    def _usd(self, item: str, quantity: float) -> float:
        price = self._prices[item]
        billed = max(0.0, quantity - price.free) if self._free_tier else quantity
        return billed / price.per * price.price


def total(charges: Iterable[Charge]) -> float:
    return sum(charge.usd for charge in charges)


def shards(records_a_second: float, bytes_a_second: float) -> int:
    """How many provisioned shards of Kinesis take this much: each 1,000 records and 1 MB a second."""
    return max(1, math.ceil(records_a_second / 1000), math.ceil(bytes_a_second / _MB))


def packed(event_bytes: float, room_bytes: int, waiting: float) -> float:
    """How many events share a record or message of `room_bytes`, when so many wait together."""
    return max(1.0, min(waiting, room_bytes // max(1.0, event_bytes)))


def merged(*bills: Sequence[Charge]) -> list[Charge]:
    """One line for each item."""
    found: dict[str, Charge] = {}
    for charge in (charge for bill in bills for charge in bill):
        before = found.get(charge.item, Charge(charge.item, 0, 0))
        found[charge.item] = Charge(charge.item, before.quantity + charge.quantity, before.usd + charge.usd)
    return list(found.values())


def _units(size_bytes: float, unit_bytes: int) -> int:
    """So many are billed, one at the least."""
    return max(1, math.ceil(size_bytes / unit_bytes))
