"""Firehose hands over records without line breaks and takes back as many, each with a verdict."""

from __future__ import annotations

import base64

from penstock.hosts.awslambda.transform import handler

from .asked import firehose


def test_each_record_comes_back_in_its_place_with_a_newline() -> None:
    plain = [b'{"n":1}', b'{"n":2}\n', b"\xff no JSON", b"", b" \n"]
    coded = [base64.b64encode(data).decode() for data in plain]
    answer = handler(firehose(*coded, "?not base64?"), None)["records"]
    assert [record["recordId"] for record in answer] == ["0", "1", "2", "3", "4", "5"]
    assert [record["result"] for record in answer] == ["Ok", "Ok", "Ok", "Dropped", "Dropped", "ProcessingFailed"]
    assert [base64.b64decode(record["data"]) for record in answer[:3]] == [
        b'{"n":1}\n', b'{"n":2}\n', b"\xff no JSON\n",
    ]  # fmt: skip
