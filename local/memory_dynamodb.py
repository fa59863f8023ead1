# ruff: noqa: N803 - the arguments have the names that AWS gave them
"""DynamoDB in memory, as far as our table uses it: for proofs that need millions of writes, and for calls in virtual time.

Verified against the emulator by tests/local/test_memory_dynamodb.py, operation by operation.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, cast

from botocore.exceptions import ClientError

Item = dict[str, dict[str, Any]]
Values = dict[str, dict[str, Any]]

_TERM = re.compile(
    r"(?:(?P<function>attribute_exists|attribute_not_exists)\((?P<name>\w+)\)|(?P<left>size\(#?\w+\)|#?\w+) (?P<sign>=|<) (?P<right>:\w+))"
)
_CLAUSE = re.compile(r"(#\w+) = ((?:[^,(]|\((?:[^()]|\([^()]*\))*\))+)")


class MemoryDynamoDB:
    """A client with the operations and the wire shapes of boto3's, for one table; safe to use from many threads."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.writes = 0
        self._lock = threading.Lock()

    def get_item(self, *, Key: Item, **_: Any) -> dict[str, Any]:
        """One item."""
        with self._lock:
            found = self.items.get(Key["pk"]["S"])
            return {"Item": _copy(found)} if found else {}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:
        """Several items of one table."""
        table, asked = next(iter(RequestItems.items()))
        with self._lock:
            found = [self.items[k["pk"]["S"]] for k in asked["Keys"] if k["pk"]["S"] in self.items]
            return {"Responses": {table: [_copy(item) for item in found]}}

    def put_item(self, *, Item: Item, ConditionExpression: str = "", **options: Any) -> dict[str, Any]:
        """Replaces an item, if the condition holds of the one before."""
        with self._lock:
            self._check(Item["pk"]["S"], ConditionExpression, options)
            self._store(Item["pk"]["S"], _copy(Item))
            return {}

    def update_item(
        self, *, Key: Item, UpdateExpression: str, ConditionExpression: str = "", **options: Any
    ) -> dict[str, Any]:
        """Applies SET or REMOVE, if the condition holds; the item as it is then."""
        pk = Key["pk"]["S"]
        with self._lock:
            old = self._check(pk, ConditionExpression, options)
            new = {**_copy(old), "pk": {"S": pk}}
            verb, _, rest = UpdateExpression.partition(" ")
            if verb == "REMOVE":
                new.pop(rest, None)
            else:
                new |= _assignments(
                    rest, old, options["ExpressionAttributeNames"], options["ExpressionAttributeValues"]
                )
            self._store(pk, new)
            return {"Attributes": _copy(new)}

    def query(self, *, ExpressionAttributeValues: Values, Limit: int, **_: Any) -> dict[str, Any]:
        """The index of changes: one shard, oldest first."""
        shard = ExpressionAttributeValues[":shard"]
        with self._lock:
            found = [item for item in self.items.values() if item.get("changed") == shard]
            found.sort(key=lambda item: int(item["changed_at"]["N"]))
            return {"Items": [{"pk": item["pk"]} for item in found[:Limit]]}

    def scan(self, *, ExpressionAttributeValues: Values, **_: Any) -> dict[str, Any]:
        """All items whose key begins so."""
        prefix = ExpressionAttributeValues[":prefix"]["S"]
        with self._lock:
            return {"Items": [_copy(item) for pk, item in self.items.items() if pk.startswith(prefix)]}

    def _check(self, pk: str, condition: str, options: dict[str, Any]) -> Item:
        old = self.items.get(pk, {})
        names, values = options.get("ExpressionAttributeNames", {}), options.get("ExpressionAttributeValues", {})
        if condition and not all(_holds(term, old, names, values) for term in condition.split(" AND ")):
            shown: Any = (
                {"Item": _copy(old)} if old and options.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else {}
            )
            raise ClientError(
                cast("Any", {"Error": {"Code": "ConditionalCheckFailedException", "Message": "refused"}, **shown}),
                "UpdateItem",
            )
        return old

    def _store(self, pk: str, item: Item) -> None:
        self.items[pk] = item
        self.writes += 1


def _copy(item: Item) -> Item:
    """A copy to hand out or keep. What lists hold is shared, and never changed: three times as fast as copy.deepcopy."""
    return {
        name: {kind: list(plain) if isinstance(plain, list) else plain for kind, plain in value.items()}
        for name, value in item.items()
    }


def _holds(term: str, item: Item, names: dict[str, str], values: Values) -> bool:
    found = _TERM.fullmatch(term)
    if found is None:
        raise NotImplementedError(term)
    if found["function"]:
        return (found["name"] in item) == (found["function"] == "attribute_exists")
    right = _plain(values[found["right"]])
    is_size = found["left"].startswith("size(")
    attribute = item.get(_name(found["left"].removeprefix("size(").removesuffix(")"), names))
    if attribute is None:
        return False
    left = len(_plain(attribute)) if is_size else _plain(attribute)
    return bool(left == right if found["sign"] == "=" else left < right)


def _assignments(clauses: str, old: Item, names: dict[str, str], values: Values) -> Item:
    return {
        _name(name, names): _evaluate(expression.strip(), old, names, values)
        for name, expression in _CLAUSE.findall(clauses)
    }


def _evaluate(expression: str, old: Item, names: dict[str, str], values: Values) -> dict[str, Any]:
    """A value of the SET expressions that jobs and Lambdas write: a value, if_not_exists, list_append, a sum."""

    def value(part: str) -> dict[str, Any]:
        return _evaluate(part.strip(), old, names, values)

    patterns: list[tuple[str, Callable[[re.Match[str]], dict[str, Any]]]] = [
        (r"(.+) \+ (:\w+)", lambda m: {"N": str(int(value(m[1])["N"]) + int(value(m[2])["N"]))}),
        (r"if_not_exists\((#\w+), (:\w+)\)", lambda m: old.get(_name(m[1], names)) or values[m[2]]),
        (r"list_append\((.+), (:\w+)\)", lambda m: {"L": [*value(m[1])["L"], *values[m[2]]["L"]]}),
        (r"(:\w+)", lambda m: values[m[1]]),
        (r"(#\w+)", lambda m: old[_name(m[1], names)]),
    ]
    for pattern, make in patterns:
        if found := re.fullmatch(pattern, expression):
            return make(found)
    raise NotImplementedError(expression)


def _name(placeholder: str, names: dict[str, str]) -> str:
    return names[placeholder] if placeholder.startswith("#") else placeholder


def _plain(value: dict[str, Any]) -> Any:
    kind, plain = next(iter(value.items()))
    return int(plain) if kind == "N" else plain
