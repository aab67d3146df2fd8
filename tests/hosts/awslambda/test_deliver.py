"""Batches of a stream or queue become objects of bronze: nothing is lost, and a batch that comes again adds none."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.bronze.layout import arrival, inbox_key, span
from penstock.hosts.awslambda import deliver
from penstock.hosts.awslambda.messages import messages
from penstock.pipeline import Pipeline
from penstock.settings import load
from support import LakeInHand

from .asked import NOON, kinesis, sqs
from .conftest import Aws, Context

START = "some/prefix/bronze/"
FOLDER = f"{START}year=2026/month=02/day=01/hour=12/minute=00/"
POISON = (b"no JSON", b"\xff\xfe", b'{"a":1}\n{"b":2}\n', b'{"half":')


def bronze(aws: Aws) -> dict[str, bytes]:
    """Key → lines; every object was announced with its size."""
    found = aws.objects()
    kept = {key: data for key, data in found.items() if "/inbox/" not in key}
    told = {START + inbox_key(key.removeprefix(START)): str(len(data)).encode() for key, data in kept.items()}
    assert {key: data for key, data in found.items() if "/inbox/" in key} == told
    return {key: gzip.decompress(data) for key, data in kept.items()}


def test_a_shards_batch_is_one_object_under_its_sequence_numbers(aws: Aws, context: Context) -> None:
    event = kinesis(b'{"n":1}', b'{"n":2}\n', b'{"n":3}\n{"n":4}\n', shard=3)
    for _ in range(2):
        assert deliver.handler(event, context) == {"batchItemFailures": []}
    ((key, data),) = bronze(aws).items()
    assert data.splitlines() == [b'{"n":%d}' % n for n in range(1, 5)]
    numbers = [record["kinesis"]["sequenceNumber"] for record in event["Records"]]
    assert key == f"{FOLDER}shardId-000000000003-{numbers[0]}-{numbers[-1]}.jsonl.gz"
    assert arrival(key) == NOON
    assert span(key) is None  # that counts without gaps, which sequence numbers do not


def test_a_queues_batch_has_one_key_in_any_order(aws: Aws, context: Context) -> None:
    event = sqs('{"n":1}', '{"n":2}\n', '{"t":"\\ud83d ä"}')
    written = []
    for records in (event["Records"], event["Records"][::-1]):
        deliver.handler({"Records": records}, context)
        written.append(aws.objects())
    assert written[0] == written[1]
    deliver.handler(sqs('{"n":5}', first=4), context)
    (first, one), (second, other) = sorted(bronze(aws).items(), key=lambda found: -len(found[1]))
    assert sorted(one.splitlines()) == sorted([b'{"n":1}', b'{"n":2}', '{"t":"\\ud83d ä"}'.encode()])
    assert other == b'{"n":5}\n'
    assert first.startswith(f"{FOLDER}queue-") and second.startswith(f"{FOLDER}queue-")


@pytest.mark.parametrize("batch", [[1], [2], [1, 2]])
def test_short_sequence_numbers_are_no_offsets(batch: list[int], aws: Aws) -> None:
    """As emulators give them."""
    event = kinesis(*[b"{}" for _ in batch])
    for record, number in zip(event["Records"], batch, strict=True):
        record["kinesis"]["sequenceNumber"] = str(number)
    assert span(deliver.key(messages(event))) is None


def test_poison_goes_in_as_it_is_and_silver_sets_it_aside(aws: Aws, context: Context, hand: LakeInHand) -> None:
    good = hand.post([{"event_type": "x", "event_id": "e"}], NOON)
    deliver.handler(kinesis(*good, *POISON, *good), context)
    ((key, data),) = bronze(aws).items()
    assert data == b"".join(line if line.endswith(b"\n") else line + b"\n" for line in (*good, *POISON, *good))
    hand.put_bytes(key.removeprefix(START), gzip.compress(data))
    done = hand.refine()
    assert done.events == {"stored": 1, "duplicate": 1, "quarantined": 5}
    assert sorted({row["reason"] for row in hand.sql("select reason from quarantine")}) == [
        "bad_encoding", "bad_event_name", "malformed_json",
    ]  # fmt: skip


def test_what_holds_nothing_makes_no_object(aws: Aws, context: Context) -> None:
    assert deliver.handler(kinesis(b"", b" \n"), context) == {"batchItemFailures": []}
    assert aws.objects() == {}


def test_trouble_with_the_bucket_brings_the_batch_again(aws: Aws, context: Context, monkeypatch: Any) -> None:
    monkeypatch.setenv("PENSTOCK_LAKE", "s3://no-such-bucket")
    with pytest.raises(Exception, match="NoSuchBucket"):
        deliver.handler(kinesis(b"{}"), context)


def test_what_it_wrote_is_refined_from_the_bucket(
    aws: Aws, context: Context, environment: dict[str, str], tmp_path: Path, hand: LakeInHand, unset: Callable[[], None]
) -> None:
    lines = hand.post([{"event_type": "x", "event_id": f"e{n}"} for n in range(5)], NOON)
    deliver.handler(kinesis(*lines[:3]), context)
    deliver.handler(kinesis(*lines[2:], first=3), context)
    unset()
    pipeline = Pipeline(load(data=tmp_path, lake=environment["PENSTOCK_LAKE"]))
    done = pipeline.refine()
    pipeline.close()
    assert done is not None
    assert done.events == {"stored": 5, "duplicate": 1}
