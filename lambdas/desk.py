"""What both Lambdas are made of: the environment and the clients, once per process."""

from __future__ import annotations

import logging

from connectgenai.wire.answering import AnswerDesk
from connectgenai.wire.config import LambdaConfig, aws_client
from connectgenai.wire.queue import RequestQueue
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import AnswerStore


def make_desk() -> AnswerDesk:
    """The desk over DynamoDB; the SQS client is made by the first send, since hits and most polls need none."""
    logging.getLogger("connectgenai").setLevel(logging.INFO)
    config = LambdaConfig.from_environment()

    def send(request: GenerationRequest) -> None:
        RequestQueue(aws_client("sqs", attempts=2, read_seconds=1), url=config.live_queue_url).send(request)

    # Two tries of one second: a caller must hear something within three, whatever DynamoDB does.
    store = AnswerStore(aws_client("dynamodb", attempts=2, read_seconds=1), table=config.table)
    return AnswerDesk(store=store, send=send, caller_keys=config.caller_keys)
