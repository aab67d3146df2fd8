"""`make aws-deploy`, `aws-smoke`, `aws-destroy`: the template in your own account, by boto3 and your own credentials.

    python deploy/aws/stack.py deploy|smoke|destroy NAME [Parameter=value ...]

`deploy` says what it will do and asks first, unless YES=1 is in the environment.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
import uuid
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.exceptions import ClientError

from penstock.hosts.awslambda.package import build

TEMPLATE = Path(__file__).parent / "cloudformation/penstock.yaml"


def main(what: str, name: str, *given: str) -> None:
    parameters = dict(one.split("=", 1) for one in given)
    {"deploy": deploy, "smoke": smoke, "destroy": destroy}[what](name, parameters)


def deploy(name: str, parameters: dict[str, str]) -> None:
    """Make or change the stack; a bucket for the code is made beside it."""
    account = boto3.client("sts").get_caller_identity()["Account"]
    region = boto3.session.Session().region_name or sys.exit("set AWS_DEFAULT_REGION")
    bucket = f"{name}-code-{account}-{region}"
    _ask(f"make or change the stack {name!r} in account {account}, {region}, with {parameters or 'the defaults'}")
    s3 = boto3.client("s3")
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **where)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    with TemporaryDirectory() as folder:
        code = build(Path(folder), arch=parameters.get("Architecture", "arm64")).read_bytes()
    key = f"hot-{sha256(code).hexdigest()[:16]}.zip"
    s3.put_object(Bucket=bucket, Key=key, Body=code)
    s3.put_object(Bucket=bucket, Key="penstock.yaml", Body=TEMPLATE.read_bytes())
    cloud, exists = boto3.client("cloudformation"), _status(name) is not None
    given = {"Name": name, "CodeBucket": bucket, "HotZip": key, **parameters}
    try:
        (cloud.update_stack if exists else cloud.create_stack)(
            StackName=name,
            TemplateURL=s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "penstock.yaml"}),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": "penstock", "Value": name}],
        )
    except ClientError as error:
        if "No updates" not in str(error):
            raise
    _wait(name)
    for output, value in _outputs(name).items():
        _say(f"{output}: {value}")


def smoke(name: str, parameters: dict[str, str]) -> None:
    """Ten events through the HTTP API; ends well when the counters have them."""
    outputs, kind = _outputs(name), f"smoke_{uuid.uuid4().hex[:8]}"
    if not {"EventsUrl", "CountersTable"} <= outputs.keys():
        sys.exit("the smoke test needs Collect and Counters")
    events = [{"event_type": kind, "session_id": "smoke", "event_id": f"{kind}-{n}"} for n in range(10)]
    headers = {"Content-Type": "application/json"}
    if key := parameters.get("WriteKey"):
        headers["Authorization"] = f"Bearer {key}"
    asked = urllib.request.Request(outputs["EventsUrl"], json.dumps(events).encode(), headers)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        _say(f"{outputs['EventsUrl']}: {answer.status}")
    for _ in range(90):
        found = boto3.client("dynamodb").query(
            TableName=outputs["CountersTable"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": kind}},
        )["Items"]
        if sum(int(item["events"]["N"]) for item in found) == len(events):
            return _say(f"{len(events)} events sent, {len(events)} counted")
        time.sleep(2)
    sys.exit(f"not counted after three minutes; look into the queue {outputs['FailedQueue']} and the logs")


def destroy(name: str, _: dict[str, str]) -> None:
    """The lake's bucket stays when anything is in it: its events are yours to delete."""
    _ask(f"delete the stack {name!r}, its stream, its tables and functions; the bucket of the lake stays")
    boto3.client("cloudformation").delete_stack(StackName=name)
    _wait(name)


def _status(name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        return found
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _wait(name: str) -> None:
    while (found := _status(name)) and found["StackStatus"].endswith("IN_PROGRESS"):
        time.sleep(1)
    status = found["StackStatus"] if found else "deleted"
    if "ROLLBACK" in status or "FAILED" in status:
        sys.exit(f"{name}: {status}: {found and found.get('StackStatusReason')}")
    _say(f"{name}: {status}")


def _outputs(name: str) -> dict[str, str]:
    found = _status(name) or sys.exit(f"there is no stack {name}")
    return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}


def _ask(what: str) -> None:
    _say(f"This will {what}. It costs money: see `penstock cost`.")
    if os.environ.get("YES") != "1" and input("Go on? [y/N] ").lower() != "y":
        sys.exit("nothing was done")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
