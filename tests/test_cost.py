"""The bill: AWS's rules of rounding, hand-computed; one's own prices; what is free."""

from __future__ import annotations

import pytest

from penstock.cost import HOURS_A_MONTH, PRICES, Bill, Charge, merged, packed, prices, shards, total
from penstock.errors import SettingsError

KB, GB = 1 << 10, 1 << 30
BILL = Bill()


def quantities(charges: list[Charge]) -> dict[str, float]:
    return {charge.item: charge.quantity for charge in charges}


@pytest.mark.parametrize(
    ("charges", "item", "quantity"),
    [
        (BILL.kinesis_provisioned(10, 1, shards=2), "kinesis_put_unit", 10),
        (BILL.kinesis_provisioned(10, 25 * KB, shards=2), "kinesis_put_unit", 10),
        (BILL.kinesis_provisioned(10, 25 * KB + 1, shards=2), "kinesis_put_unit", 20),
        (BILL.kinesis_provisioned(10, 1, shards=2), "kinesis_shard_hour", 1460),
        (BILL.kinesis_on_demand(1 << 20, 500), "kinesis_gb_in", 1),
        (BILL.kinesis_on_demand(1 << 20, 512, readers=3), "kinesis_gb_out", 1.5),
        (BILL.kinesis_on_demand(1, 1), "kinesis_stream_hour", 730),
        (BILL.sqs(1000, 500), "sqs_request", 3000),
        (BILL.sqs(1000, 500, in_a_batch=10), "sqs_request", 300),
        (BILL.sqs(1000, 20 * KB, in_a_batch=10), "sqs_request", 900),
        (BILL.sqs(10, 64 * KB + 1), "sqs_request", 50),
        (BILL.sqs(0, 500, empty_receives=7), "sqs_request", 7),
        (BILL.firehose(1 << 20, 500), "firehose_gb", 5),
        (BILL.firehose(1 << 20, 5 * KB + 1), "firehose_gb", 10),
        (BILL.functions(1000, 0.0015, 512), "lambda_arm_gb_second", 1),
        (BILL.functions(1000, 1, 128, arm=False), "lambda_x86_gb_second", 125),
        (BILL.http_api(10, 512 * KB), "http_api_request", 10),
        (BILL.http_api(10, 512 * KB + 1), "http_api_request", 20),
        (BILL.dynamodb(writes=10, item_bytes=300), "dynamodb_write", 10),
        (BILL.dynamodb(writes=10, item_bytes=KB + 1, in_transaction=True), "dynamodb_write", 40),
        (BILL.dynamodb(reads=10, item_bytes=5 * KB), "dynamodb_read", 20),
        (BILL.athena(1 << 20, 1), "athena_tb", 10),
        (BILL.glue(60, 1, dpus=2), "glue_dpu_hour", 2),
        (BILL.s3(puts=5), "s3_put", 5),
        (BILL.containers(2, 4), "fargate_vcpu_hour", 1460),
        (BILL.containers(2, 4), "fargate_gb_hour", 2920),
    ],
)
def test_what_is_rounded_up_to_what(charges: list[Charge], item: str, quantity: float) -> None:
    assert quantities(charges)[item] == pytest.approx(quantity)


def test_a_month_of_one_shard_is_what_aws_says() -> None:
    assert total(BILL.kinesis_provisioned(0, 1, shards=1)) == pytest.approx(10.95)
    assert total(BILL.kinesis_provisioned(100e6, 500, shards=1)) == pytest.approx(10.95 + 1.40)


def test_firehose_of_small_events_costs_ten_times_their_size() -> None:
    small = total(BILL.firehose(50e6, 512))
    assert small == pytest.approx(10 * total(BILL.firehose(5e6, 5 * KB)))


def test_what_is_free_is_taken_off_where_asked() -> None:
    assert total(Bill(free_tier=True).sqs(333_333, 500)) == 0
    assert total(Bill(free_tier=True).sqs(1_000_000, 500)) == pytest.approx(0.80)
    assert total(BILL.sqs(1_000_000, 500)) == pytest.approx(1.20)


def test_ones_own_prices() -> None:
    own = prices({"sqs_request": 4})
    assert total(Bill(own).sqs(1_000_000, 500)) == pytest.approx(12)
    assert (own["sqs_request"].as_of, own["s3_put"]) == ("yours", PRICES["s3_put"])
    with pytest.raises(SettingsError, match="sqs_requests") as raised:
        prices({"sqs_requests": 4})
    assert "sqs_request," in raised.value.hint


@pytest.mark.parametrize(("records", "size", "found"), [(0, 0, 1), (1000, 1, 1), (1001, 1, 2), (1, (1 << 20) + 1, 2)])
def test_shards(records: float, size: float, found: int) -> None:
    assert shards(records, size) == found


def test_packing() -> None:
    assert packed(500, 25_000, waiting=1000) == 50
    assert packed(500, 25_000, waiting=3) == 3
    assert packed(30_000, 25_000, waiting=3) == 1


def test_one_line_for_each_item() -> None:
    assert merged([Charge("s3_put", 1, 2)], [Charge("s3_put", 3, 4), Charge("s3_get", 1, 1)]) == [
        Charge("s3_put", 4, 6),
        Charge("s3_get", 1, 1),
    ]


def test_every_price_says_when_and_where_from() -> None:
    for item, price in PRICES.items():
        assert item == price.item
        assert price.price > 0 and price.per > 0 and price.unit and price.source
        assert price.as_of.startswith("20")
    assert HOURS_A_MONTH == 730
