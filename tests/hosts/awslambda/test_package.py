"""hot.zip: small, the same every time, and complete: it runs under AWS's own client, beside boto3 and nothing else."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.collect import Request
from penstock.hosts.awslambda import package

from .asked import firehose, kinesis, made, sqs, v1, v2
from .conftest import Aws
from .runtime_api import FunctionError, Runtime, function

pytestmark = pytest.mark.heavy
VIEW = json.dumps(
    {"event_type": "page_view", "event_id": "e", "session_id": "s", "page_path": "/a", "event_ts": "2026-02-01T12:00Z"}
)
FOLDER = "some/prefix/bronze/year=2026/month=02/day=01/hour=12/minute=00/"
Invoke = Callable[[str, Any], Any]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has awslambdaric and boto3, as AWS's runtime has. `LAMBDA_PYTHON` may name one that is there."""
    if "LAMBDA_PYTHON" in os.environ:
        return Path(os.environ["LAMBDA_PYTHON"])
    folder = tmp_path_factory.mktemp("runtime")
    venv.create(folder, with_pip=True)
    found = folder / "bin" / "python"
    asked = [found, "-m", "pip", "--disable-pip-version-check", "-q", "install", "awslambdaric>=3,<5", "boto3>=1.40,<2"]
    subprocess.run(asked, check=True)
    return found


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As it is deployed, but for the Python that is here."""
    folder = tmp_path_factory.mktemp("hot")
    with zipfile.ZipFile(package.build(folder, arch=None)) as found:
        found.extractall(folder / "task")
    return folder / "task"


@pytest.fixture
def invoke(python: Path, unpacked: Path, aws: Aws, environment: dict[str, str], tmp_path: Path) -> Iterator[Invoke]:
    """Starts a function when it is first asked; two of one process at most."""
    running: dict[str, Any] = {}

    def once(name: str, event: Any) -> Any:
        if name not in running:
            handler = f"penstock.hosts.awslambda.{name}.handler"
            opened = function(python, unpacked, handler, environment, tmp_path / f"{name}.log")
            running[name] = opened, opened.__enter__()
        runtime: Runtime = running[name][1]
        return runtime.invoke(event)

    yield once
    for opened, _ in running.values():
        opened.__exit__(None, None, None)


@pytest.mark.parametrize("arch", ["arm64", "x86_64"])
def test_it_is_small_and_the_same_every_time(arch: str, tmp_path: Path) -> None:
    one, two = (package.build(tmp_path / name, arch=arch) for name in "ab")
    assert one.stat().st_size < package.MOST_BYTES
    assert hashlib.sha256(one.read_bytes()).digest() == hashlib.sha256(two.read_bytes()).digest()
    names = zipfile.ZipFile(one).namelist()
    assert {f"penstock/hosts/awslambda/{name}.py" for name in package.FUNCTIONS} <= set(names)
    machine = {"arm64": "aarch64", "x86_64": "x86_64"}[arch]
    assert [name for name in names if name.endswith(".so")] == [f"msgspec/_core.cpython-313-{machine}-linux-gnu.so"]


def test_the_command_says_how_large_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package.main([str(tmp_path), "--arch", "x86_64"])
    assert f"{tmp_path}/hot.zip: {(tmp_path / 'hot.zip').stat().st_size:,} bytes" in capsys.readouterr().out


def test_collect(invoke: Invoke, aws: Aws) -> None:
    body = b'[{"event_type":"x"},{"event_type":"y"}]'
    for shape in (v1, v2):
        answer = invoke("collect", shape(Request("POST", "/v1/events", "", {}, gzip.compress(body))))
        assert (answer["statusCode"], json.loads(answer["body"])["accepted"]) == (200, 2)
    pixel = invoke("collect", v2(Request("GET", "/a/pixel.gif", "page=/p", {}, b"")))
    assert base64.b64decode(pixel["body"]).startswith(b"GIF89a")
    tracker = invoke("collect", v2(Request("GET", "/a/analytics.js", "", {}, b"")))
    from penstock.collect.tracker import script

    assert tracker["body"].encode() == script().body
    lines = [
        line for key, data in aws.objects().items() if "/inbox/" not in key for line in gzip.decompress(data).split()
    ]
    assert len(lines) == 5


def test_deliver_count_and_transform(invoke: Invoke, aws: Aws) -> None:
    assert invoke("deliver", kinesis(VIEW.encode(), b"\xff")) == {"batchItemFailures": []}
    assert invoke("deliver", sqs(VIEW)) == {"batchItemFailures": []}
    keys = [key for key in aws.objects() if "/inbox/" not in key]
    for _ in range(2):
        assert invoke("count", made(*keys)) == {"batchItemFailures": []}
    hour = "2026-02-01T12"
    assert aws.counters() == {("page_view", hour): 2, ("quarantine#bad_encoding", hour): 1}
    answer = invoke("transform", firehose(base64.b64encode(b"{}").decode()))
    assert answer["records"][0]["result"] == "Ok"


def test_page_views_and_aggregate(invoke: Invoke, aws: Aws) -> None:
    assert invoke("page_views", sqs(VIEW, "poison")) == {"batchItemFailures": [{"itemIdentifier": "message-2"}]}
    assert invoke("aggregate", {"day": "2026-02-01"}) == {"pages": {"2026-02-01": 1}}
    assert aws.items("days") == {("/a", "2026-02-01"): {"views": 1, "visitors": 1}}


def test_an_error_of_a_function_is_told(invoke: Invoke) -> None:
    with pytest.raises(FunctionError, match="NoSuchKey"):
        invoke("count", made(FOLDER + "gone.gz"))


@pytest.mark.parametrize(
    ("missing", "error"),
    [
        ("msgspec/__init__.py", "has no attribute 'Struct'"),
        ("penstock/bronze/layout.py", "No module named"),
        ("penstock/collect/analytics.min.js", "No such file"),
    ],
)
def test_a_zip_that_lacks_something_does_not_run(
    missing: str, error: str, python: Path, unpacked: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """So what passes above is really complete, and nothing of this machine helps."""
    hidden = unpacked / f"{missing}.hidden"
    (unpacked / missing).rename(hidden)
    try:
        handler = "penstock.hosts.awslambda.collect.handler"
        with (
            function(python, unpacked, handler, environment, tmp_path / "log") as runtime,
            pytest.raises(FunctionError, match=error),
        ):
            runtime.invoke(v2(Request("GET", "/a/analytics.js", "", {}, b"")))
    finally:
        hidden.rename(unpacked / missing)


def test_it_was_built_for_this_python(unpacked: Path) -> None:
    assert list(unpacked.glob(f"msgspec/_core.cpython-{sys.version_info.major}{sys.version_info.minor}-*.so"))
