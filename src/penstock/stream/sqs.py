"""The stream on Amazon SQS: `sqs://NAME`, a standard queue; what is taken is gone, so it declines more than others.

A message holds lines, as many as wait together, up to the 64 KB that a request is billed for. A batch is what messages
were received together, known by a digest of their ids; after a crash they come again in other company, so bronze may
hold an event twice, and silver takes it once, by its id. What fails again and again is the queue's redrive policy's.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from ..clock import Clock, utc_now
from ..errors import Declined, Transient
from . import Batch, Lag, Promise, Record, Stream, Tail
from ._aws import AwsError, ask, client, name, passing, told, transient, tries
from ._packing import ended, pack, text

if TYPE_CHECKING:
    from ..advise import Load

_MESSAGE_BYTES = 64 << 10
_CALL_BYTES = 1 << 20
_CALL_MESSAGES = 10
_SECONDS = 8.0
_HIDDEN_SECONDS = 300
"""A batch that was not committed so long after it was handed out, or asked for again, is another's."""
_MOST_RECEIVED = 10_000
_HINT = "a queue is read once: kinesis:// and the stream on one machine keep records to be read again"


def open(url: str, *, clock: Clock = utc_now, idle_seconds: float = 1.0, **_: object) -> Stream:
    """`sqs://NAME`; how long messages are kept, and when they go to a dead-letter queue, is set at the queue."""
    return SqsStream(name(url), clock, idle_seconds)


def measure(url: str) -> Load:
    """How it is loaded, for `penstock advise`."""
    # Only here: a collector in a Lambda has no structlog.
    from . import _load

    return _load.sqs(name(url))


class _Message(NamedTuple):
    """`at` is when it was sent (milliseconds), `receipt` what it is deleted with."""

    at: int
    id: str
    receipt: str
    data: bytes


class SqsStream:
    max_record_bytes = _CALL_BYTES - 1
    declines = frozenset(Promise)

    def __init__(self, queue: str, clock: Clock, idle_seconds: float) -> None:
        self._queue = queue
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._client = client("sqs")
        self._found_url = ""
        self._received: dict[str, _Message] = {}
        self._in_hand: list[_Message] = []
        self._hidden_until = 0.0
        self._waits_since: datetime | None = None
        self._waiting: tuple[float, int] = (float("-inf"), 0)
        self._message_bytes = 1024.0

    # writing

    def append(self, records: Sequence[Record]) -> None:
        """All together, whatever their keys: a queue keeps no order."""
        bodies = [text(payload.data) for payload in pack((Record(r.data) for r in records), _MESSAGE_BYTES)]
        for call in _calls(bodies):
            self._send(call)

    def _send(self, bodies: Sequence[str]) -> None:
        entries = [{"Id": str(nth), "MessageBody": body} for nth, body in enumerate(bodies)]
        self._each("send_message_batch", entries)

    def _each(self, call: str, entries: list[dict[str, Any]]) -> None:
        """Until each entry worked; only those that failed are tried again. Raises Transient."""
        why: Transient | None = None
        for _ in tries(_SECONDS):
            try:
                answer = getattr(self._client, call)(QueueUrl=self._url, Entries=entries)
            except AwsError as error:
                why = transient(error)
                if not passing(error):
                    raise why from error
                continue
            failed = {each["Id"]: each for each in answer.get("Failed", ())}
            if not failed:
                return
            entries = [entry for entry in entries if entry["Id"] in failed]
            first = next(iter(failed.values()))
            why = Transient(f"SQS failed for {len(failed)} messages: {first['Code']} {first.get('Message', '')}")
        assert why is not None
        raise why

    # reading

    def poll(self, consumer: str, limit_bytes: int) -> Batch | None:
        """Messages stay hidden from others for five minutes after each call."""
        if not self._in_hand:
            self._receive(limit_bytes)
            self._in_hand = _together(self._received.values(), limit_bytes)
        if not self._in_hand:
            return None
        if monotonic() > self._hidden_until - _HIDDEN_SECONDS / 2:
            self._hide()
        digest = hashlib.sha256("\n".join(sorted(message.id for message in self._in_hand)).encode())
        number = int.from_bytes(digest.digest()[:16], "big")
        data = b"".join(message.data for message in self._in_hand)
        return Batch(self._queue, number, number, _moment(self._in_hand[0].at), data, counted=False)

    def _receive(self, limit_bytes: int) -> None:
        """Until so much is received, or a call finds nothing, which asks every server of the queue."""
        now = monotonic()
        for _ in range(_MOST_RECEIVED // _CALL_MESSAGES):
            if sum(len(message.data) for message in self._received.values()) >= limit_bytes:
                return
            messages = self._asking(
                "receive_message",
                MaxNumberOfMessages=_CALL_MESSAGES,
                WaitTimeSeconds=min(20, math.ceil(self._idle_seconds)),
                VisibilityTimeout=_HIDDEN_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", ())
            if not messages:
                return
            if not self._received:
                self._hidden_until = now + _HIDDEN_SECONDS
            for each in messages:
                at, data = int(each["Attributes"]["SentTimestamp"]), ended(each["Body"].encode(errors="surrogatepass"))
                # What comes twice is one message; only the newest receipt deletes it for sure.
                self._received[each["MessageId"]] = _Message(at, each["MessageId"], each["ReceiptHandle"], data)
                self._message_bytes += (len(data) - self._message_bytes) / 16

    def _hide(self) -> None:
        """For some minutes more; one that another has by now comes twice, which silver bears."""
        self._hidden_until = monotonic() + _HIDDEN_SECONDS
        for some in _tens(list(self._received.values())):
            entries = [
                {"Id": str(nth), "ReceiptHandle": message.receipt, "VisibilityTimeout": _HIDDEN_SECONDS}
                for nth, message in enumerate(some)
            ]
            self._asking("change_message_visibility_batch", Entries=entries)

    def commit(self, consumer: str, batch: Batch) -> None:
        if not self._in_hand or self.poll(consumer, 0) != batch:
            return
        for some in _tens(self._in_hand):
            self._each(
                "delete_message_batch",
                [{"Id": str(nth), "ReceiptHandle": message.receipt} for nth, message in enumerate(some)],
            )
        for message in self._in_hand:
            self._received.pop(message.id, None)
        self._in_hand = []
        self._waiting = float("-inf"), 0
        self._waits_since = None

    def lag(self, consumer: str) -> Lag:
        """By what the queue says: messages, not records. `oldest` is of what we hold, or since when we see them."""
        messages = self._messages()
        if not messages:
            self._waits_since = None
            return Lag(0, 0, None)
        self._waits_since = self._waits_since or self._clock()
        held = min((_moment(message.at) for message in self._received.values()), default=self._waits_since)
        return Lag(messages, int(messages * self._message_bytes), min(held, self._waits_since))

    def _messages(self) -> int:
        """Those that nobody has received, and those that somebody has; both are the queue's estimate."""
        asked_at, messages = self._waiting
        if monotonic() - asked_at >= self._idle_seconds:
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            found = self._asking("get_queue_attributes", AttributeNames=names)["Attributes"]
            messages = sum(int(found[each]) for each in names)
            self._waiting = monotonic(), messages
        return max(messages, len(self._received))

    # what a queue cannot do

    def seek(self, consumer: str, at: datetime) -> int:
        raise Declined("a queue cannot be replayed", hint=_HINT)

    def forget(self, until: datetime) -> None:
        """Nothing to do: what was taken is kept no longer."""

    def tail(self, cursor: Mapping[str, int] | None, limit_bytes: int | None = None) -> Tail:
        raise Declined("a queue cannot be looked into without taking from it", hint=_HINT)

    def cursor(self, at: datetime) -> Mapping[str, int]:
        raise Declined("a queue cannot be looked into without taking from it", hint=_HINT)

    def ends(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        self._client.close()

    # calls

    @property
    def _url(self) -> str:
        if not self._found_url:
            with told():
                found = ask(self._client.get_queue_url, seconds=_SECONDS, QueueName=self._queue)
            self._found_url = str(found["QueueUrl"])
        return self._found_url

    def _asking(self, call: str, **what: Any) -> Any:
        with told():
            return ask(getattr(self._client, call), seconds=_SECONDS, QueueUrl=self._url, **what)


def _calls(bodies: Sequence[str]) -> Iterator[list[str]]:
    """At most 10 messages and 1 MiB together."""
    call: list[str] = []
    size = 0
    for body in bodies:
        more = len(body.encode())
        if len(call) == _CALL_MESSAGES or (call and size + more > _CALL_BYTES):
            yield call
            call, size = [], 0
        call.append(body)
        size += more
    if call:
        yield call


def _together(messages: Iterable[_Message], limit_bytes: int) -> list[_Message]:
    """The oldest of one minute, within the limit; at least one."""
    found: list[_Message] = []
    size = 0
    for message in sorted(messages):
        size += len(message.data)
        if found and (message.at // 60_000 != found[0].at // 60_000 or size > limit_bytes):
            break
        found.append(message)
    return found


def _tens(messages: Sequence[_Message]) -> Iterator[Sequence[_Message]]:
    for start in range(0, len(messages), _CALL_MESSAGES):
        yield messages[start : start + _CALL_MESSAGES]


def _moment(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)
