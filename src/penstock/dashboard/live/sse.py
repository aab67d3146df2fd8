"""`/live`: what happens now, as server-sent events.

    id: 7f3a90c1-1042          the window's name, and the number of the newest event
    event: now
    data: {"online":3,"per_minute":[…],"lag":{…},"reading":true,"fresh":false,"events":[…]}

`events` are those since the last message. A browser that comes back says with `Last-Event-ID` (a page, with `?after=`)
what it has seen, and gets what is kept of the rest; `fresh` says that the numbers are those of another window, and
that `events` is all there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from .tail import Lag, Live, TooMany
from .window import Entry

_RETRY = b"retry: 3000\n\n"
_BEAT = b": still here\n\n"
_BEAT_SECONDS = 15
_GAP_SECONDS = 0.25
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class Message(msgspec.Struct):
    online: int
    per_minute: tuple[int | None, ...]
    lag: Lag
    reading: bool
    fresh: bool
    events: list[Entry]


_encode = msgspec.json.Encoder().encode


async def answer(live: Live, request: Request) -> Response:
    """503 if too many listen already, or nobody is served any more."""
    after = request.headers.get("last-event-id") or request.query_params.get("after", "")
    messages = _messages(live, after)
    try:
        first = await anext(messages)
    except (TooMany, StopAsyncIteration):
        return Response("too many listen already", 503, {"retry-after": "30"})
    return StreamingResponse(_joined(first, messages), media_type="text/event-stream", headers=_HEADERS)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for each in rest:
        yield each


async def _messages(live: Live, after: str) -> AsyncIterator[bytes]:
    """Ends when `live` is closed, or when it is closed itself because the browser went away."""
    with live.listening() as heard:
        last, fresh = _place(live, after)
        told = _RETRY
        while not live.is_closed:
            heard.clear()
            message, last = _message(live, last, fresh=fresh)
            yield told + message
            told, fresh, sent = b"", False, monotonic()
            while not live.is_closed and not await _is_set(heard, sent + _BEAT_SECONDS - monotonic()):
                yield _BEAT
                sent = monotonic()
            await asyncio.sleep(sent + _GAP_SECONDS - monotonic())


async def _is_set(heard: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await heard.wait()
    except TimeoutError:
        return False
    return True


def _place(live: Live, after: str) -> tuple[int, bool]:
    """The last number that was seen; who says nothing is told only of what is to come."""
    name, _, number = after.partition("-")
    if name == live.name and number.isascii() and number.isdigit() and len(number) < 20:
        return int(number), False
    return (0, True) if after else (live.seen.now.newest, False)


def _message(live: Live, last: int, *, fresh: bool) -> tuple[bytes, int]:
    seen, events = live.seen, live.feed(last)
    newest = events[-1].n if events else last
    message = Message(seen.now.online, seen.now.per_minute, seen.lag, seen.reading, fresh, events)
    return b"id: %s-%d\nevent: now\ndata: %s\n\n" % (live.name.encode(), newest, _encode(message)), newest
