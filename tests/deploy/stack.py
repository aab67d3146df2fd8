"""The stack on the emulator: deployed, sent events, asked for numbers, in the fewest words."""

from __future__ import annotations

import gzip
import http.client
import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3

from deploy.template import TEMPLATE

CODE = "code"
BUCKET = "{}-lake-123456789012-us-east-1"
_HOUR = "2026-02-01T12"
_PATIENCE_SECONDS = 15
T = TypeVar("T")


class Cloud:
    """The account: clients, and the code that is deployed."""

    def __init__(self, url: str, code: bytes) -> None:
        self.url = url
        self._session = boto3.session.Session("test", "test", region_name="us-east-1")
        self._clients: dict[str, Any] = {}
        self("s3").create_bucket(Bucket=CODE)
        self("s3").put_object(Bucket=CODE, Key="hot.zip", Body=code)
        self("s3").put_object(Bucket=CODE, Key="penstock.yaml", Body=TEMPLATE.read_bytes())

    def __call__(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service, endpoint_url=self.url)
        return self._clients[service]

    def deploy(self, name: str, **parameters: str) -> Stack:
        """By the template."""
        self("cloudformation").create_stack(
            StackName=name,
            TemplateURL=f"{self.url}/{CODE}/penstock.yaml",
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in {"Name": name, "CodeBucket": CODE, "DeliverSeconds": "1", **parameters}.items()
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": "penstock", "Value": name}],
        )
        found = until(lambda: self._done(name))
        assert found["StackStatus"] == "CREATE_COMPLETE", found
        made = Stack(self, name, {o["OutputKey"]: o["OutputValue"] for o in found["Outputs"]})
        made.open_to_plain_http()
        return made

    def _done(self, name: str) -> Any:
        (found,) = self("cloudformation").describe_stacks(StackName=name)["Stacks"]
        return None if found["StackStatus"].endswith("IN_PROGRESS") else found


class Stack:
    def __init__(self, cloud: Cloud, name: str, outputs: dict[str, str]) -> None:
        self.cloud, self.name, self.outputs = cloud, name, outputs
        self.bucket = BUCKET.format(name)

    def open_to_plain_http(self) -> None:
        """The bucket refuses what is not encrypted, and on loopback nothing is: that one statement goes."""
        policy = json.loads(self.cloud("s3").get_bucket_policy(Bucket=self.bucket)["Policy"])
        refusal = self.call("count", self.put("x"))[0] if "CountersTable" in self.outputs else None
        assert refusal is None or "explicit deny" in refusal["errorMessage"], refusal
        policy["Statement"] = [one for one in policy["Statement"] if one["Sid"] != "OnlyEncrypted"]
        self.cloud("s3").put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))

    def put(self, key: str) -> dict[str, Any]:
        """S3's notification of an object under that key, as it is written there."""
        of = {"bucket": {"name": self.bucket}, "object": {"key": key, "size": 1}}
        return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": of}]}

    def post(self, events: list[dict[str, Any]], **headers: str) -> int:
        """To the HTTP API; returns the status."""
        url, here = urlsplit(self.outputs["EventsUrl"]), urlsplit(self.cloud.url)
        asked = http.client.HTTPConnection(here.hostname or "", here.port, timeout=60)
        with closing(asked):
            asked.request("POST", url.path, json.dumps(events), {"Host": url.netloc, **headers})
            answer = asked.getresponse()
            answer.read()
            return answer.status

    def drop(self, key: str, events: list[dict[str, Any]]) -> None:
        data = gzip.compress("".join(json.dumps(event) + "\n" for event in events).encode())
        self.cloud("s3").put_object(Bucket=self.bucket, Key=key, Body=data)

    def keys(self, prefix: str) -> list[str]:
        pages = self.cloud("s3").get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", ())]

    def lines(self) -> list[dict[str, Any]]:
        """The events of all objects of bronze, without what the collector wrote around them."""
        found = []
        for key in self.keys("bronze/year="):
            data = self.cloud("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
            found += [json.loads(line).get("event", {}) for line in gzip.decompress(data).splitlines()]
        return found

    def items(self, output: str) -> list[dict[str, Any]]:
        """Of a table, in plain values."""
        pages = self.cloud("dynamodb").get_paginator("scan").paginate(TableName=self.outputs[output])
        return [
            {name: value.get("S", value.get("N")) for name, value in item.items()}
            for page in pages
            for item in page["Items"]
        ]

    def counts(self) -> Counter[str]:
        """Event type → events, over all hours."""
        found: Counter[str] = Counter()
        for item in self.items("CountersTable"):
            if "events" in item:
                found[item["pk"]] += int(item["events"])
        return found

    def messages(self, queue: str) -> list[dict[str, Any]]:
        url = self.cloud("sqs").get_queue_url(QueueName=f"{self.name}-{queue}")["QueueUrl"]
        found: list[dict[str, Any]] = (
            self.cloud("sqs")
            .receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
            .get("Messages", [])
        )
        return found

    def call(self, task: str, event: dict[str, Any]) -> tuple[Any, bool]:
        """A function's answer, and whether it failed."""
        done = self.cloud("lambda").invoke(FunctionName=f"{self.name}-{task}", Payload=json.dumps(event).encode())
        return json.loads(done["Payload"].read() or b"null"), "FunctionError" in done

    def role(self, task: str) -> tuple[str, dict[str, Any]]:
        """Name of its role, and the policy in it."""
        arn = self.cloud("lambda").get_function_configuration(FunctionName=f"{self.name}-{task}")["Role"]
        role = arn.rsplit("/", 1)[1]
        policy = self.cloud("iam").get_role_policy(RoleName=role, PolicyName=task)["PolicyDocument"]
        return role, policy if isinstance(policy, dict) else json.loads(policy)

    def may(self, task: str, policy: dict[str, Any]) -> None:
        role, _ = self.role(task)
        self.cloud("iam").put_role_policy(RoleName=role, PolicyName=task, PolicyDocument=json.dumps(policy))

    def athena(self, query: str) -> list[list[str]]:
        """Rows, without the heading."""
        asked = self.cloud("athena").start_query_execution(
            QueryString=query,
            WorkGroup=self.outputs["Workgroup"],
            QueryExecutionContext={"Database": self.outputs["Database"]},
        )["QueryExecutionId"]
        done = until(lambda: self._asked(asked))
        assert done["Status"]["State"] == "SUCCEEDED", done
        rows = self.cloud("athena").get_query_results(QueryExecutionId=asked)["ResultSet"]["Rows"]
        return [[cell.get("VarCharValue", "") for cell in row["Data"]] for row in rows[1:]]

    def _asked(self, asked: str) -> Any:
        found = self.cloud("athena").get_query_execution(QueryExecutionId=asked)["QueryExecution"]
        return None if found["Status"]["State"] in ("QUEUED", "RUNNING") else found


def without(policy: dict[str, Any], action: str) -> dict[str, Any]:
    """The policy with that action taken out of every statement."""
    kept = []
    for one in policy["Statement"]:
        actions = [one["Action"]] if isinstance(one["Action"], str) else one["Action"]
        if left := [a for a in actions if a != action]:
            kept.append({**one, "Action": left})
    return {**policy, "Statement": kept}


def until(asked: Callable[[], T]) -> T:
    """The answer, as soon as there is one."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        if found := asked():
            return found
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.1)


def event(kind: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "event_type": kind,
        "event_id": f"{kind}-{number}",
        "session_id": f"s{number % 3}",
        "event_ts": f"{_HOUR}:{number % 60:02}:00Z",
        **more,
    }
