"""Resources of a Terraform plan → the model that both stacks are compared in: `kind name` → what matters of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from deploy.model import Model, policy

Resource = dict[str, Any]
_PARTS_OF_OTHERS = {
    "aws_iam_role", "aws_iam_role_policy", "aws_lambda_function_event_invoke_config", "aws_apigatewayv2_integration",
    "aws_apigatewayv2_route", "aws_apigatewayv2_stage", "aws_s3_bucket_public_access_block", "aws_s3_bucket_policy",
    "aws_s3_bucket_server_side_encryption_configuration", "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_lifecycle_configuration", "aws_s3_bucket_notification",
}  # fmt: skip


def model(resources: Sequence[Resource]) -> Model:
    found: Model = {}
    for one in resources:
        if one["type"] not in _PARTS_OF_OTHERS:
            name, what = _KINDS[one["type"]](one, resources)
            assert name not in found, name
            found[name] = what
    return found


def first(blocks: Any) -> Resource:
    """The one block of its kind, or nothing."""
    return blocks[0] if blocks else {}


def _beside(one: Resource, all_: Sequence[Resource], type_: str, name: str | None = None) -> Resource:
    """The resource of that type and name, by default the name of `one`, in the same module."""
    home, own = one["address"].rsplit(f"{one['type']}.", 1)
    address = f"{home}{type_}.{name or own.split('[')[0]}"
    return next((other for other in all_ if _plain(other) == address), {})


def _plain(one: Resource) -> str:
    """Its address without the number at the end."""
    return str(one["address"].removesuffix("[0]"))


def _role(one: Resource, all_: Sequence[Resource]) -> dict[str, Any]:
    name = "firehose" if "firehose" in one["type"] else None
    role = _beside(one, all_, "aws_iam_role", name)
    rights = _beside(one, all_, "aws_iam_role_policy", name)
    return {
        "path": role["path"],
        "trusts": policy(json.loads(role["assume_role_policy"])),
        "may": policy(json.loads(rights["policy"])),
        "policy": rights["name"],
    }


def _function(one: Resource, all_: Sequence[Resource]) -> tuple[str, Any]:
    failures = _beside(one, all_, "aws_lambda_function_event_invoke_config")
    concurrency = one["reserved_concurrent_executions"]
    return f"function {one['function_name']}", {
        "package": one["package_type"],
        "runtime": one["runtime"] or None,
        "handler": one["handler"] or None,
        "image": one["image_uri"] or None,
        "memory": one["memory_size"],
        "timeout": one["timeout"],
        "architectures": one["architectures"],
        "concurrency": None if concurrency == -1 else concurrency,
        "temporary": first(one["ephemeral_storage"])["size"],
        "environment": first(one.get("environment")).get("variables") or {},
        "role": _role(one, all_),
        "on_failure": failures
        and {
            "to": first(first(failures["destination_config"])["on_failure"])["destination"],
            "age": failures["maximum_event_age_in_seconds"],
            "tries": failures["maximum_retry_attempts"],
        },
    }


def _log(one: Resource, _: Any) -> tuple[str, Any]:
    return f"log {one['name']}", {"days": one["retention_in_days"]}


def _log_stream(one: Resource, _: Any) -> tuple[str, Any]:
    return f"log stream {one['log_group_name']}:{one['name']}", {}


def _kinesis(one: Resource, _: Any) -> tuple[str, Any]:
    return f"stream {one['name']}", {
        "shards": one["shard_count"],
        "mode": first(one["stream_mode_details"])["stream_mode"],
        "hours": one["retention_period"],
        "key": (one["encryption_type"], one["kms_key_id"]),
    }


def _queue(one: Resource, _: Any) -> tuple[str, Any]:
    return f"queue {one['name']}", {
        "seconds": one["message_retention_seconds"],
        "invisible": one["visibility_timeout_seconds"],
        "encrypted": one["sqs_managed_sse_enabled"],
        "dead": json.loads(one["redrive_policy"]) if one.get("redrive_policy") else None,
    }


def _table(one: Resource, _: Any) -> tuple[str, Any]:
    return f"table {one['name']}", {
        "billing": one["billing_mode"],
        "keys": (one["hash_key"], one["range_key"]),
        "attributes": {a["name"]: a["type"] for a in one["attribute"]},
        "indexes": {
            index["name"]: (index["hash_key"], index["range_key"], index["projection_type"])
            for index in one.get("global_secondary_index") or ()
        },
        "expires": first(one.get("ttl")).get("attribute_name"),
        "recovery": first(one["point_in_time_recovery"])["enabled"],
        "encrypted": first(one["server_side_encryption"])["enabled"],
    }


def _bucket(one: Resource, all_: Sequence[Resource]) -> tuple[str, Any]:
    def part(type_: str) -> Resource:
        return _beside(one, all_, type_)

    public, rules = part("aws_s3_bucket_public_access_block"), part("aws_s3_bucket_lifecycle_configuration")["rule"]
    key = first(part("aws_s3_bucket_server_side_encryption_configuration")["rule"])
    told = next((r["lambda_function"] for r in all_ if r["type"] == "aws_s3_bucket_notification"), [])
    return f"bucket {one['bucket']}", {
        "private": {name: public[name] for name in (
            "block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")},
        "encryption": first(key["apply_server_side_encryption_by_default"])["sse_algorithm"],
        "ownership": first(part("aws_s3_bucket_ownership_controls")["rule"])["object_ownership"],
        "lifecycle": {
            rule["id"]: (
                rule["status"],
                first(rule["filter"])["prefix"] or "",
                first(rule["expiration"]).get("days"),
                first(rule["abort_incomplete_multipart_upload"]).get("days_after_initiation"),
            )
            for rule in rules
        },
        "policy": policy(json.loads(part("aws_s3_bucket_policy")["policy"])),
        "tells": sorted((t["filter_prefix"], tuple(t["events"]), t["lambda_function_arn"]) for t in told),
    }  # fmt: skip


def _mapping(one: Resource, _: Any) -> tuple[str, Any]:
    is_stream = ":kinesis:" in one["event_source_arn"]
    return f"mapping {one['event_source_arn']} {one['function_name']}", {
        "size": one["batch_size"],
        "window": one["maximum_batching_window_in_seconds"],
        "answers": one["function_response_types"],
        "on_failure": first(first(one.get("destination_config")).get("on_failure")).get("destination_arn"),
        **({
            "from": one["starting_position"],
            "bisects": one["bisect_batch_on_function_error"],
            "tries": one["maximum_retry_attempts"],
            "age": one["maximum_record_age_in_seconds"],
        } if is_stream else {}),
    }  # fmt: skip


def _firehose(one: Resource, all_: Sequence[Resource]) -> tuple[str, Any]:
    to = first(one["extended_s3_configuration"])
    log = first(to["cloudwatch_logging_options"])
    return f"firehose {one['name']}", {
        "from": first(one["kinesis_source_configuration"])["kinesis_stream_arn"],
        "to": to["bucket_arn"],
        "buffers": (to["buffering_interval"], to["buffering_size"], to["compression_format"]),
        "prefixes": (to["prefix"], to["error_output_prefix"]),
        "through": [
            (p["type"], x["parameter_name"], x["parameter_value"])
            for p in first(to["processing_configuration"])["processors"]
            for x in p["parameters"]
        ],
        "log": (log["enabled"], log["log_group_name"], log["log_stream_name"]),
        "role": _role(one, all_),
    }


def _permission(one: Resource, _: Any) -> tuple[str, Any]:
    return f"permission {one['principal']} {one['function_name']}", {
        "action": one["action"],
        "account": one.get("source_account"),
        "arn": None if one["principal"].startswith("apigateway") else one["source_arn"],  # the API's id is not known
    }


def _schedule(one: Resource, all_: Sequence[Resource]) -> tuple[str, Any]:
    target = first(one["target"])
    retry = first(target["retry_policy"])
    return f"schedule {one['name']}", {
        "when": (one["schedule_expression"], one["schedule_expression_timezone"]),
        "window": first(one["flexible_time_window"])["mode"],
        "calls": target["arn"],
        "retry": (retry["maximum_event_age_in_seconds"], retry["maximum_retry_attempts"]),
        "role": _role(one, all_),
    }


def _api(one: Resource, all_: Sequence[Resource]) -> tuple[str, Any]:
    calls, stage = _beside(one, all_, "aws_apigatewayv2_integration"), _beside(one, all_, "aws_apigatewayv2_stage")
    route = first(stage["default_route_settings"])
    return f"api {one['name']}", {
        "protocol": one["protocol_type"],
        "calls": (calls["integration_type"], calls["integration_uri"], calls["payload_format_version"]),
        "route": _beside(one, all_, "aws_apigatewayv2_route")["route_key"],
        "stage": (stage["name"], stage["auto_deploy"]),
        "limit": (route["throttling_rate_limit"], route["throttling_burst_limit"]),
    }


def _workgroup(one: Resource, _: Any) -> tuple[str, Any]:
    settings = first(one["configuration"])
    result = first(settings["result_configuration"])
    return f"workgroup {one['name']}", {
        "enforced": settings["enforce_workgroup_configuration"],
        "measured": settings["publish_cloudwatch_metrics_enabled"],
        "limit": settings["bytes_scanned_cutoff_per_query"],
        "engine": first(settings["engine_version"])["selected_engine_version"],
        "results": (result["output_location"], first(result["encryption_configuration"])["encryption_option"]),
        "deleted_with_all": one["force_destroy"],
    }


def _database(one: Resource, _: Any) -> tuple[str, Any]:
    return f"database {one['name']}", {}


def _catalog_table(one: Resource, _: Any) -> tuple[str, Any]:
    where = first(one["storage_descriptor"])
    serde = first(where["ser_de_info"])
    return f"catalog {one['database_name']}.{one['name']}", {
        "type": one["table_type"],
        "parameters": one["parameters"],
        "partitions": [(c["name"], c["type"]) for c in one.get("partition_keys") or ()],
        "columns": [(c["name"], c["type"]) for c in where.get("columns") or ()],
        "where": (where["location"], where["input_format"], where["output_format"]),
        "serde": (serde["serialization_library"], serde.get("parameters") or {}),
    }


def _topic(one: Resource, _: Any) -> tuple[str, Any]:
    return f"topic {one['name']}", {}


def _subscription(one: Resource, _: Any) -> tuple[str, Any]:
    return f"subscription {one['topic_arn']} {one['endpoint']}", {"protocol": one["protocol"]}


def _alarm(one: Resource, _: Any) -> tuple[str, Any]:
    return f"alarm {one['alarm_name']}", {
        "metric": (one["namespace"], one["metric_name"], one["statistic"]),
        "of": {k: v for k, v in (one.get("dimensions") or {"ApiId": None}).items() if k != "ApiId"},
        "when": (one["comparison_operator"], float(one["threshold"]), one["period"], one["evaluation_periods"]),
        "missing": one["treat_missing_data"],
        "tells": (one["alarm_actions"], one["ok_actions"]),
    }


def _budget(one: Resource, _: Any) -> tuple[str, Any]:
    return f"budget {one['name']}", {
        "type": (one["budget_type"], one["time_unit"], float(one["limit_amount"]), one["limit_unit"]),
        "of": {f["name"]: f["values"] for f in one["cost_filter"]},
        "tells": sorted(
            (n["notification_type"], n["comparison_operator"], n["threshold"], n["threshold_type"],
             tuple(n["subscriber_email_addresses"]))
            for n in one["notification"]
        ),
    }  # fmt: skip


_KINDS: dict[str, Callable[[Resource, Sequence[Resource]], tuple[str, Any]]] = {
    "aws_lambda_function": _function,
    "aws_cloudwatch_log_group": _log,
    "aws_cloudwatch_log_stream": _log_stream,
    "aws_kinesis_stream": _kinesis,
    "aws_sqs_queue": _queue,
    "aws_dynamodb_table": _table,
    "aws_s3_bucket": _bucket,
    "aws_lambda_event_source_mapping": _mapping,
    "aws_kinesis_firehose_delivery_stream": _firehose,
    "aws_lambda_permission": _permission,
    "aws_scheduler_schedule": _schedule,
    "aws_apigatewayv2_api": _api,
    "aws_athena_workgroup": _workgroup,
    "aws_glue_catalog_database": _database,
    "aws_glue_catalog_table": _catalog_table,
    "aws_sns_topic": _topic,
    "aws_sns_topic_subscription": _subscription,
    "aws_cloudwatch_metric_alarm": _alarm,
    "aws_budgets_budget": _budget,
}
