"""What provisioning makes in the emulator."""

from __future__ import annotations

import json
import secrets

import boto3
import pytest

from connectgenai.wire.config import LambdaConfig, aws_client
from connectgenai.wire.request import DEAD_LETTER_QUEUE, HOUSEKEEPING_QUEUE, LIVE_QUEUE, PREWARM_QUEUE
from connectgenai.wire.store import TABLE, TTL_ATTRIBUTE
from connectgenai.wire.table import CHANGES_INDEX
from local.emulator import Emulator
from local.provision import local_client, provision
from tests.aws import Aws, make_aws


def read_attributes(aws: Aws, queue: str) -> dict[str, str]:
    reply = aws.sqs.get_queue_attributes(QueueUrl=aws.queue_urls[queue], AttributeNames=["All"])
    attributes: dict[str, str] = reply["Attributes"]
    return attributes


def test_the_table_has_the_wires_schema_and_its_index(aws: Aws) -> None:
    table = aws.dynamodb.describe_table(TableName=aws.table)["Table"]
    assert table["KeySchema"] == TABLE["KeySchema"]
    assert table["TableStatus"] == "ACTIVE"
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == [CHANGES_INDEX]


def test_the_table_deletes_items_by_their_time_to_live_attribute(aws: Aws) -> None:
    described = aws.dynamodb.describe_time_to_live(TableName=aws.table)["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": TTL_ATTRIBUTE}


@pytest.mark.parametrize(
    ("queue", "visibility", "retention"),
    [(LIVE_QUEUE, "45", "3600"), (PREWARM_QUEUE, "60", "345600"), (HOUSEKEEPING_QUEUE, "120", "345600")],
)
def test_a_queue_gives_up_on_a_message_after_three_receives(
    aws: Aws, queue: str, visibility: str, retention: str
) -> None:
    attributes, dead = read_attributes(aws, queue), read_attributes(aws, DEAD_LETTER_QUEUE)
    assert (attributes["VisibilityTimeout"], attributes["MessageRetentionPeriod"]) == (visibility, retention)
    assert json.loads(attributes["RedrivePolicy"]) == {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 3}


def test_provisioning_again_keeps_items_messages_and_objects(emulator: Emulator) -> None:
    name = f"t{secrets.token_hex(6)}"
    names = {"endpoint_url": emulator.url, "table": name, "bucket": name, "queue_prefix": name}
    first = provision(**names)
    dynamodb, sqs, s3 = (local_client(service, emulator.url) for service in ("dynamodb", "sqs", "s3"))
    dynamodb.put_item(TableName=name, Item={"pk": {"S": "a"}})
    sqs.send_message(QueueUrl=first.queue_urls[LIVE_QUEUE], MessageBody="a")
    s3.put_object(Bucket=name, Key="a", Body=b"a")
    assert provision(**names) == first
    assert dynamodb.get_item(TableName=name, Key={"pk": {"S": "a"}})["Item"]
    assert sqs.receive_message(QueueUrl=first.queue_urls[LIVE_QUEUE])["Messages"]
    assert s3.get_object(Bucket=name, Key="a")["Body"].read() == b"a"


def test_provisioning_brings_an_older_queues_settings_up_to_date(emulator: Emulator) -> None:
    name = f"t{secrets.token_hex(6)}"
    sqs = local_client("sqs", emulator.url)
    url = sqs.create_queue(QueueName=f"{name}{LIVE_QUEUE}", Attributes={"VisibilityTimeout": "7"})["QueueUrl"]
    provision(endpoint_url=emulator.url, table=name, bucket=name, queue_prefix=name)
    reply = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert reply["Attributes"] == {"VisibilityTimeout": "45"}


def test_two_tests_never_share_anything(aws: Aws, emulator: Emulator) -> None:
    other = make_aws(emulator.url)
    assert {aws.table, *aws.queue_urls.values()}.isdisjoint({other.table, *other.queue_urls.values()})


def test_its_environment_is_all_that_the_lambdas_need(aws: Aws) -> None:
    config = LambdaConfig.from_environment(aws.environment)
    assert (config.table, config.live_queue_url) == (aws.table, aws.queue_urls[LIVE_QUEUE])


def test_a_plain_boto3_client_reaches_the_emulator_through_that_environment(provisioned: Aws) -> None:
    assert boto3.client("sqs").get_queue_url(QueueName=provisioned.queue_urls[LIVE_QUEUE].rsplit("/", 1)[1])
    assert aws_client("dynamodb").describe_table(TableName=provisioned.table)
