"""What AWS hands to a function, in the shape its documentation shows: one builder per kind of event."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote_plus

from penstock.collect import Request

NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/events"


def v2(request: Request, *, coded: bool = False, stage: str = "$default") -> dict[str, Any]:
    """API Gateway's HTTP API, payload 2.0."""
    path = request.path if stage == "$default" else f"/{stage}{request.path}"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": dict(request.headers),
        "requestContext": {
            "http": {"method": request.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"},
            "requestId": "JKJaXmPLvHcESHA=",
            "stage": stage,
            "timeEpoch": int(NOON.timestamp() * 1000),
        },
        **_body(request.body, coded),
    }


def v1(request: Request, *, coded: bool = False, stage: str = "prod") -> dict[str, Any]:
    """API Gateway's REST API, payload 1.0, which keeps the case of header names and decodes the query."""
    several = parse_qs(request.query, keep_blank_values=True) or None
    headers = {name.title(): value for name, value in request.headers.items()}
    return {
        "version": "1.0",
        "resource": "/{proxy+}",
        "path": request.path,
        "httpMethod": request.method,
        "headers": headers or None,
        "multiValueHeaders": {name: [value] for name, value in headers.items()} or None,
        "queryStringParameters": several and {name: values[-1] for name, values in several.items()},
        "multiValueQueryStringParameters": several,
        "requestContext": {
            "path": f"/{stage}{request.path}",
            "stage": stage,
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTimeEpoch": int(NOON.timestamp() * 1000),
            "identity": {"sourceIp": "203.0.113.9"},
        },
        **_body(request.body, coded),
    }


def _body(body: bytes, coded: bool) -> dict[str, Any]:
    """A gateway hands over in base64 what is no text, and whatever it was told to."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        coded = True
    if coded:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return {"body": text or None, "isBase64Encoded": False}


def kinesis(*records: bytes, first: int = 1, shard: int = 0, at: datetime = NOON) -> dict[str, Any]:
    """Sequence numbers as long as real ones."""
    name, numbers = f"shardId-{shard:012}", (49545115243490985018280067714973144582180062593244200961 + first + n for n in range(len(records)))  # noqa: E501  # fmt: skip
    return {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "s",
                    "sequenceNumber": str(number),
                    "data": base64.b64encode(data).decode(),
                    "approximateArrivalTimestamp": at.timestamp(),
                },
                "eventSource": "aws:kinesis",
                "eventID": f"{name}:{number}",
                "eventName": "aws:kinesis:record",
                "eventSourceARN": STREAM,
            }
            for number, data in zip(numbers, records, strict=True)
        ]
    }


def sqs(*bodies: str, first: int = 1, at: datetime = NOON) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "AQEB",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": str(int(at.timestamp() * 1000)),
                },
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:events",
            }
            for number, body in enumerate(bodies, first)
        ]
    }


def made(*keys: str, bucket: str = "lake") -> dict[str, Any]:
    """S3's notification; keys come coded, a blank as `+`."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/"), "size": 100}},
            }
            for key in keys
        ]
    }


S3_TEST = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "lake", "RequestId": "5582815E1AEA5ADF"}


def firehose(*records: str) -> dict[str, Any]:
    """`records` are base64 already."""
    return {
        "invocationId": "i",
        "deliveryStreamArn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/events",
        "records": [{"recordId": str(n), "approximateArrivalTimestamp": 0, "data": d} for n, d in enumerate(records)],
    }
