"""Terraform and CloudFormation make the same: names, sizes, rights, event sources, alarms, everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from deploy import of_template, of_terraform, plan
from deploy.template import Made, load

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/penstock:1"
STACKS = {
    "defaults": {},
    "files to counters": {"collect": "false", "stream": "none", "athena": "false", "drop_prefix": "drops/"},
    "queue to page views": {"stream": "sqs", "bronze_writer": "none", "page_views": "true", "counters": "false"},
    "stream to page views": {"page_views": "true", "shards": "0", "retention_hours": "72"},
    "queue to bronze": {"stream": "sqs", "retention_hours": "336", "deliver_seconds": "5"},
    "no stream": {"stream": "none", "collect_prefix": "/e", "sources": '[{"name": "web", "write_key": "k"}]'},
    "firehose": {"bronze_writer": "firehose", "name": "shop-eu", "architecture": "x86_64", "log_days": "7"},
    "transform": {"refine_image": IMAGE, "refine_minutes": "15", "bronze_days": "400", "scan_gigabytes": "250"},
    "everything": {
        "refine_image": IMAGE, "bronze_writer": "firehose", "page_views": "true", "shards": "4",
        "requests_per_second": "50", "alarm_email": "ops@example.org", "budget_dollars": "20",
    },
}  # fmt: skip


def parameters(variables: dict[str, str]) -> dict[str, str]:
    """`bronze_writer` is BronzeWriter there."""
    return {"".join(part.capitalize() for part in name.split("_")): value for name, value in variables.items()}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Where Terraform asks whose account it is."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def terraform(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> plan.Terraform:
    plan.needed()
    return plan.Terraform(tmp_path_factory.mktemp("terraform"), endpoint)


@pytest.mark.heavy
@pytest.mark.parametrize("variables", STACKS.values(), ids=STACKS)
def test_both_make_the_same(variables: dict[str, str], terraform: plan.Terraform, tmp_path: Path) -> None:
    code = tmp_path / "hot.zip"
    code.write_bytes(b"PK\x05\x06" + bytes(18))
    made = of_template.model(Made({"CodeBucket": "code", **parameters(variables)}))
    planned = of_terraform.model(terraform.plan({"hot_zip": str(code), **variables}))
    assert made.keys() == planned.keys()
    assert made == planned


@pytest.mark.heavy
def test_terraform_finds_it_sound(terraform: plan.Terraform) -> None:
    terraform("fmt", "-check", "-recursive")
    terraform("validate")
    assert "4 passed, 0 failed" in terraform("test")


def test_they_take_the_same_parameters() -> None:
    text = (plan.FOLDER / "variables.tf").read_text()
    variables = {line.split('"')[1] for line in text.splitlines() if line.startswith("variable ")}
    there = load()["Parameters"].keys() - {"CodeBucket"}
    assert there == parameters(dict.fromkeys(variables, "")).keys()
