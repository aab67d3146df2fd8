"""AWS on loopback: MiniStack in a virtual environment of its own, IAM enforced; one process, ended with the tests."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from penstock.hosts.supervisor import free_port

PINNED = ("ministack==1.5.33", "boto3==1.43.106", "duckdb>=2,<3", "msgspec>=0.20,<1", "cryptography")
"""boto3 and msgspec are what functions find beside their zip; the emulator pins its own botocore."""
HOME = Path(__file__).parents[2] / ".venv-aws"
_HOW = "make .venv-aws/installed"


def installed() -> Path:
    """Its executable; made on first use. Skips, saying how to get it, where packages cannot be had."""
    home = Path(os.environ.get("TEST_AWS_VENV") or HOME)
    program = home / "bin/ministack"
    if (home / "installed").exists() and (home / "installed").read_text() == "\n".join(PINNED):
        return program
    try:
        venv.create(home, with_pip=True, clear=True)
        pip = [str(home / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        subprocess.run([*pip, *PINNED], check=True, timeout=300, capture_output=True, text=True)
    except (OSError, subprocess.SubprocessError) as error:
        why = getattr(error, "stderr", None) or error
        pytest.skip(f"SKIPPED LOUDLY: MiniStack is not there and could not be installed; {_HOW}: {why}")
    (home / "installed").write_text("\n".join(PINNED))
    return program


@contextmanager
def running(log: Path) -> Iterator[str]:
    """Its address. `test`/`test` are the keys of the account's owner; a role may what its policies say."""
    program, port = installed(), free_port()
    given = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PENSTOCK_"))}
    environment = {
        **given, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "AUTH": "true", "LOG_LEVEL": "WARNING",
        "MINISTACK_ACCOUNT_ID": "123456789012", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1", "TMPDIR": str(log.parent), "DOCKER_HOST": "unix:///nowhere",
    }  # fmt: skip
    with log.open("wb") as told:
        process = subprocess.Popen([str(program)], env=environment, stdout=told, stderr=told, start_new_session=True)
        try:
            _until_it_answers(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """With the functions, which are its children."""
    for number in (15, 9):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)


def _until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as asked:
                asked.request("GET", "/_ministack/health")
                asked.getresponse().read()
            return
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
    raise AssertionError(log.read_text())


if __name__ == "__main__":
    sys.stdout.write(f"{installed()}\n")
