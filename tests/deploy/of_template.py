"""Resources of the CloudFormation template → the model that both stacks are compared in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deploy.model import Model, policy
from deploy.template import Made

Resource = dict[str, Any]
Resources = Mapping[str, Resource]
_PARTS_OF_OTHERS = {
    "AWS::IAM::Role", "AWS::Lambda::EventInvokeConfig", "AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage", "AWS::S3::BucketPolicy",
}  # fmt: skip


def model(made: Made) -> Model:
    found: Model = {}
    for one in made.resources.values():
        if one["Type"] not in _PARTS_OF_OTHERS:
            name, what = _KINDS[one["Type"]](one, made.resources)
            assert name not in found, name
            found[name] = what
    return found


def _only(resources: Resources, type_: str, **having: Any) -> Resource:
    return next(
        (r for r in resources.values() if r["Type"] == type_ and all(r.get(k) == v for k, v in having.items())), {}
    )


def _role(reference: str, resources: Resources) -> dict[str, Any]:
    """`<CollectorRole.Arn>` → what that role is and may."""
    role = resources[reference.strip("<>").removesuffix(".Arn")]
    (rights,) = role["Policies"]
    return {
        "path": role["Path"],
        "trusts": policy(role["AssumeRolePolicyDocument"]),
        "may": policy(rights["PolicyDocument"]),
        "policy": rights["PolicyName"],
    }


def _function(one: Resource, resources: Resources) -> tuple[str, Any]:
    failures = _only(resources, "AWS::Lambda::EventInvokeConfig", FunctionName=one["FunctionName"])
    return f"function {one['FunctionName']}", {
        "package": one.get("PackageType", "Zip"),
        "runtime": one.get("Runtime"),
        "handler": one.get("Handler"),
        "image": one["Code"].get("ImageUri"),
        "memory": one["MemorySize"],
        "timeout": one["Timeout"],
        "architectures": one["Architectures"],
        "concurrency": one.get("ReservedConcurrentExecutions"),
        "temporary": one.get("EphemeralStorage", {"Size": 512})["Size"],
        "environment": one.get("Environment", {}).get("Variables", {}),
        "role": _role(one["Role"], resources),
        "on_failure": failures
        and {
            "to": failures["DestinationConfig"]["OnFailure"]["Destination"],
            "age": failures["MaximumEventAgeInSeconds"],
            "tries": failures["MaximumRetryAttempts"],
        },
    }


def _log(one: Resource, _: Resources) -> tuple[str, Any]:
    return f"log {one['LogGroupName']}", {"days": int(one["RetentionInDays"])}


def _log_stream(one: Resource, _: Resources) -> tuple[str, Any]:
    return f"log stream {one['LogGroupName']}:{one['LogStreamName']}", {}


def _kinesis(one: Resource, _: Resources) -> tuple[str, Any]:
    key = one["StreamEncryption"]
    return f"stream {one['Name']}", {
        "shards": int(one["ShardCount"]) if "ShardCount" in one else None,
        "mode": one["StreamModeDetails"]["StreamMode"],
        "hours": int(one["RetentionPeriodHours"]),
        "key": (key["EncryptionType"], key["KeyId"]),
    }


def _queue(one: Resource, _: Resources) -> tuple[str, Any]:
    return f"queue {one['QueueName']}", {
        "seconds": one["MessageRetentionPeriod"],
        "invisible": one.get("VisibilityTimeout", 30),
        "encrypted": one["SqsManagedSseEnabled"],
        "dead": one.get("RedrivePolicy"),
    }


def _keys(schema: list[Resource]) -> tuple[str, ...]:
    return tuple(key["AttributeName"] for key in sorted(schema, key=lambda key: key["KeyType"]))


def _table(one: Resource, _: Resources) -> tuple[str, Any]:
    return f"table {one['TableName']}", {
        "billing": one["BillingMode"],
        "keys": _keys(one["KeySchema"]),
        "attributes": {a["AttributeName"]: a["AttributeType"] for a in one["AttributeDefinitions"]},
        "indexes": {
            index["IndexName"]: (*_keys(index["KeySchema"]), index["Projection"]["ProjectionType"])
            for index in one.get("GlobalSecondaryIndexes", ())
        },
        "expires": one.get("TimeToLiveSpecification", {}).get("AttributeName"),
        "recovery": one["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"],
        "encrypted": one["SSESpecification"]["SSEEnabled"],
    }


def _bucket(one: Resource, resources: Resources) -> tuple[str, Any]:
    public = one["PublicAccessBlockConfiguration"]
    (key,) = one["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (owner,) = one["OwnershipControls"]["Rules"]
    told = one.get("NotificationConfiguration", {}).get("LambdaConfigurations", [])
    return f"bucket {one['BucketName']}", {
        "private": {
            "block_public_acls": public["BlockPublicAcls"],
            "block_public_policy": public["BlockPublicPolicy"],
            "ignore_public_acls": public["IgnorePublicAcls"],
            "restrict_public_buckets": public["RestrictPublicBuckets"],
        },
        "encryption": key["ServerSideEncryptionByDefault"]["SSEAlgorithm"],
        "ownership": owner["ObjectOwnership"],
        "lifecycle": {
            rule["Id"]: (
                rule["Status"],
                rule.get("Prefix", ""),
                int(rule["ExpirationInDays"]) if "ExpirationInDays" in rule else None,
                rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
            )
            for rule in one["LifecycleConfiguration"]["Rules"]
        },
        "policy": policy(_only(resources, "AWS::S3::BucketPolicy", Bucket=one["BucketName"])["PolicyDocument"]),
        "tells": sorted((t["Filter"]["S3Key"]["Rules"][0]["Value"], (t["Event"],), t["Function"]) for t in told),
    }


def _mapping(one: Resource, _: Resources) -> tuple[str, Any]:
    is_stream = ":kinesis:" in one["EventSourceArn"]
    return f"mapping {one['EventSourceArn']} {one['FunctionName']}", {
        "size": one["BatchSize"],
        "window": int(one["MaximumBatchingWindowInSeconds"]),
        "answers": one["FunctionResponseTypes"],
        "on_failure": one.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
        **({
            "from": one["StartingPosition"],
            "bisects": one["BisectBatchOnFunctionError"],
            "tries": one["MaximumRetryAttempts"],
            "age": one["MaximumRecordAgeInSeconds"],
        } if is_stream else {}),
    }  # fmt: skip


def _firehose(one: Resource, resources: Resources) -> tuple[str, Any]:
    to, source = one["ExtendedS3DestinationConfiguration"], one["KinesisStreamSourceConfiguration"]
    log = to["CloudWatchLoggingOptions"]
    assert one["DeliveryStreamType"] == "KinesisStreamAsSource"
    assert to["RoleARN"] == source["RoleARN"]
    return f"firehose {one['DeliveryStreamName']}", {
        "from": source["KinesisStreamARN"],
        "to": to["BucketARN"],
        "buffers": (*to["BufferingHints"].values(), to["CompressionFormat"]),
        "prefixes": (to["Prefix"], to["ErrorOutputPrefix"]),
        "through": [
            (p["Type"], x["ParameterName"], x["ParameterValue"])
            for p in to["ProcessingConfiguration"]["Processors"]
            for x in p["Parameters"]
        ],
        "log": (log["Enabled"], log["LogGroupName"], log["LogStreamName"]),
        "role": _role(to["RoleARN"], resources),
    }


def _permission(one: Resource, _: Resources) -> tuple[str, Any]:
    return f"permission {one['Principal']} {one['FunctionName']}", {
        "action": one["Action"],
        "account": one.get("SourceAccount"),
        "arn": None if one["Principal"].startswith("apigateway") else one["SourceArn"],
    }


def _schedule(one: Resource, resources: Resources) -> tuple[str, Any]:
    target = one["Target"]
    return f"schedule {one['Name']}", {
        "when": (one["ScheduleExpression"], one["ScheduleExpressionTimezone"]),
        "window": one["FlexibleTimeWindow"]["Mode"],
        "calls": target["Arn"],
        "retry": (target["RetryPolicy"]["MaximumEventAgeInSeconds"], target["RetryPolicy"]["MaximumRetryAttempts"]),
        "role": _role(target["RoleArn"], resources),
    }


def _api(one: Resource, resources: Resources) -> tuple[str, Any]:
    calls, stage = _only(resources, "AWS::ApiGatewayV2::Integration"), _only(resources, "AWS::ApiGatewayV2::Stage")
    route = stage["DefaultRouteSettings"]
    return f"api {one['Name']}", {
        "protocol": one["ProtocolType"],
        "calls": (calls["IntegrationType"], calls["IntegrationUri"], calls["PayloadFormatVersion"]),
        "route": _only(resources, "AWS::ApiGatewayV2::Route")["RouteKey"],
        "stage": (stage["StageName"], stage["AutoDeploy"]),
        "limit": (int(route["ThrottlingRateLimit"]), int(route["ThrottlingBurstLimit"])),
    }


def _workgroup(one: Resource, _: Resources) -> tuple[str, Any]:
    settings = one["WorkGroupConfiguration"]
    result = settings["ResultConfiguration"]
    return f"workgroup {one['Name']}", {
        "enforced": settings["EnforceWorkGroupConfiguration"],
        "measured": settings["PublishCloudWatchMetricsEnabled"],
        "limit": int(settings["BytesScannedCutoffPerQuery"]),
        "engine": settings["EngineVersion"]["SelectedEngineVersion"],
        "results": (result["OutputLocation"], result["EncryptionConfiguration"]["EncryptionOption"]),
        "deleted_with_all": one["RecursiveDeleteOption"],
    }


def _database(one: Resource, _: Resources) -> tuple[str, Any]:
    return f"database {one['DatabaseInput']['Name']}", {}


def _catalog_table(one: Resource, _: Resources) -> tuple[str, Any]:
    table = one["TableInput"]
    where = table["StorageDescriptor"]
    serde = where["SerdeInfo"]
    return f"catalog {one['DatabaseName']}.{table['Name']}", {
        "type": table["TableType"],
        "parameters": table["Parameters"],
        "partitions": [(c["Name"], c["Type"]) for c in table.get("PartitionKeys", ())],
        "columns": [(c["Name"], c["Type"]) for c in where.get("Columns", ())],
        "where": (where["Location"], where["InputFormat"], where["OutputFormat"]),
        "serde": (serde["SerializationLibrary"], serde.get("Parameters", {})),
    }


def _topic(one: Resource, _: Resources) -> tuple[str, Any]:
    return f"topic {one['TopicName']}", {}


def _subscription(one: Resource, _: Resources) -> tuple[str, Any]:
    return f"subscription {one['TopicArn']} {one['Endpoint']}", {"protocol": one["Protocol"]}


def _alarm(one: Resource, _: Resources) -> tuple[str, Any]:
    return f"alarm {one['AlarmName']}", {
        "metric": (one["Namespace"], one["MetricName"], one["Statistic"]),
        "of": {d["Name"]: d["Value"] for d in one["Dimensions"] if d["Name"] != "ApiId"},
        "when": (one["ComparisonOperator"], float(one["Threshold"]), one["Period"], one["EvaluationPeriods"]),
        "missing": one["TreatMissingData"],
        "tells": (one["AlarmActions"], one["OKActions"]),
    }


def _budget(one: Resource, _: Resources) -> tuple[str, Any]:
    budget = one["Budget"]
    limit = budget["BudgetLimit"]
    return f"budget {budget['BudgetName']}", {
        "type": (budget["BudgetType"], budget["TimeUnit"], float(limit["Amount"]), limit["Unit"]),
        "of": budget["CostFilters"],
        "tells": sorted(
            (*(n["Notification"][key] for key in ("NotificationType", "ComparisonOperator", "Threshold",
                                                  "ThresholdType")), tuple(s["Address"] for s in n["Subscribers"]))
            for n in one["NotificationsWithSubscribers"]
        ),
    }  # fmt: skip


_KINDS: dict[str, Callable[[Resource, Resources], tuple[str, Any]]] = {
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _log,
    "AWS::Logs::LogStream": _log_stream,
    "AWS::Kinesis::Stream": _kinesis,
    "AWS::SQS::Queue": _queue,
    "AWS::DynamoDB::Table": _table,
    "AWS::S3::Bucket": _bucket,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::KinesisFirehose::DeliveryStream": _firehose,
    "AWS::Lambda::Permission": _permission,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::ApiGatewayV2::Api": _api,
    "AWS::Athena::WorkGroup": _workgroup,
    "AWS::Glue::Database": _database,
    "AWS::Glue::Table": _catalog_table,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::Subscription": _subscription,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::Budgets::Budget": _budget,
}
