"""What to run for so many events a day: by hand, where the steps are, and that the page has what the code says."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from typer.testing import CliRunner

from penstock import capacity as module
from penstock.capacity import ONE_MACHINE, REFINE_ALONE, SPARK, VOLUMES, Capacity, capacity
from penstock.cli import app
from penstock.cost import Bill, prices
from penstock.month import UNITS
from penstock.month import VOLUMES as A_MONTH
from penstock.settings import Settings
from penstock.silver import compact

GROW = Path(__file__).parents[1] / "docs" / "grow.md"
BILL = Bill()
GB = 1 << 30


def at(events: float) -> Capacity:
    return capacity(events, BILL)


def test_a_thousand_a_second_by_hand() -> None:
    """86.4 million a day are 1,000 a second; the busiest minute has 4,000; everything is doubled."""
    found = at(86.4e6)
    assert (found.run, found.mean, found.peak) == (ONE_MACHINE, 1000, 4000)
    assert found.collect_cores == pytest.approx(2 * 4000 * (5.6e-6 + 80e-6 / 3))
    batch = (48 << 20) / 60
    assert found.refine_cores == pytest.approx(2 * 2 * 1000 * (9.8e-6 + 1_800_000 * 340e-9 / batch))
    assert found.refine_gb == pytest.approx((batch * 1140 + 3_600_000 * 18) / GB)
    assert (found.deliver_workers, found.kafka_partitions, found.kinesis_shards) == (1, 2, 2)
    assert found.bronze_gb_a_day == pytest.approx(86.4e6 * 60 / GB)
    assert found.bronze_objects_a_day == 17_280
    assert found.silver_files_a_day == 24 * 24 + -(-24 * 3_600_000 * 40 // (32 << 20))
    assert found.day_rollups_minutes == pytest.approx(57.6)
    # One core with 2 GB; two requests an object; bronze and silver of 730 hours.
    kept = 1000 * 3600 * 730 * 100 / GB * 0.023
    assert found.usd_machines == pytest.approx(730 * (0.04048 + 2 * 0.004445) + 2 * 17_280 * 730 / 24 * 5e-6 + kept)


def test_ten_thousand_million_by_hand() -> None:
    found = at(1e10)
    mean = 1e10 / 86_400
    batch = (768 << 20) / 60
    cores = 4 * mean * (9.8e-6 + mean * 1800 * 340e-9 / batch)
    assert (found.run, found.batch_mb, found.refine_cores) == (SPARK, 768, pytest.approx(cores))
    assert found.executors == 5 == int(2.3 * cores / 4) + 1
    assert found.kinesis_shards == 155 == int(4 * mean / 3 / 1000) + 1
    assert (found.deliver_workers, found.kafka_partitions) == (7, 14)
    assert 4 * mean * 14.7e-6 == pytest.approx(6.8, abs=0.05)
    machines = (30 + 7) * 730 * (0.04048 + 2 * 0.004445)
    stream = 155 * 730 * 0.015 + 1e10 * 730 / 24 / 3 * 0.014e-6
    lake = 2 * found.bronze_objects_a_day * 730 / 24 * 5e-6 + 1e12 * 730 / 24 / GB * 0.023
    assert found.usd_machines == pytest.approx(machines + stream + lake + 6 * 365 * 0.44)


def test_it_reckons_with_the_defaults_that_are() -> None:
    settings = Settings()
    assert settings.refine.batch_bytes == module.BATCH_BYTES
    assert settings.deliver.bytes == module.OBJECT_BYTES
    assert settings.deliver.seconds == module.OBJECT_SECONDS
    assert settings.rollup.seconds == module.LEAST_DAY_SECONDS
    assert (compact.MANY, compact.SMALL_BYTES) == (module.MANY, module.FILE_BYTES)


def test_more_events_never_need_less() -> None:
    found = [at(10 ** (step / 8)) for step in range(0, 88)]
    for name in Capacity._fields[2:-1]:
        values = [getattr(each, name) for each in found]
        assert values == sorted(values), name


def test_the_way_is_one_machine_then_a_stream_then_spark() -> None:
    ways = list(dict.fromkeys(at(10 ** (step / 32)).run for step in range(32 * 5, 32 * 11)))
    assert ways == [ONE_MACHINE, REFINE_ALONE, SPARK]


def test_larger_events_and_calmer_days() -> None:
    large = capacity(1e9, BILL, units=UNITS._replace(record_bytes=33_000))
    assert large.kinesis_shards == 1458  # 4 × 11,574 × 33,000 bytes a second, by 1 MiB
    assert large.collect_cores == pytest.approx(2 * 4e9 / 86_400 * (560e-6 + 80e-6 / 3))
    small = capacity(1e9, BILL, units=UNITS._replace(record_bytes=33))
    assert small.refine_cores == at(1e9).refine_cores
    calm = capacity(1e10, BILL, peak_times=1)
    assert calm.kinesis_shards < at(1e10).kinesis_shards
    assert calm.refine_cores == at(1e10).refine_cores


def test_ones_own_price_counts() -> None:
    dear = capacity(1e6, Bill(prices({"fargate_vcpu_hour": 1.0})))
    assert dear.usd_machines > 730 > at(1e6).usd_machines


def test_the_command_and_what_it_refuses() -> None:
    told = CliRunner().invoke(app, ["capacity", "--events", "1e6", "--events", "1e10", "--format", "csv"])
    assert told.exit_code == 0
    lines = {line["a_day"]: line for line in csv.DictReader(io.StringIO(told.stdout))}
    assert lines["run"]["1M"] == ONE_MACHINE
    assert int(lines["executors"]["10000M"]) == at(1e10).executors
    twice = CliRunner().invoke(app, ["capacity", "--events", "1e9", "--event-bytes", "660", "--format", "csv"])
    assert f"bronze_gb_a_day,{2 * at(1e9).bronze_gb_a_day:.0f}" in twice.stdout
    assert CliRunner().invoke(app, ["capacity", "--price", "gold=1"]).exit_code == 2
    assert CliRunner().invoke(app, ["capacity", "--events", "0"]).exit_code == 2


@pytest.mark.parametrize(("command", "volumes"), [("capacity", len(VOLUMES)), ("cost", len(A_MONTH))])
def test_the_page_has_what_the_command_says(command: str, volumes: int) -> None:
    told = CliRunner().invoke(app, [command, "--format", "csv"])
    lines = list(csv.reader(io.StringIO(told.stdout)))
    assert len(lines[0]) == volumes + 1
    page = GROW.read_text(encoding="utf-8")
    for line in lines:
        assert f"| {' | '.join(line)} |" in page, line
