"""What the product needs to exist in an AWS account, made in the emulator: the table, the queues, the bucket."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config as BotoConfig
from botocore.exceptions import ClientError

from connectgenai.wire.request import DEAD_LETTER_QUEUE, HOUSEKEEPING_QUEUE, LIVE_QUEUE, PREWARM_QUEUE
from connectgenai.wire.store import TABLE, TTL_ATTRIBUTE

REGION = "us-east-1"
# What an emulator takes for a key pair; the processes on a laptop must never pick up a real one.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}  # not secrets: the emulator's own words
CALLER_KEYS = "local1:only-for-callers-on-this-laptop"
MAX_RECEIVES = 3


@dataclass(frozen=True, slots=True)
class QueueShape:
    """One queue's settings, in seconds, and the variable that carries its URL."""

    name: str
    variable: str
    visibility_seconds: int
    retention_seconds: int


HOUR, DAY = 3_600, 86_400
# A live request is worthless once its caller has gone; the others may wait for a repair over the weekend.
QUEUES = (
    QueueShape(LIVE_QUEUE, "CONNECTGENAI_LIVE_QUEUE_URL", visibility_seconds=45, retention_seconds=HOUR),
    QueueShape(PREWARM_QUEUE, "CONNECTGENAI_PREWARM_QUEUE_URL", visibility_seconds=60, retention_seconds=4 * DAY),
    QueueShape(
        HOUSEKEEPING_QUEUE, "CONNECTGENAI_HOUSEKEEPING_QUEUE_URL", visibility_seconds=120, retention_seconds=4 * DAY
    ),
)
DEAD_LETTERS = QueueShape(
    DEAD_LETTER_QUEUE, "CONNECTGENAI_DEAD_LETTER_QUEUE_URL", visibility_seconds=30, retention_seconds=14 * DAY
)


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What exists now, and the environment of a process that uses it."""

    table: str
    bucket: str
    queue_urls: dict[str, str]
    environment: dict[str, str]


def provision(
    *,
    endpoint_url: str,
    table: str = "connectgenai",
    bucket: str = "connectgenai",
    queue_prefix: str = "",
    caller_keys: str = CALLER_KEYS,
) -> Provisioned:
    """Creates what is missing and leaves alone what is there; `queue_prefix` keeps the queues of several products apart."""
    create_table(local_client("dynamodb", endpoint_url), name=table)
    create_bucket(local_client("s3", endpoint_url), name=bucket)
    queue_urls = create_queues(local_client("sqs", endpoint_url), prefix=queue_prefix)
    environment = {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        **CREDENTIALS,
        "CONNECTGENAI_TABLE": table,
        "CONNECTGENAI_BUCKET": bucket,
        "CONNECTGENAI_CALLER_KEYS": caller_keys,
        **{shape.variable: queue_urls[shape.name] for shape in (*QUEUES, DEAD_LETTERS)},
    }
    return Provisioned(table, bucket, queue_urls, environment)


@lru_cache(maxsize=32)
def local_client(service: str, endpoint_url: str) -> Any:
    """A boto3 client of the emulator, whatever the environment says of AWS."""
    return boto3.client(  # type: ignore[call-overload]  # the stubs know services as literals only
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=BotoConfig(connect_timeout=5, read_timeout=60, max_pool_connections=32),
    )


def create_table(dynamodb: Any, *, name: str) -> None:
    """The answers' table with its index, its items deleted some time after their TTL attribute."""
    _unless(("ResourceInUseException",), lambda: dynamodb.create_table(TableName=name, **TABLE))
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    described = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if described["TimeToLiveStatus"] not in ("ENABLED", "ENABLING"):
        specification = {"Enabled": True, "AttributeName": TTL_ATTRIBUTE}
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)


def create_bucket(s3: Any, *, name: str) -> None:
    """The bucket of documents and audio."""
    _unless(("BucketAlreadyOwnedByYou", "BucketAlreadyExists"), lambda: s3.create_bucket(Bucket=name))


def create_queues(sqs: Any, *, prefix: str = "") -> dict[str, str]:
    """The queues and their common dead-letter queue: URL by the name without prefix. Settings are brought up to date."""
    dead_url = _create_queue(sqs, DEAD_LETTERS, prefix=prefix)
    dead_arn = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": MAX_RECEIVES})
    urls = {shape.name: _create_queue(sqs, shape, prefix=prefix, RedrivePolicy=redrive) for shape in QUEUES}
    return {**urls, DEAD_LETTERS.name: dead_url}


def _create_queue(sqs: Any, shape: QueueShape, *, prefix: str, **more: str) -> str:
    # Created bare and then set: SQS refuses to create a queue that exists with other settings, of an older release say.
    url: str = sqs.create_queue(QueueName=f"{prefix}{shape.name}")["QueueUrl"]
    attributes = {
        "VisibilityTimeout": str(shape.visibility_seconds),
        "MessageRetentionPeriod": str(shape.retention_seconds),
        **more,
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return url


def _unless(codes: tuple[str, ...], create: Callable[[], object]) -> None:
    """Creates, unless AWS answers one of these codes: it is there already."""
    try:
        create()
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise
