"""A CloudFormation template and parameters → the resources that are made, with every intrinsic function worked out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[2] / "deploy/aws/cloudformation/penstock.yaml"
ACCOUNT, REGION, PARTITION = "123456789012", "us-east-1", "aws"
_NOTHING = object()
_PSEUDO = {
    "AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": PARTITION, "AWS::NoValue": _NOTHING,
}  # fmt: skip
_IN_TEXT = re.compile(r"\$\{(!?)([^}]+)\}")
_ARNS = {
    "AWS::Kinesis::Stream": ("kinesis", "stream/{}", "Name"),
    "AWS::SQS::Queue": ("sqs", "{}", "QueueName"),
    "AWS::Lambda::Function": ("lambda", "function:{}", "FunctionName"),
    "AWS::DynamoDB::Table": ("dynamodb", "table/{}", "TableName"),
    "AWS::Logs::LogGroup": ("logs", "log-group:{}:*", "LogGroupName"),
    "AWS::SNS::Topic": ("sns", "{}", "TopicName"),
}
_NAMES = {kind: key for kind, (_, _, key) in _ARNS.items()} | {
    "AWS::S3::Bucket": "BucketName", "AWS::KinesisFirehose::DeliveryStream": "DeliveryStreamName",
    "AWS::Athena::WorkGroup": "Name", "AWS::Logs::LogStream": "LogStreamName",
}  # fmt: skip


class _Loader(yaml.SafeLoader):
    """Reads `!Sub x` as `{"Fn::Sub": x}`."""


def _tag(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        value = value.split(".", 1) if suffix == "GetAtt" else value
    else:
        assert isinstance(node, yaml.SequenceNode)
        value = loader.construct_sequence(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tag)


def load() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)
    return loaded


class Made:
    """What the template makes of these parameters."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._template = load()
        defaults = {name: given.get("Default") for name, given in self._template["Parameters"].items()}
        assert set(parameters) <= set(defaults), "no such parameter"
        self._given = {name: str(value) for name, value in {**defaults, **parameters}.items()}

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Logical id → type and properties."""
        made = self._template["Resources"]
        there = {name: one for name, one in made.items() if self._holds(one.get("Condition"))}
        return {name: {"Type": one["Type"], **self._worked(one.get("Properties", {}))} for name, one in there.items()}

    def broken(self) -> list[str]:
        """Rules that refuse these parameters."""
        return [
            assertion["AssertDescription"]
            for rule in self._template["Rules"].values()
            if self._worked(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self._worked(assertion["Assert"])
        ]

    def _holds(self, condition: str | None) -> bool:
        return condition is None or bool(self._worked(self._template["Conditions"][condition]))

    def _worked(self, value: Any) -> Any:
        if isinstance(value, list):
            return [done for one in value if (done := self._worked(one)) is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in ("Ref", "Condition") or name.startswith("Fn::"):
                return self._function(name.removeprefix("Fn::"), argument)
        return {key: done for key, one in value.items() if (done := self._worked(one)) is not _NOTHING}

    def _function(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._ref(argument)
            case "Condition":
                return self._holds(argument)
            case "If":
                return self._worked(argument[1] if self._holds(argument[0]) else argument[2])
            case "GetAtt":
                return self._attribute(*argument)
            case "Sub":
                return _IN_TEXT.sub(self._in_text, argument)
            case "FindInMap":
                first, second, third = self._worked(argument)
                return self._template["Mappings"][first][second][third]
        of = self._worked(argument)
        match name:
            case "Equals":
                return of[0] == of[1]
            case "Not":
                return not of[0]
            case "And":
                return all(of)
            case "Or":
                return any(of)
            case "Select":
                return of[1][of[0]]
            case "Split":
                return of[1].split(of[0])
            case "Join":
                return of[0].join(of[1])
        raise AssertionError(f"unknown function {name}")

    def _in_text(self, found: re.Match[str]) -> str:
        literal, name = found.groups()
        if literal:
            return "${" + name + "}"
        return str(self._attribute(*name.split(".", 1)) if "." in name else self._ref(name))

    def _ref(self, name: str) -> Any:
        if name in _PSEUDO or name in self._given:
            return _PSEUDO.get(name, self._given.get(name))
        kind = self._template["Resources"][name]["Type"]
        if kind == "AWS::SNS::Topic":
            return self._attribute(name, "Arn")
        if kind == "AWS::Glue::Database":
            return self._worked(self._template["Resources"][name]["Properties"]["DatabaseInput"]["Name"])
        return self._name(name) if kind in _NAMES else f"<{name}>"

    def _attribute(self, name: str, attribute: str) -> str:
        kind = self._template["Resources"][name]["Type"]
        if attribute == "Arn" and kind in _ARNS:
            service, form, _ = _ARNS[kind]
            return f"arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}:{form.format(self._name(name))}"
        if attribute == "Arn" and kind == "AWS::S3::Bucket":
            return f"arn:{PARTITION}:s3:::{self._name(name)}"
        return f"<{name}.{attribute}>"

    def _name(self, name: str) -> str:
        resource = self._template["Resources"][name]
        return str(self._worked(resource["Properties"][_NAMES[resource["Type"]]]))
