"""A queue or stream of AWS → how it is loaded: from its own attributes, and of the last day from CloudWatch.

Who may not ask CloudWatch learns the rest; what is not known is None.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from structlog import get_logger

from ..advise import Load
from ..errors import Transient
from ._aws import ask, client, told

_SECONDS = 10.0
_DAY = 86_400
_A_MONTH = 730 / 24
_LATELY = 900


def sqs(queue: str) -> Load:
    """A message counts as one record."""
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
        "MessageRetentionPeriod",
    ]
    asked = client("sqs")
    try:
        with told():
            url = ask(asked.get_queue_url, seconds=_SECONDS, QueueName=queue)["QueueUrl"]
            found = ask(asked.get_queue_attributes, seconds=_SECONDS, QueueUrl=url, AttributeNames=names)["Attributes"]
    finally:
        asked.close()
    metrics = _Metrics("AWS/SQS", "QueueName", queue)
    sent = metrics.last("NumberOfMessagesSent", "Sum", _DAY)
    return Load(
        "sqs",
        records_a_month=None if sent is None else sent * _A_MONTH,
        record_bytes=metrics.last("SentMessageSize", "Average", _DAY),
        waiting=sum(int(found.get(name, 0)) for name in names[:3]),
        oldest_seconds=metrics.last("ApproximateAgeOfOldestMessage", "Maximum", _LATELY),
        retention_seconds=float(found["MessageRetentionPeriod"]),
    )


def kinesis(stream: str) -> Load:
    asked = client("kinesis")
    try:
        with told():
            found = ask(asked.describe_stream_summary, seconds=_SECONDS, StreamName=stream)["StreamDescriptionSummary"]
    finally:
        asked.close()
    metrics = _Metrics("AWS/Kinesis", "StreamName", stream)
    records, size = (metrics.last(name, "Sum", _DAY) for name in ("IncomingRecords", "IncomingBytes"))
    age = metrics.last("GetRecords.IteratorAgeMilliseconds", "Maximum", _LATELY)
    return Load(
        "kinesis",
        records_a_month=None if records is None else records * _A_MONTH,
        record_bytes=size / records if size and records else None,
        oldest_seconds=None if age is None else age / 1000,
        retention_seconds=found["RetentionPeriodHours"] * 3600.0,
        shards=found["OpenShardCount"],
        on_demand=found.get("StreamModeDetails", {}).get("StreamMode") == "ON_DEMAND",
    )


class _Metrics:
    def __init__(self, namespace: str, dimension: str, name: str) -> None:
        self._what = {"Namespace": namespace, "Dimensions": [{"Name": dimension, "Value": name}]}
        self._client: Any = client("cloudwatch")

    def last(self, metric: str, statistic: str, seconds: int) -> float | None:
        """Over the last so many seconds."""
        now = datetime.now(UTC)
        when = {"StartTime": now - timedelta(seconds=seconds), "EndTime": now, "Period": seconds}
        try:
            with told():
                found = ask(
                    self._client.get_metric_statistics,
                    seconds=_SECONDS,
                    MetricName=metric,
                    Statistics=[statistic],
                    **self._what,
                    **when,
                )
        except Transient as error:
            get_logger().warning("CloudWatch does not tell", metric=metric, error=str(error))
            return None
        values = [float(point[statistic]) for point in found["Datapoints"]]
        if not values:
            return None
        # A period that is not a whole one lies in two.
        return sum(values) if statistic == "Sum" else max(values)
