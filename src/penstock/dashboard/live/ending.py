"""To know of the end before it comes: a server first waits for open answers, and a stream of events has no end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def before_end(act: Callable[[], object]) -> Iterator[None]:
    """`act` is called in the event loop as soon as the process is asked to end; what the server does then, it does too.

    An event loop hears of signals through a file, so beside its handler there is room for this one. Only the main
    thread has signals; in another one nothing is done, and whoever started it ends it.
    """
    loop, before = asyncio.get_running_loop(), dict[signal.Signals, Any]()

    def told(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed already
            loop.call_soon_threadsafe(act)
        if callable(other := before.get(signal.Signals(number))):
            other(number, frame)

    with contextlib.suppress(ValueError):
        for each in _SIGNALS:
            before[each] = signal.getsignal(each)
            signal.signal(each, told)
    try:
        yield
    finally:
        for each, handler in before.items():
            with contextlib.suppress(ValueError, TypeError):
                signal.signal(each, handler)
