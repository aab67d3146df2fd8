"""Rollups in a table of DynamoDB, `dynamodb://TABLE`: its key is `pk` and `sk`, both texts.

Each row is an item of its own, as gold/layout.py says: an application asks for a page's days, or an event's hours, with
one Query. Beside them each bucket has a page, `<rollup>!buckets`, that holds all its rows: one PutItem replaces them at
one stroke, and one Query reads a rollup. The items follow the page; what is left of them after a crash is written down
in it, and put in order when the bucket is next replaced. One process may write at a time.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ...errors import LakeError, SettingsError, Transient
from ..catalog import Rollup
from ..layout import Item, item, plain, row, typed
from . import Bucket, Row, Shown
from ._pages import Page, mark, packed, places, same, unpacked

_PART_BYTES = 300_000
"""DynamoDB takes 400 KB in an item; of a larger page, the parts are items of their own."""
_AT_ONCE = 25
_TRIES = 8
_SHOWN, _MARK = "!shown", "!mark"
_LAST = "\U0010ffff"
Values = Mapping[str, Any]


def open(url: str) -> DynamoDB:
    """`dynamodb://TABLE`. Raises SettingsError for a table that holds something else."""
    parts = urlsplit(url)
    if not parts.netloc or parts.path.strip("/") or parts.query:
        raise SettingsError(f"{url!r} names no table", hint="write dynamodb://TABLE")
    return DynamoDB(unquote(parts.netloc))


class DynamoDB:
    """A table that was filled by other definitions of the rollups is emptied when it is next written to."""

    def __init__(self, table: str) -> None:
        retries = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 6})
        try:
            self._client = boto3.client("dynamodb", config=retries)
        except BotoCoreError as error:
            hint = "set AWS_DEFAULT_REGION, or a profile"
            raise SettingsError(f"no client for DynamoDB: {error}", hint=hint) from error
        self._table = table
        self._mark = mark()
        self._is_ours = self._marked() == self._mark

    # the port

    def shown(self) -> dict[str, Shown]:
        return {each["sk"]["S"]: Shown(each["silver"]["S"], int(each["version"]["N"])) for each in self._all(_SHOWN)}

    def finish(self, names: Collection[str], shown: Shown) -> None:
        self._prepare()
        told = {"silver": {"S": shown.table}, "version": {"N": str(shown.version)}}
        self._write([_put(_SHOWN, name, told) for name in names])

    def replace(self, rollup: Rollup, buckets: Sequence[Bucket], rows: Sequence[Row]) -> None:
        self._prepare()
        of_bucket: dict[str, list[Row]] = {str(plain(bucket)): [] for bucket in buckets}
        for each in places(rollup, rows).values():
            of_bucket.setdefault(str(plain(each[0])), []).append(each)
        for bucket, found in sorted(of_bucket.items()):
            self._replace(rollup, bucket, found)

    def buckets(self, rollup: Rollup) -> set[Any]:
        return {
            typed(rollup.bucket.type, each["sk"]["S"])
            for each in self._all(f"{rollup.name}!buckets", fields="sk, size")
            if int(each["size"]["N"])
        }

    def read(self, rollup: Rollup, since: Bucket | None = None, until: Bucket | None = None) -> list[Row]:
        found: list[Row] = []
        for each in self._all(f"{rollup.name}!buckets", *_bounds(since, until)):
            if until is None or each["sk"]["S"] < str(plain(until)):
                found += self._page(rollup, each).rows
        return found

    def read_key(self, rollup: Rollup, key: str, since: Bucket, until: Bucket) -> list[Row]:
        assert len(rollup.keys) == 1, "of several keys, the rows of a bucket are more than one item"
        partition = item(rollup, (since, key, *(0 for _ in rollup.values))).pk
        found = (_plain(each) for each in self._all(partition, *_bounds(since, until)))
        # A key that is too long stands there as a hash.
        return [row(rollup, each) for each in found if each.attributes[rollup.keys[0].name] == key]

    def close(self) -> None:
        self._client.close()

    def _all(self, pk: str, low: str = "", high: str = _LAST, *, fields: str = "") -> Iterator[Any]:
        """Nothing, if it was filled by other definitions; who fills it anew may be another process."""
        self._is_ours = self._is_ours or self._marked() == self._mark
        return self._query(pk, low, high, fields=fields) if self._is_ours else iter(())

    # a bucket

    def _replace(self, rollup: Rollup, bucket: str, rows: list[Row]) -> None:
        """Page first, which is what counts, with what is left to do; then the items; then the page without that."""
        name = f"{rollup.name}!buckets"
        before = next(iter(self._query(name, bucket, bucket)), None)
        old = self._page(rollup, before) if before else Page([])
        if old.places is None and same(old.rows, rows):
            return
        was, now = places(rollup, old.rows), places(rollup, rows)
        stale = (was.keys() | (old.places or frozenset())) - now.keys()
        changed = [each for place, each in now.items() if old.places is not None or was.get(place) != each]
        self._put_page(name, bucket, Page(rows, frozenset(stale)))
        self._write([*(_delete(*place) for place in sorted(stale)), *(_row(rollup, each) for each in changed)])
        if rows:
            self._put_page(name, bucket, Page(rows))
        else:
            self._write([_delete(name, bucket)])
        self._forget_parts(name, bucket, keep=len(rows) > 0)

    def _put_page(self, name: str, bucket: str, page: Page) -> None:
        data = packed(page)
        told: dict[str, Any] = {"size": {"N": str(len(page.rows))}}
        if len(data) <= _PART_BYTES:
            told["page"] = {"B": data}
        else:
            made = uuid.uuid4().hex
            starts = range(0, len(data), _PART_BYTES)
            parts = [(f"{bucket}#{made}#{n:04}", data[start : start + _PART_BYTES]) for n, start in enumerate(starts)]
            for key, part in parts:
                self._write([_put(f"{name}!parts", key, {"part": {"B": part}})])
            told |= {"made": {"S": made}, "parts": {"N": str(len(parts))}}
        self._write([_put(name, bucket, told)])

    def _page(self, rollup: Rollup, found: Values) -> Page:
        """Of a large one the parts may just have been replaced: then it is asked for again."""
        for _ in range(_TRIES):
            if "page" in found:
                return unpacked(rollup, found["page"]["B"])
            name, bucket = found["pk"]["S"], found["sk"]["S"]
            start = f"{bucket}#{found['made']['S']}#"
            parts = [each["part"]["B"] for each in self._query(f"{name}!parts", start, start + _LAST)]
            if len(parts) == int(found["parts"]["N"]):
                return unpacked(rollup, b"".join(parts))
            newer = next(iter(self._query(name, bucket, bucket)), None)
            if newer is None:
                return Page([])
            found = newer
        raise Transient(f"{name} {bucket} changes faster than it can be read")

    def _forget_parts(self, name: str, bucket: str, *, keep: bool) -> None:
        """Those of earlier pages."""
        page: Values = next(iter(self._query(name, bucket, bucket)), {}) if keep else {}
        made = page.get("made", {}).get("S")
        parts = self._query(f"{name}!parts", f"{bucket}#", f"{bucket}#{_LAST}", fields="pk, sk")
        self._write([_delete(p["pk"]["S"], p["sk"]["S"]) for p in parts if p["sk"]["S"].split("#")[1] != made])

    # the table

    def _marked(self) -> str | None:
        """By which definitions it was filled; None if it is empty."""
        for each in self._query(_MARK):
            return str(each["mark"]["S"])
        if self._ask(partial(self._client.scan, TableName=self._table, Limit=1))["Items"]:
            raise SettingsError(f"the table {self._table!r} holds something else", hint="give gold a table of its own")
        return None

    def _prepare(self) -> None:
        if self._is_ours:
            return
        if self._marked() not in (None, self._mark):
            self._empty()
        self._write([_put(_MARK, _MARK, {"mark": {"S": self._mark}})])
        self._is_ours = True

    def _empty(self) -> None:
        """The mark goes last, so that a crash leaves a table that is still known as ours."""
        asked: dict[str, Any] = {"TableName": self._table, "ProjectionExpression": "pk, sk"}
        while True:
            found = self._ask(partial(self._client.scan, **asked))
            keys = [(each["pk"]["S"], each["sk"]["S"]) for each in found["Items"]]
            self._write([_delete(*key) for key in keys if key[0] != _MARK])
            if "LastEvaluatedKey" not in found:
                return
            asked["ExclusiveStartKey"] = found["LastEvaluatedKey"]

    def _query(self, pk: str, low: str = "", high: str = _LAST, *, fields: str = "") -> Iterator[Any]:
        """Items of a partition from `low` to `high`, both inclusive, as they are now."""
        asked: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk and sk between :low and :high",
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":low": {"S": low or " "}, ":high": {"S": high}},
            "ConsistentRead": True,
        }
        if fields:
            asked |= {"ProjectionExpression": fields.replace("size", "#size")}
            asked |= {"ExpressionAttributeNames": {"#size": "size"}} if "size" in fields else {}
        while True:
            found = self._ask(partial(self._client.query, **asked))
            yield from found["Items"]
            if "LastEvaluatedKey" not in found:
                return
            asked["ExclusiveStartKey"] = found["LastEvaluatedKey"]

    def _write(self, requests: Sequence[Values]) -> None:
        """Durable when it returns."""
        for start in range(0, len(requests), _AT_ONCE):
            waiting: Any = {self._table: list(requests[start : start + _AT_ONCE])}
            for number in range(_TRIES):
                found = self._ask(partial(self._client.batch_write_item, RequestItems=waiting))
                if not (waiting := found.get("UnprocessedItems")):
                    break
                time.sleep(0.05 * 2**number)
            else:
                raise Transient(f"DynamoDB does not take what is written to {self._table}")

    def _ask(self, call: Callable[[], Any]) -> Any:
        """Raises Transient for what may pass; the client has tried it several times."""
        try:
            return call()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500 or "Thr" in error.response["Error"]["Code"]:
                raise Transient(f"DynamoDB: {error}") from error
            raise LakeError(f"DynamoDB: {error}", hint="see that the table is there, and may be used") from error
        except BotoCoreError as error:
            raise Transient(f"DynamoDB: {error}") from error


def _bounds(since: Bucket | None, until: Bucket | None) -> tuple[str, str]:
    return str(plain(since) or ""), str(plain(until) or _LAST)


def _row(rollup: Rollup, each: Row) -> Values:
    """As gold/layout.py says; numbers as numbers, what is null is left out."""
    made = item(rollup, each)
    told = {name: _value(value) for name, value in made.attributes.items() if value is not None}
    return _put(made.pk, made.sk, told)


def _value(value: Any) -> dict[str, str]:
    return {"S": value} if isinstance(value, str) else {"N": str(value) if isinstance(value, int) else f"{value:f}"}


def _plain(found: Values) -> Item:
    """The item that `_row` made it from."""
    told = {name: value["S"] if "S" in value else _number(value["N"]) for name, value in found.items()}
    return Item(found["pk"]["S"], found["sk"]["S"], told)


def _number(text: str) -> int | Decimal:
    """DynamoDB keeps no zeros behind the point."""
    return Decimal(text) if "." in text or "E" in text.upper() else int(text)


def _put(pk: str, sk: str, told: Values) -> Values:
    return {"PutRequest": {"Item": {"pk": {"S": pk}, "sk": {"S": sk}, **told}}}


def _delete(pk: str, sk: str) -> Values:
    return {"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}}
