"""What a Kafka client says of its brokers → log, each kind of trouble at most once a minute.

While no broker is there, a client says the same twenty times a second, on stderr, without an end.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from confluent_kafka import KafkaError
from structlog import get_logger

QUIET = "2"
"""The `log_level` at which a client writes nothing of it by itself."""
_AGAIN_SECONDS = 60.0


def tell_seldom(now: Callable[[], float] = monotonic) -> Callable[[KafkaError], None]:
    """For `error_cb` of a client that is polled: for others, what is to be told would pile up."""
    silent_until: dict[int, float] = {}

    def tell(error: KafkaError) -> None:
        if now() >= silent_until.get(error.code(), 0.0):
            silent_until[error.code()] = now() + _AGAIN_SECONDS
            get_logger().warning("trouble with Kafka", kind=error.name(), error=error.str())

    return tell
