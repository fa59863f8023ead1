"""The way out to AWS; services are given what they need of it."""

from __future__ import annotations

from django.conf import settings
from django.core.files.storage import Storage, default_storage

from cache_admin.dead_letters import DeadLetters
from connectgenai.wire.config import aws_client, read_url, read_variable
from connectgenai.wire.queue import RequestQueue
from connectgenai.wire.store import AnswerStore


def answer_store() -> AnswerStore:
    """The answers, topics and calls in DynamoDB."""
    return AnswerStore(aws_client("dynamodb"), table=read_variable("CONNECTGENAI_TABLE"))


def live_queue() -> RequestQueue:
    """Where requests go for which a caller waits."""
    return RequestQueue(aws_client("sqs"), url=read_url("CONNECTGENAI_LIVE_QUEUE_URL"))


def prewarm_queue() -> RequestQueue:
    """Where requests go for which nobody waits."""
    return RequestQueue(aws_client("sqs"), url=read_url("CONNECTGENAI_PREWARM_QUEUE_URL"))


def dead_letters() -> DeadLetters:
    """What the workers, or SQS, have parked."""
    url = read_url("CONNECTGENAI_DEAD_LETTER_QUEUE_URL")
    return DeadLetters(aws_client("sqs"), url=url, queue_urls=settings.QUEUE_URLS)


def file_storage() -> Storage:
    """Documents and sounds."""
    return default_storage


def count_queued(variable: str) -> int:
    """How many messages wait on the queue whose URL is in this variable; botocore's errors when SQS cannot say."""
    asked = ["ApproximateNumberOfMessages"]
    reply = aws_client("sqs").get_queue_attributes(QueueUrl=read_url(variable), AttributeNames=asked)
    return int(reply["Attributes"][asked[0]])
