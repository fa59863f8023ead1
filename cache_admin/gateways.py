"""The ways out of Django: DynamoDB and SQS, as the Lambdas use them."""

from __future__ import annotations

from connectgenai.wire.config import aws_client, read_url, read_variable
from connectgenai.wire.queue import RequestQueue
from connectgenai.wire.store import AnswerStore


def answer_store() -> AnswerStore:
    """The table of answers, topics and calls."""
    return AnswerStore(aws_client("dynamodb"), table=read_variable("CONNECTGENAI_TABLE"))


def prewarm_queue() -> RequestQueue:
    """Where questions go that nobody waits for."""
    return RequestQueue(aws_client("sqs"), url=read_url("CONNECTGENAI_PREWARM_QUEUE_URL"))
