"""The stack as real Terraform makes it, on MiniStack IAM enforced: events in, numbers out; then nothing is left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import ministack, plan
from deploy.stack import Cloud, Stack, event, until
from penstock.hosts.awslambda.package import build

pytestmark = pytest.mark.heavy
NAME = "by-terraform"
_OVERRIDE = """
provider "aws" {
  s3_use_path_style = true
}
"""
"""A bucket has no name of its own in the DNS of a loopback address."""
_SECONDS = 600


class Applied:
    def __init__(self, folder: Path, cloud: Cloud, code: Path) -> None:
        self._terraform = plan.Terraform(folder / "terraform", cloud.url)
        (folder / "terraform" / "zz_override.tf").write_text(_OVERRIDE)
        self._variables = plan.given({"name": NAME, "hot_zip": str(code), "deliver_seconds": "1", "page_views": "true"})
        self._terraform("apply", "-input=false", "-auto-approve", *self._variables, timeout=_SECONDS)
        told = json.loads(self._terraform("output", "-json"))
        outputs = {"".join(part.capitalize() for part in key.split("_")): one["value"] for key, one in told.items()}
        self.stack = Stack(cloud, NAME, outputs)

    def destroy(self) -> None:
        self._terraform("destroy", "-input=false", "-auto-approve", *self._variables, timeout=_SECONDS)


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    plan.needed()
    folder = tmp_path_factory.mktemp("applied")
    with ministack.running(folder / "ministack.log") as url:
        code = build(folder, arch=None)
        yield Applied(folder, Cloud(url, code.read_bytes()), code)


def test_1_what_it_makes_works(applied: Applied) -> None:
    stack = applied.stack
    stack.open_to_plain_http()
    assert stack.post([event("page_view", n, page_path=f"/p{n % 2}") for n in range(40)]) == 200
    until(lambda: stack.counts()["page_view"] == 40)
    until(lambda: len(stack.items("PageViewsTable")) == 40)
    assert len(stack.lines()) == 40
    answer, failed = stack.call("aggregate", {"day": "2026-02-01"})
    assert not failed, answer
    found = {item["pk"]: item["views"] for item in stack.items("AggregatesTable")}
    assert found == {"/p0": "20", "/p1": "20"}


def test_2_destroyed_nothing_is_left(applied: Applied) -> None:
    """A lake that holds something is not deleted with the rest, so it is emptied first."""
    stack = applied.stack
    for key in stack.keys(""):
        stack.cloud("s3").delete_object(Bucket=stack.bucket, Key=key)
    applied.destroy()
    assert NAME not in str(stack.cloud("lambda").list_functions()["Functions"])
    assert NAME not in str(stack.cloud("dynamodb").list_tables()["TableNames"])
    assert NAME not in str(stack.cloud("kinesis").list_streams()["StreamNames"])
