"""Objects in S3 are counted into DynamoDB once, whatever S3 tells, however often, and whatever goes wrong meanwhile."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from penstock.errors import Transient
from penstock.hosts.awslambda import clients, count
from support import LakeInHand

from .asked import NOON, S3_TEST, made
from .conftest import Aws, Context
from .faults import LOST, Fault, Faults, answered, cancelled, silence

FOLDER = "some/prefix/bronze/year=2026/month=02/day=01/hour=12/minute=00/"
SEGMENT = "segment-logs/aBc/1769947200000/1769947200.gz"


def lines(*events: dict[str, Any]) -> bytes:
    return gzip.compress("".join(json.dumps(event) + "\n" for event in events).encode())


def view(number: int, kind: str = "page_view", hour: int = 12) -> dict[str, Any]:
    return {"event_type": kind, "event_id": f"e{number}", "event_ts": f"2026-02-01T{hour:02}:30:00Z"}


def many(kinds: int, hours: int = 1) -> list[dict[str, Any]]:
    return [view(n, f"kind_{n % kinds}", n % hours) for n in range(kinds * hours)]


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries are what AWS needs, not what the test is about."""
    monkeypatch.setattr(clients, "_FIRST_PAUSE_SECONDS", 0.0001)
    monkeypatch.setattr(clients, "_LONGEST_PAUSE_SECONDS", 0.001)


def test_by_event_and_hour_and_only_once(aws: Aws, context: Context) -> None:
    key = aws.put(
        FOLDER + "a b+c=1.jsonl.gz", lines(view(1), view(2), view(3, hour=13), view(4, "Add To Cart"), view(1))
    )
    for _ in range(3):
        assert count.handler(made(key), context) == {"batchItemFailures": []}
    expected = {
        ("page_view", "2026-02-01T12"): 2,
        ("page_view", "2026-02-01T13"): 1,
        ("add_to_cart", "2026-02-01T12"): 1,
    }
    assert aws.counters() == expected
    count.handler(made(aws.put(FOLDER + "other.gz", lines(view(9)))), context)
    assert aws.counters() == {**expected, ("page_view", "2026-02-01T12"): 3}


def test_the_mark_of_a_file_expires_late(aws: Aws, context: Context) -> None:
    count.handler(made(aws.put(FOLDER + "a.gz", lines(view(1)))), context)
    ((expires,),) = [tuple(item.values()) for key, item in aws.items("counters").items() if key[1] == "chunk#0"]
    assert expires > NOON.timestamp() + 300 * 86400


def test_every_record_is_read_and_a_test_message_is_none(aws: Aws, context: Context) -> None:
    keys = [aws.put(f"{FOLDER}{n}.gz", lines(view(n))) for n in range(3)]
    count.handler(S3_TEST, context)
    removed = {**made(keys[0])["Records"][0], "eventName": "ObjectRemoved:Delete"}
    count.handler({"Records": [*made(*keys)["Records"], removed]}, context)
    assert aws.counters() == {("page_view", "2026-02-01T12"): 3}


def test_segments_files_are_read_where_they_lie(aws: Aws, context: Context) -> None:
    track = {"type": "track", "event": "Order Completed", "messageId": "m", "timestamp": "2026-02-01T11:59:00.000Z"}
    page = {"type": "page", "messageId": "n", "originalTimestamp": "2026-02-01T10:00:00Z"}
    bare = {"type": "identify", "messageId": "o"}
    plain = {"action": "ADD_TO_CART", "timestamp": "2026-02-01T09:00:00"}
    aws.put(SEGMENT, lines(track, page, bare) + lines(plain, plain) + gzip.compress(b"no JSON\n"))
    count.handler(made(SEGMENT), context)
    assert aws.counters() == {
        ("order_completed", "2026-02-01T11"): 1,
        ("page_view", "2026-02-01T10"): 1,
        ("identify", "2026-02-01T12"): 1,  # which is what the folder says
        ("add_to_cart", "2026-02-01T09"): 2,
        ("quarantine#malformed_json", "2026-02-01T12"): 1,
    }


def test_what_is_no_data_or_was_only_merged_is_left_alone(aws: Aws, context: Context) -> None:
    hour = FOLDER.removesuffix("minute=00/")
    keys = ["some/prefix/bronze/inbox/x.gz", "bronze/state/x", f"{hour}merged-0123456789abcdef.jsonl.gz"]
    for key in keys:
        aws.put(key, lines(view(1)))
    count.handler(made(*keys), context)
    assert aws.counters() == {}


def test_a_damaged_file_is_one_event_that_is_none(aws: Aws, context: Context) -> None:
    key = aws.put(FOLDER + "a.gz", lines(*many(50))[:-9])
    for _ in range(2):
        count.handler(made(key), context)
    assert aws.counters() == {("quarantine#gz_truncated", "2026-02-01T12"): 1}


@pytest.mark.parametrize("kinds", [99, 100, 199])
def test_more_counters_than_a_transaction_takes(aws: Aws, context: Context, kinds: int) -> None:
    key = aws.put(FOLDER + "a.gz", lines(*many(kinds)))
    for _ in range(2):
        count.handler(made(key), context)
    assert aws.counters() == {(f"kind_{n}", "2026-02-01T00"): 1 for n in range(kinds)}


def test_a_function_that_was_killed_halfway_goes_on_from_there(aws: Aws, context: Context, monkeypatch: Any) -> None:
    key = aws.put(FOLDER + "a.gz", lines(*many(230)))
    add, added = count._add, []

    def dies(*asked: Any) -> None:
        if len(added) == 2:
            raise MemoryError
        added.append(add(*asked))

    monkeypatch.setattr(count, "_add", dies)
    with pytest.raises(MemoryError):
        count.handler(made(key), context)
    monkeypatch.setattr(count, "_add", add)
    assert sum(aws.counters().values()) == 198
    count.handler(made(key), context)
    assert aws.counters() == {(f"kind_{n}", "2026-02-01T00"): 1 for n in range(230)}


def test_one_file_in_trouble_costs_only_itself(aws: Aws, context: Context) -> None:
    key = aws.put(FOLDER + "a.gz", lines(view(1)))
    with pytest.raises(Exception, match="NoSuchKey"):
        count.handler(made(FOLDER + "gone.gz", key), context)
    assert aws.counters() == {("page_view", "2026-02-01T12"): 1}


def test_by_a_queue_only_the_message_in_trouble_comes_again(aws: Aws, context: Context) -> None:
    def message(number: int, *keys: str) -> dict[str, Any]:
        return {"messageId": f"m{number}", "eventSource": "aws:sqs", "body": json.dumps(made(*keys))}

    keys = [aws.put(f"{FOLDER}{n}.gz", lines(view(n))) for n in range(3)]
    event = {"Records": [message(1, keys[0]), message(2, "gone", keys[1]), message(3, keys[2])]}
    event["Records"].append({"messageId": "m4", "eventSource": "aws:sqs", "body": json.dumps(S3_TEST)})
    assert count.handler(event, context) == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    assert aws.counters() == {("page_view", "2026-02-01T12"): 3}


BAD_DAYS: dict[str, tuple[Fault, ...]] = {
    "throttled": (answered("ProvisionedThroughputExceededException"),) * 6,
    "throttled hard": (answered("ThrottlingException"),) * 10,
    "others write the same": (cancelled("None", "TransactionConflict"),) * 6,
    "throttled within": (cancelled("None", "ThrottlingError"), cancelled("None", "ProvisionedThroughputExceeded")),
    "in progress": (answered("TransactionInProgressException"),) * 2,
    "the answer is lost": (LOST,),
    "every answer is lost": (LOST,) * 6,
    "nobody answers": (silence,) * 6,
    "all of it": (silence, LOST, cancelled("None", "TransactionConflict"), answered("InternalServerError", 500), LOST),
}


@pytest.mark.parametrize("day", BAD_DAYS)
def test_on_a_bad_day_the_counters_are_exact(aws: Aws, context: Context, day: str) -> None:
    keys = [aws.put(f"{FOLDER}{n}.gz", lines(*many(3))) for n in range(2)]
    faults = Faults(clients.client("dynamodb", retries=False), "TransactWriteItems", *BAD_DAYS[day])
    count.handler(made(*keys), context)
    assert faults.met == len(BAD_DAYS[day])
    count.handler(made(*keys), context)
    assert aws.counters() == {(f"kind_{n}", "2026-02-01T00"): 2 for n in range(3)}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (cancelled("None", "TransactionConflict"), Transient),
        (silence, Transient),
        (cancelled("None", "ValidationError"), Exception),
        (answered("AccessDeniedException"), Exception),
        (answered("ResourceNotFoundException"), Exception),
    ],
)
def test_a_day_that_is_too_bad_ends_in_an_error_and_is_made_up_for(
    aws: Aws, context: Context, fault: Fault, error: type[Exception]
) -> None:
    key = aws.put(FOLDER + "a.gz", lines(view(1)))
    Faults(clients.client("dynamodb", retries=False), "TransactWriteItems", *[fault] * 200)
    with pytest.raises(error):
        count.handler(made(key), context)
    assert aws.counters() == {}
    clients.client.cache_clear()
    count.handler(made(key), context)
    assert aws.counters() == {("page_view", "2026-02-01T12"): 1}


def test_it_ends_before_lambda_ends_it(aws: Aws) -> None:
    key = aws.put(FOLDER + "a.gz", lines(view(1)))
    faults = Faults(
        clients.client("dynamodb", retries=False),
        "TransactWriteItems",
        *[cancelled("None", "TransactionConflict")] * 99,
    )
    with pytest.raises(Transient):
        count.handler(made(key), Context(milliseconds=1000))
    assert faults.met == 1


def test_what_our_collector_wrote(aws: Aws, context: Context, hand: LakeInHand) -> None:
    good = hand.post([{"event_type": "x", "event_id": "e"}, {"event_type": "x"}], NOON)
    partly = hand.post(b'[{"event_type":"y"},7]', NOON)
    key = aws.put(FOLDER + "a.gz", gzip.compress(b"\n".join([*good, *partly, good[0]])))
    count.handler(made(key), context)
    hour = "2026-02-01T12"
    assert aws.counters() == {("x", hour): 2, ("y", hour): 1, ("quarantine#not_an_object", hour): 1}
