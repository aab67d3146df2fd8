"""Traffic for `penstock demo`: simulated visitors who post to a collector over real HTTP, until told to stop."""

from __future__ import annotations

import http.client
import random
import threading
from urllib.parse import urlsplit

import msgspec

from ..clock import Clock, utc_now
from ..simulator import sessions

_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
)
_RESEND = 0.01


class Traffic:
    """About `rate` events a second; one in a hundred batches is sent twice, as a browser that lost the answer would."""

    def __init__(self, url: str, *, rate: float = 20, seed: int = 1, clock: Clock = utc_now) -> None:
        self.sent = 0
        self._url = urlsplit(url)
        self._pause = 5 / rate
        self._seed = seed
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. A batch that is not answered with 200 is sent again."""
        chance = random.Random(self._seed)
        for session in sessions(self._seed, self._clock()):
            agent = chance.choice(_AGENTS)
            for start in range(0, len(session), 5):
                events = session[start : start + 5]
                now = self._clock().isoformat()
                for event in events:
                    event["event_ts"] = now
                copies = 2 if chance.random() < _RESEND else 1
                for _ in range(copies):
                    while not self._post(events, agent):
                        if stop.wait(1):
                            return
                self.sent += len(events)
                if stop.wait(self._pause):
                    return

    def _post(self, events: list[dict[str, object]], agent: str) -> bool:
        connection = http.client.HTTPConnection(self._url.hostname or "", self._url.port, timeout=10)
        try:
            connection.request("POST", "/v1/events", msgspec.json.encode(events), {"user-agent": agent})
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
