"""What a month of AWS costs, by shape: prices of one's own, and more events never cost less."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from penstock.cli import app
from penstock.cost import Bill, prices, total
from penstock.month import VOLUMES, shapes


def test_more_events_never_cost_less() -> None:
    found = [shapes(events, Bill()) for events in VOLUMES]
    for name in found[0]:
        costs = [total(month[name]) for month in found]
        assert costs == sorted(costs), name


def test_a_stream_of_one_shard_is_most_of_what_little_traffic_costs() -> None:
    """1 M events: 730 hours of a shard at $0.015, and PUT units of 25 KB at $0.014 a million."""
    charges = {charge.item: charge.usd for charge in shapes(1e6, Bill())["3 stream to bronze, DuckDB"]}
    assert charges["kinesis_shard_hour"] == pytest.approx(10.95)
    assert charges["kinesis_put_unit"] == pytest.approx(0.014)
    assert "kinesis_shard_hour" not in {charge.item for charge in shapes(1e6, Bill())["3 without a stream"]}


def test_ones_own_price_counts() -> None:
    dear = prices({"kinesis_shard_hour": 1.0, "kinesis_stream_hour": 2.0})
    charges = shapes(1e6, Bill(dear))["3 stream to bronze, DuckDB"]
    assert {charge.item: charge.usd for charge in charges}["kinesis_shard_hour"] == 730


def test_the_command_says_it_by_item_and_names_a_wrong_price() -> None:
    told = CliRunner().invoke(app, ["cost", "--shape", "SQS", "--events", "5e6", "--format", "csv"])
    assert told.exit_code == 0
    assert "sqs_request" in told.stdout
    wrong = CliRunner().invoke(app, ["cost", "--price", "gold=1"])
    assert wrong.exit_code == 2
