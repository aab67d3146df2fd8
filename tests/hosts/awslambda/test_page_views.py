"""Page views of a queue or stream → DynamoDB → views and visitors by page and day; nothing counts twice."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from penstock.errors import Transient
from penstock.hosts.awslambda import aggregate, clients, page_views
from support import LakeInHand

from .asked import NOON, kinesis, sqs
from .conftest import Aws, Context
from .faults import LOST, Faults, answered, silence

DAY = {"day": "2026-02-01"}
NONE: dict[str, Any] = {"batchItemFailures": []}


def view(number: int, page: str = "/a", who: str = "s", at: str = "2026-02-01T12:00:00.000Z") -> str:
    told = {"event_type": "page_view", "event_id": f"e{number}", "session_id": who, "page_path": page, "event_ts": at}
    return json.dumps(told)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "_FIRST_PAUSE_SECONDS", 0.0001)
    monkeypatch.setattr(clients, "_LONGEST_PAUSE_SECONDS", 0.001)


def test_a_view_lies_under_its_page_and_time(aws: Aws, context: Context) -> None:
    for event in (sqs(view(1)), kinesis(view(1).encode())):
        assert page_views.handler(event, context) == NONE
    ((key, item),) = aws.items("views").items()
    assert key == ("/a", "2026-02-01T12:00:00.000Z#e1")
    assert item.pop("expires_at") > NOON.timestamp()
    assert item == {"day": "2026-02-01", "event_id": "e1", "source": "default", "session_id": "s", "visitor": "s"}


def test_other_events_and_views_of_no_page_are_left_out(aws: Aws, context: Context, hand: LakeInHand) -> None:
    no_page = {"event_type": "page_view", "session_id": "s"}
    data = b"\n".join([*hand.post([{"event_type": "purchase"}, no_page], NOON), view(1).encode()])
    assert page_views.handler(sqs(data.decode()), context) == NONE
    assert len(aws.items("views")) == 1


def test_of_a_queue_only_what_holds_no_event_is_handed_on(aws: Aws, context: Context) -> None:
    bodies = [view(1), "no JSON", view(2) + "\n" + view(3), "", view(4) + "\n{", '"x"']
    answer = page_views.handler(sqs(*bodies), context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": f"message-{n}"} for n in (2, 4, 5, 6)]}
    assert sorted(item["event_id"] for item in aws.items("views").values()) == ["e1", "e2", "e3", "e4"]


def test_of_a_stream_poison_holds_up_nothing(aws: Aws, context: Context) -> None:
    assert page_views.handler(kinesis(b"\xff", view(1).encode(), b"{"), context) == NONE
    assert len(aws.items("views")) == 1


def test_a_path_of_any_length_has_its_place(aws: Aws, context: Context) -> None:
    paths = ["/" + "x" * 5000, "/" + "x" * 5001, "/ä b?c#d"]
    assert page_views.handler(sqs(*(view(n, path) for n, path in enumerate(paths))), context) == NONE
    pages = [key[0] for key in aws.items("views")]
    assert len(set(pages)) == 3 and "/ä b?c#d" in pages


def test_lines_without_an_id_come_again_as_the_same(aws: Aws, context: Context) -> None:
    bare = json.dumps({"event_type": "page_view", "page_path": "/a", "event_ts": "2026-02-01T12:00:00Z"})
    for _ in range(2):
        page_views.handler(sqs(bare), context)
    assert len(aws.items("views")) == 1


@pytest.mark.parametrize("fault", [answered("ProvisionedThroughputExceededException"), silence, LOST])
def test_on_a_bad_day_every_view_is_there_once(aws: Aws, context: Context, fault: Any) -> None:
    Faults(clients.client("dynamodb", retries=False), "BatchWriteItem", *[fault] * 6)
    assert page_views.handler(sqs(*(view(n, f"/{n}") for n in range(60))), context) == NONE
    assert len(aws.items("views")) == 60


def unprocessed(request: Any) -> Any:
    """What DynamoDB answers when it takes the first half."""
    asked = json.loads(request.body)["RequestItems"]
    ((table, puts),) = asked.items()
    return answered("", 200, UnprocessedItems={table: puts[len(puts) // 2 :]})(request)


def test_what_dynamodb_never_takes_comes_again(aws: Aws, context: Context, monkeypatch: Any) -> None:
    monkeypatch.setattr(page_views.items, "tries", lambda context: range(1))
    told = [json.loads(view(n, f"/{n}")) for n in range(4)]
    Faults(clients.client("dynamodb", retries=False), "BatchWriteItem", unprocessed)
    answer = page_views.handler(sqs(*map(json.dumps, told)), context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": f"message-{n}"} for n in (3, 4)]}


def test_a_day_is_counted_whole_however_often(aws: Aws, context: Context) -> None:
    views = [view(n, f"/{n % 3}", f"s{n % 7}") for n in range(42)] + [view(0, "/0", "s0"), view(99, "/0", "s0")]
    late = view(100, "/0", "other", "2026-02-01T23:59:59.999Z")
    tomorrow = view(101, "/0", "other", "2026-02-02T00:00:00.000Z")
    page_views.handler(sqs(*views, tomorrow), context)
    assert aggregate.handler(DAY, context) == {"pages": {"2026-02-01": 3}}
    expected = {("/0", "2026-02-01"): (15, 7), ("/1", "2026-02-01"): (14, 7), ("/2", "2026-02-01"): (14, 7)}
    assert days(aws) == expected
    page_views.handler(sqs(*views, late), context)
    for _ in range(2):
        aggregate.handler(DAY, context)
    assert days(aws) == {**expected, ("/0", "2026-02-01"): (16, 8)}


def days(aws: Aws) -> dict[tuple[str, str], tuple[int, int]]:
    return {key: (item["views"], item["visitors"]) for key, item in aws.items("days").items()}


def test_a_view_that_was_sent_twice_with_another_clock_is_one(aws: Aws, context: Context) -> None:
    page_views.handler(sqs(view(1), view(1, at="2026-02-01T12:00:00.123Z")), context)
    aggregate.handler(DAY, context)
    assert days(aws) == {("/a", "2026-02-01"): (1, 1)}


def test_the_schedule_means_the_days_before(aws: Aws, context: Context) -> None:
    fired = {"version": "0", "time": "2026-02-03T00:15:00Z", "detail-type": "Scheduled Event"}
    page_views.handler(sqs(view(1)), context)
    assert aggregate.handler(fired, context) == {"pages": {"2026-01-31": 0, "2026-02-01": 1, "2026-02-02": 0}}
    assert days(aws) == {("/a", "2026-02-01"): (1, 1)}
    assert len(aggregate.days({})) == 3


def test_a_day_that_cannot_be_written_is_an_error(aws: Aws, context: Context) -> None:
    page_views.handler(sqs(view(1)), context)
    Faults(clients.client("dynamodb", retries=False), "BatchWriteItem", *[answered("ThrottlingException")] * 200)
    with pytest.raises(Transient):
        aggregate.handler(DAY, context)


def test_more_views_than_a_page_of_an_answer(aws: Aws, context: Context) -> None:
    """DynamoDB answers a megabyte at a time."""
    long = "x" * 900
    bodies = [base64.b64encode(view(n, "/a", f"s{n}-{long}").encode()) for n in range(1200)]
    page_views.handler(kinesis(*(base64.b64decode(body) for body in bodies)), context)
    aggregate.handler(DAY, context)
    assert days(aws) == {("/a", "2026-02-01"): (1200, 1200)}
