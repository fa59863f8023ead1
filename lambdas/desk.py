"""What both Lambdas are made of: the environment and the clients, once per process, and how they log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from connectgenai.wire.answering import AnswerDesk
from connectgenai.wire.config import LambdaConfig, aws_client
from connectgenai.wire.flow import Reply
from connectgenai.wire.log import Event, log_to_stdout, logger
from connectgenai.wire.metrics import EmbeddedFormatter
from connectgenai.wire.queue import RequestQueue
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import AnswerStore

# Two tries of 0.8 s, and up to a second between them (botocore's standard retries wait a random part of one): a caller
# must hear something within three seconds, whatever DynamoDB does.
TRIES: Final[dict[str, Any]] = {"attempts": 2, "read_seconds": 0.8}


class CrashError(Exception):
    """A fault of ours; the text is the name of the error, whose own may quote a caller."""


def make_desk() -> AnswerDesk:
    """The desk over DynamoDB; the SQS client is made by the first send, since hits and most polls need none."""
    logger.setLevel(logging.INFO)
    config = LambdaConfig.from_environment()

    def send(request: GenerationRequest) -> None:
        RequestQueue(aws_client("sqs", **TRIES), url=config.live_queue_url).send(request)

    store = AnswerStore(aws_client("dynamodb", **TRIES), table=config.table)
    return AnswerDesk(store=store, send=send, caller_keys=config.caller_keys)


def open_desk() -> AnswerDesk:
    """The desk of a Lambda's own process: its lines go to stdout, with the metrics that CloudWatch reads off them."""
    log_to_stdout(EmbeddedFormatter())
    return make_desk()


def reply_to(act: Callable[[], Reply]) -> dict[str, str]:
    """What the flow gets. CrashError, without a word of what was said, when there is a fault in the program."""
    try:
        return act().to_map()
    except Exception as error:  # noqa: BLE001 - raised anew
        logger.error(Event("crashed", {}), exc_info=error)
        raise CrashError(type(error).__name__) from None
