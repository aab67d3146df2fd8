"""AWS's Runtime API for one function, on loopback: hands an event to the runtime client and waits for its answer."""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SECONDS = 30
_START = "/2018-06-01/runtime"
_ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


class FunctionError(Exception):
    """What the runtime client reports: of a handler, or of a start that failed."""


class Runtime(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: queue.Queue[tuple[str, Any] | None] = queue.Queue()
        self.answers: queue.Queue[Any] = queue.Queue()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A function that is ended hangs up."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def invoke(self, event: Any) -> Any:
        self.events.put((str(uuid.uuid4()), event))
        answer = self.answers.get(timeout=SECONDS)
        if isinstance(answer, FunctionError):
            raise answer
        return answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for an answer
    server: Runtime

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        assert self.path == f"{_START}/invocation/next"
        if (wanted := self.server.events.get()) is None:
            return self._answer(410, b"{}")
        request_id, event = wanted
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + SECONDS) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": _ARN,
        }
        self._answer(200, json.dumps(event).encode(), headers)

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
        self._answer(202, b"{}")
        failed = self.path.endswith("/error")
        self.server.answers.put(FunctionError(f"{told['errorType']}: {told['errorMessage']}") if failed else told)

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        # The client is one in C++: without a Content-Type it ends by a signal.
        always = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in {**(headers or {}), **always}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def function(python: Path, folder: Path, handler: str, environment: Mapping[str, str], log: Path) -> Iterator[Runtime]:
    """A function of what lies in `folder`, run by AWS's client with `python` and nothing else of this machine."""
    runtime = Runtime()
    threading.Thread(target=runtime.serve_forever, daemon=True).start()
    given = {
        **environment,
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime.server_address[1]}",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "LAMBDA_TASK_ROOT": str(folder),
        "PATH": "/usr/bin:/bin",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [python, "-m", "awslambdaric", handler], cwd=folder, env=given, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            yield runtime
        finally:
            process.kill()
            process.wait(SECONDS)
            runtime.events.put(None)
            runtime.shutdown()
            runtime.server_close()
