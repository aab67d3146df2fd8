"""Work for somebody who may go away before it is done: then it ends, and so does the process of his query."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_LOOK_SECONDS = 0.1
_CLOSED_REQUEST = 499

T = TypeVar("T")


class Gone(HTTPException):
    """Nobody waits for the answer any more."""

    def __init__(self) -> None:
        super().__init__(_CLOSED_REQUEST)


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives; the request's body is to be read before."""
    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Gone
    finally:
        await _ended(task)
        await _ended(gone)


async def _gone(request: Request) -> None:
    while not await request.is_disconnected():
        await asyncio.sleep(_LOOK_SECONDS)


async def _ended(task: asyncio.Future[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task


class Pieces(StreamingResponse):
    """An answer that comes in pieces; where they come from is closed in the end, whoever went away."""

    def __init__(self, request: Request, pieces: AsyncGenerator[bytes], *, type: str, name: str) -> None:
        super().__init__(pieces, media_type=type, headers={"content-disposition": f'attachment; filename="{name}"'})
        self._request = request
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._pieces):
            with suppress(Gone, OSError):
                await unless_gone(self._request, self.stream_response(send))
