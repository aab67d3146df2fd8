"""The stack as text: sound by AWS's own schemas, and no right in it that nobody needs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy import plan
from deploy.of_template import model
from deploy.template import TEMPLATE, Made
from deploy.test_equal import STACKS, parameters
from penstock.collect import Request
from penstock.collect.app import Collector

ALL = {name: model(Made({"CodeBucket": "code", **parameters(given)})) for name, given in STACKS.items()}
FUNCTIONS = {
    (stack, name.split()[1].split("-", 1)[1] if "shop-eu" not in name else name.split("shop-eu-")[1]): what
    for stack, found in ALL.items()
    for name, what in found.items()
    if name.startswith("function ")
}


def rights(task: str) -> list[tuple[str, list[str], list[str]]]:
    """Effect, actions, resources of that function, in all stacks."""
    return [one[:3] for (_, name), what in FUNCTIONS.items() if name == task for one in what["role"]["may"]]


def actions(task: str) -> set[str]:
    return {action for _, some, _ in rights(task) for action in some}


def test_cfn_lint_finds_nothing() -> None:
    found = shutil.which("cfn-lint", path=str(Path(sys.executable).parent)) or shutil.which("cfn-lint")
    assert found, "pip install 'penstock[test]'"
    done = subprocess.run([found, str(TEMPLATE)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_collector_can_only_put() -> None:
    log = {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert actions("collect") - log == {"kinesis:PutRecords", "sqs:GetQueueUrl", "sqs:SendMessage", "s3:PutObject"}


def test_nobody_may_delete_bronze() -> None:
    for (_, task), what in FUNCTIONS.items():
        for effect, some, resources, *_ in what["role"]["may"]:
            if effect == "Allow" and any(action.startswith("s3:Delete") for action in some):
                places = {resource.split(":::", 1)[1].split("/", 1)[1] for resource in resources}
                assert places == {"bronze/inbox/*", "silver/*", "gold/*"}, task
    for found in ALL.values():
        (bucket,) = (what for name, what in found.items() if name.startswith("bucket "))
        denied = [one for one in bucket["policy"] if one[0] == "Deny" and "s3:DeleteObject" in one[1]]
        assert [place.split("/", 1)[1] for _, _, places, *_ in denied for place in places] == ["bronze/year=*"]


@pytest.mark.parametrize("task", sorted({task for _, task in FUNCTIONS}))
def test_no_right_is_wider_than_what_it_is_for(task: str) -> None:
    for effect, some, resources in rights(task):
        assert effect == "Allow"
        assert not [action for action in some if "*" in action]
        assert not [resource for resource in resources if resource == "*" or resource.endswith(":*/*")]
    wide = {"dynamodb:DeleteItem", "dynamodb:DeleteTable", "iam:PassRole"}
    if task != "refine":  # which has to know a table of gold that is not its own
        wide.add("dynamodb:Scan")
    assert not actions(task) & wide


def test_the_table_of_permissions_in_the_docs_is_what_they_have() -> None:
    """docs/aws-functions.md says what each calls; the stack gives that, the log and the queue of failures."""
    page = (TEMPLATE.parents[3] / "docs/aws-functions.md").read_text().split("## Permissions")[1].split("## ")[0]
    told: dict[str, set[str]] = {}
    for line in page.splitlines():
        if line.startswith("| ") and not line.startswith(("| ---", "| function")):
            who, what, _ = (cell.strip() for cell in line.strip().strip("|").split("|"))
            for name in who.split(":")[0].split(","):
                if not name.strip().startswith(("Kinesis", "SQS", "no stream")):
                    told.setdefault(name.strip().replace("_", "-"), set()).update(what.strip("`").split("`, `"))
    for task in {task for _, task in FUNCTIONS}:
        given = actions(task) - {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"}
        assert given == told[task] - {"sqs:SendMessage", "none"}, task


def test_everything_is_watched_kept_for_a_time_and_encrypted() -> None:
    for stack, found in ALL.items():
        alarms = {name.split()[1].removeprefix("penstock-") for name in found if name.startswith("alarm ")}
        for name, what in found.items():
            kind, called = name.split(" ", 1)
            task = called.split("penstock-")[-1]
            if kind == "function" and stack != "firehose":
                assert {f"{task}-errors", f"{task}-throttles"} <= alarms
                assert f"log /aws/lambda/{called}" in found
            if kind in ("queue", "table"):
                assert what["encrypted"]
            if kind == "bucket":
                assert what["encryption"]
                assert set(what["private"].values()) == {True}
            if kind == "log" and not called.startswith("stream "):
                assert what["days"] > 0
        assert "failed" in {name.rsplit("-", 1)[1] for name in found if name.startswith("queue ")}


def test_age_of_events_alarms_at_half_of_the_retention() -> None:
    ages: dict[str, Any] = {
        f"{stack}: {name}": what["when"][1]
        for stack, found in ALL.items()
        for name, what in found.items()
        if name.endswith("behind")
    }
    half_day, hour = 12 * 3600, 3600
    assert ages["defaults: alarm penstock-deliver-behind"] == half_day * 1000
    assert ages["stream to page views: alarm penstock-page-views-behind"] == 36 * hour * 1000
    assert ages["queue to bronze: alarm penstock-behind"] == 168 * hour
    assert ages["firehose: alarm shop-eu-behind"] == half_day


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"Stream": "sqs", "BronzeWriter": "firehose"}, "Firehose reads from kinesis only."),
        ({"Stream": "none", "PageViews": "true"}, "Page views come from the stream: kinesis or sqs."),
        ({"Stream": "sqs", "PageViews": "true"}, "A queue has one reader"),
        ({"BudgetDollars": "5"}, "A budget tells AlarmEmail."),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(given: dict[str, str], why: str) -> None:
    assert any(told.startswith(why) for told in Made(given).broken())
    assert Made({}).broken() == []


def test_athena_knows_the_words_of_bronze() -> None:
    """A column for each that the collector writes on a line, but the number of its format."""
    asked = Request("POST", "/v1/events", "", {}, b'[{"event_type": "a", "session_id": "s"}]')
    (line,) = Collector().receive(asked).records
    columns = dict(ALL["defaults"]["catalog penstock.bronze"]["columns"])
    assert columns.keys() == json.loads(line.data).keys() - {"penstock"}


def test_no_name_or_account_is_written_down() -> None:
    for path in (TEMPLATE, *plan.FOLDER.rglob("*.tf")):
        text = path.read_text()
        assert "us-east-1" not in text
        assert "123456789012" not in text
        assert "arn:aws:" not in text
