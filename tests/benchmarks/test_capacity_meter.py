"""The meter counts what DynamoDB would charge."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from benchmarks.capacity_meter import CapacityMeter, item_bytes, read_units
from benchmarks.sides import many_connections
from tests.aws import Aws

KEY = {"pk": {"S": "A#1"}}


def test_an_items_size_is_names_and_values() -> None:
    assert item_bytes({"pk": {"S": "A#1"}, "ü": {"S": "é"}}) == 2 + 3 + 2 + 2
    assert item_bytes({"n": {"N": "-120"}, "b": {"BOOL": True}}) == (1 + 2) + (1 + 1)
    assert item_bytes({"l": {"L": [{"S": "ab"}, {"S": "c"}]}}) == 1 + 3 + (1 + 2) + (1 + 1)


@pytest.mark.parametrize(
    ("size", "is_consistent", "units"),
    [(10, False, 0.5), (10, True, 1.0), (4_096 - 1, False, 0.5), (4_096, False, 1.0), (9_000, True, 3.0)],
)
def test_a_read_costs_by_started_four_kilobytes(size: int, is_consistent: bool, units: float) -> None:
    reply = {"Item": {"a": {"S": "x" * size}}}
    assert read_units("GetItem", {"ConsistentRead": is_consistent}, reply) == units


def test_what_is_not_there_costs_a_step_too() -> None:
    request = {"RequestItems": {"t": {"Keys": [KEY, {"pk": {"S": "A#2"}}], "ConsistentRead": False}}}
    assert read_units("BatchGetItem", request, {"Responses": {"t": [KEY]}}) == 1.0
    assert read_units("GetItem", {}, {}) == 0.5


def test_requests_through_the_meter_are_served_and_counted(aws: Aws) -> None:
    with CapacityMeter(aws.endpoint_url) as meter:
        client: Any = many_connections("dynamodb", meter.url)
        client.put_item(TableName=aws.table, Item={**KEY, "text": {"S": "x" * 3_000}})
        assert client.get_item(TableName=aws.table, Key=KEY)["Item"]["text"] == {"S": "x" * 3_000}
        reads, writes, requests = meter.read()
    assert (reads, writes) == (0.5, 3.0)
    assert requests == {"PutItem": 1, "GetItem": 1}


def test_a_write_on_the_list_of_changes_pays_for_the_index(aws: Aws) -> None:
    with CapacityMeter(aws.endpoint_url) as meter:
        client: Any = many_connections("dynamodb", meter.url)
        for moment in ("1", "2"):
            item = {**KEY, "changed": {"S": "0"}, "changed_at": {"N": moment}}
            client.put_item(TableName=aws.table, Item=item)
        _, writes, _ = meter.read()
    assert writes == (1 + 1) + (1 + 2)  # an entry is added first, then taken away and added


def test_a_refused_write_costs_one_unit_and_stays_refused(aws: Aws) -> None:
    with CapacityMeter(aws.endpoint_url) as meter:
        client: Any = many_connections("dynamodb", meter.url)
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            client.put_item(TableName=aws.table, Item=KEY, ConditionExpression="attribute_exists(pk)")
        assert meter.read()[1] == 1.0
