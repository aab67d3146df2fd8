"""AWS in hand: an emulator (moto) on loopback, a bucket, the tables, and functions that find them."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from penstock.hosts.awslambda import clients, collect

BUCKET, LAKE = "lake", "s3://lake/some/prefix"
TABLES = {"COUNTERS": "counters", "PAGE_VIEWS": "views", "AGGREGATES": "days"}


@dataclass
class Context:
    """What Lambda gives beside the event; its time stands still."""

    aws_request_id: str = "0c4b5e1a-7f61-4b0e-9d7c-2f3a4b5c6d7e"
    milliseconds: int = 30_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


class Aws:
    """What lies there, in the shortest words."""

    def __init__(self) -> None:
        self.s3, self.dynamodb = clients.client("s3"), clients.client("dynamodb")

    def make(self) -> None:
        self.s3.create_bucket(Bucket=BUCKET)
        for name in TABLES.values():
            index = {
                "IndexName": "by_day",
                "KeySchema": [_key("day", "HASH"), _key("sk", "RANGE")],
                "Projection": {"ProjectionType": "ALL"},
            }
            of_views = name == TABLES["PAGE_VIEWS"]
            self.dynamodb.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[_key("pk", "HASH"), _key("sk", "RANGE")],
                AttributeDefinitions=[
                    {"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk", *(["day"] * of_views))
                ],
                **({"GlobalSecondaryIndexes": [index]} if of_views else {}),
            )

    def objects(self) -> dict[str, bytes]:
        listed = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {each["Key"]: self.s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in listed}

    def put(self, key: str, data: bytes) -> str:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)
        return key

    def items(self, table: str) -> dict[tuple[str, str], dict[str, Any]]:
        """(pk, sk) → the other attributes."""
        found = {}
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                plain = {name: int(v["N"]) if "N" in v else v["S"] for name, v in item.items()}
                found[plain.pop("pk"), plain.pop("sk")] = plain
        return found

    def counters(self) -> dict[tuple[str, str], int]:
        """Without the marks of files."""
        return {key: item["events"] for key, item in self.items("counters").items() if "events" in item}


def _key(name: str, kind: str) -> dict[str, str]:
    return {"AttributeName": name, "KeyType": kind}


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def environment(moto: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Of a function; as if it had just started."""
    values = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": moto,
        "AWS_ALLOW_HTTP": "true",
        "PENSTOCK_LAKE": LAKE,
        "PENSTOCK_STREAM_ENABLED": "false",
        **{f"PENSTOCK_{name}_TABLE": table for name, table in TABLES.items()},
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    for kept in (clients.client, collect._collector, collect._stream):
        kept.cache_clear()
    return values


@pytest.fixture
def aws(moto: str, environment: dict[str, str]) -> Aws:
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST")).close()
    made = Aws()
    made.make()
    return made


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture
def unset(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From then on the environment is not a function's: the settings refuse names that they do not know."""

    def once() -> None:
        for name in environment:
            if name.startswith("PENSTOCK_"):
                monkeypatch.delenv(name)

    return once
