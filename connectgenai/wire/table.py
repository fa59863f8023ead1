"""One DynamoDB table: its shape, and the few operations that the answer protocol is made of."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from connectgenai.wire.items import Attributes, to_value

CHANGES_INDEX = "changes"
CHANGE_SHARDS = ("0", "1", "2", "3")
TTL_ATTRIBUTE = "purge_at"
TABLE: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "changed", "AttributeType": "S"},
        {"AttributeName": "changed_at", "AttributeType": "N"},
    ],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": CHANGES_INDEX,
            "KeySchema": [
                {"AttributeName": "changed", "KeyType": "HASH"},
                {"AttributeName": "changed_at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}
_RETRYABLE_CODES = (
    "Throttl",
    "ProvisionedThroughput",
    "RequestLimit",
    "InternalServer",
    "ServiceUnavailable",
    "TransactionConflict",
)

_VERSIONS = {"ProjectionExpression": "pk, #version", "ExpressionAttributeNames": {"#version": "version"}}

Value = str | int | bool | tuple[str, ...]


class StoreError(Exception):
    """DynamoDB could not serve; `retryable` tells whether trying again may help."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


class RefusedError(Exception):
    """A write's condition did not hold; `current` is the item as it is (None: it does not exist)."""

    def __init__(self, current: Attributes | None) -> None:
        super().__init__()
        self.current = current


class Table:
    """One table behind one low-level client. Every method raises StoreError when DynamoDB cannot serve."""

    def __init__(self, client: Any, *, name: str) -> None:
        self._client, self._name = client, name

    def read(self, pk: str, *, consistent: bool) -> Attributes | None:
        """One item, or None."""
        reply = self._call("get_item", Key={"pk": {"S": pk}}, ConsistentRead=consistent)
        item: Attributes | None = reply.get("Item")
        return item

    def read_many(self, pks: Sequence[str], *, consistent: bool, only_versions: bool = False) -> dict[str, Attributes]:
        """At most 100 items by partition key, or just their versions; missing ones are left out."""
        shown: dict[str, Any] = _VERSIONS if only_versions else {}
        keys = [{"pk": {"S": pk}} for pk in pks]
        found: dict[str, Attributes] = {}
        while keys:
            asked = {self._name: {"Keys": keys, "ConsistentRead": consistent, **shown}}
            reply = self._call("batch_get_item", named=False, RequestItems=asked)
            found |= {item["pk"]["S"]: item for item in reply["Responses"].get(self._name, ())}
            left = reply.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if len(left) == len(keys):
                raise StoreError("DynamoDB throttles reads", retryable=True)
            keys = left
        return found

    def create(self, pk: str, attributes: Mapping[str, Value], *, tracked_at: int) -> None:
        """Writes an item that does not exist yet, as its first version; RefusedError when it does."""
        item = {**attributes, **_track(pk, tracked_at), "pk": pk, "version": 1}
        plain = {name: to_value(value) for name, value in item.items()}
        self._call("put_item", Item=plain, ConditionExpression="attribute_not_exists(pk)")

    def update(
        self,
        pk: str,
        sets: Mapping[str, Value],
        *,
        clauses: Sequence[str] = (),
        condition: str = "",
        values: Mapping[str, Value] | None = None,
        tracked_at: int = 0,
    ) -> Attributes:
        """Sets attributes, and what `clauses` add to the SET expression, if the condition holds; the item as it is then.

        Names are written #name; values :name come from `values`, and :zero and :one are always there. A write with
        `tracked_at` (epoch milliseconds) counts the version and puts the item on the list of changes. RefusedError when
        the condition does not hold.
        """
        if tracked_at:
            sets = {**sets, **_track(pk, tracked_at)}
            clauses = [*clauses, "#version = if_not_exists(#version, :zero) + :one"]
        expression = "SET " + ", ".join([f"#{name} = :set_{name}" for name in sets] + [c for c in clauses if c])
        known: dict[str, Value] = {**{f"set_{k}": v for k, v in sets.items()}, **(values or {}), "zero": 0, "one": 1}
        used = set(re.findall(r":(\w+)", f"{expression} {condition}"))
        request: dict[str, Any] = {
            "Key": {"pk": {"S": pk}},
            "UpdateExpression": expression,
            "ExpressionAttributeNames": {
                f"#{name}": name for name in re.findall(r"#(\w+)", f"{expression} {condition}")
            },
            "ExpressionAttributeValues": {f":{k}": to_value(v) for k, v in known.items() if k in used},
            "ReturnValues": "ALL_NEW",
        }
        if condition:
            request |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        attributes: Attributes = self._call("update_item", **request)["Attributes"]
        return attributes

    def read_changed_pks(self, *, limit: int) -> list[str]:
        """The partition keys of up to `limit` changed items a shard, oldest first."""
        return [pk for shard in CHANGE_SHARDS for pk in self._read_shard(shard, limit)]

    def _read_shard(self, shard: str, limit: int) -> list[str]:
        reply = self._call(
            "query",
            IndexName=CHANGES_INDEX,
            KeyConditionExpression="changed = :shard",
            ExpressionAttributeValues={":shard": {"S": shard}},
            Limit=limit,
        )
        return [item["pk"]["S"] for item in reply["Items"]]

    def forget_change(self, pk: str, *, version: int) -> bool:
        """Takes the item off the list of changes, unless it has changed again."""
        try:
            self._call(
                "update_item",
                Key={"pk": {"S": pk}},
                UpdateExpression="REMOVE changed",
                ConditionExpression="#version = :version",
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":version": {"N": str(version)}},
            )
        except RefusedError:
            return False
        return True

    def scan(self, *, prefix: str) -> Iterator[Attributes]:
        """Every item whose partition key begins so; reads the whole table."""
        start: dict[str, Any] = {}
        while True:
            reply = self._call(
                "scan",
                ConsistentRead=True,
                FilterExpression="begins_with(pk, :prefix)",
                ExpressionAttributeValues={":prefix": {"S": prefix}},
                **start,
            )
            yield from reply["Items"]
            if "LastEvaluatedKey" not in reply:
                return
            start = {"ExclusiveStartKey": reply["LastEvaluatedKey"]}

    def _call(self, operation: str, *, named: bool = True, **request: Any) -> Any:
        try:
            return getattr(self._client, operation)(**({"TableName": self._name} if named else {}), **request)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConditionalCheckFailedException":
                raise RefusedError(cast("Attributes | None", error.response.get("Item"))) from None
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            raise StoreError(
                f"DynamoDB: {code}", retryable=status >= 500 or code.startswith(_RETRYABLE_CODES)
            ) from error
        except BotoCoreError as error:
            raise StoreError(f"DynamoDB: {type(error).__name__}", retryable=True) from error


def _track(pk: str, tracked_at: int) -> dict[str, Value]:
    """What puts an item on the list of changes; shards spread the load of writes over the index's partitions."""
    return {"changed": CHANGE_SHARDS[zlib.crc32(pk.encode()) % len(CHANGE_SHARDS)], "changed_at": tracked_at}
