"""What AWS does on bad days, put between the SDK and the emulator: no emulator throttles, or loses an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError

Fault = Callable[[Any], Any]


class Raw:
    """The part of urllib3's answer that botocore reads."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [self._body]

    def read(self, *_: Any, **__: Any) -> bytes:
        body, self._body = self._body, b""
        return body


def answered(code: str, status: int = 400, **more: Any) -> Fault:
    """Nothing was done, and the answer says why."""
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "injected", **more}).encode()
    return lambda request: AWSResponse(request.url, status, {"content-type": "application/x-amz-json-1.0"}, Raw(body))


def cancelled(*reasons: str) -> Fault:
    found = [{"Code": reason, "Message": "injected"} for reason in reasons]
    return answered("TransactionCanceledException", CancellationReasons=found)


class Faults:
    """The next calls of an operation go wrong, in this order; those after them do not. `met` are those that did."""

    def __init__(self, client: Any, operation: str, *faults: Fault) -> None:
        self._client = client
        self._faults = list(faults)
        self.met = 0
        self._sending = False
        service = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register(f"before-send.{service}.{operation}", self._before)

    def _before(self, request: Any, **_: Any) -> Any:
        if self._sending or not self._faults:
            return None
        self.met += 1
        return self._faults.pop(0)(request) if self._faults[0] is not LOST else self._lost(request)

    def _lost(self, request: Any) -> Any:
        """It is done, but the answer never comes."""
        self._faults.pop(0)
        self._sending = True
        self._client._endpoint.http_session.send(request)
        self._sending = False
        raise ReadTimeoutError(endpoint_url=request.url)


def LOST(request: Any) -> Any:
    raise AssertionError("a mark")


def silence(request: Any) -> Any:
    """Nothing was done, and nobody answers."""
    raise ReadTimeoutError(endpoint_url=request.url)
