"""Parked messages: what no worker could make anything of, or had failed at three times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from connectgenai.wire.queue import QueueUnavailableError

HIDDEN_SECONDS = 60  # while somebody looks or decides; then the message is visible to the next
WAIT_SECONDS = 1  # a poll that does not wait asks some of SQS's servers only
REDRIVEN = "failed"  # SQS moved it here itself: it was received and not finished as often as the queue allows
_COUNTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class UnknownQueueError(ValueError):
    """A parked message does not say which of our queues it came from."""


@dataclass(frozen=True, slots=True)
class Parked:
    """One message in the dead-letter queue: `reason` is the worker's word, or "failed"; `queue` where it came from;
    `received` how often anybody has received it from here, this time included."""

    message_id: str
    reason: str
    queue: str
    sent_at: datetime
    received: int
    body: str
    receipt: str


class DeadLetters:
    """The dead-letter queue, and the ways back: queue name -> URL. QueueUnavailableError when SQS does not serve."""

    def __init__(self, sqs: Any, *, url: str, queue_urls: dict[str, str]) -> None:
        self._sqs, self._url, self._queue_urls = sqs, url, queue_urls

    def count(self) -> int:
        """How many messages are parked, about, those that somebody holds at the moment included."""
        with _explain_outages():
            reply = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=list(_COUNTED))
        return sum(int(reply["Attributes"][name]) for name in _COUNTED)

    def take(
        self, *, limit: int, seconds: float = HIDDEN_SECONDS / 2, is_enough: Callable[[], bool] = lambda: False
    ) -> Iterator[Parked]:
        """Up to `limit` parked messages within some seconds, each once, and each hidden from others for a minute.

        Whoever wants no more says so by `is_enough`, and takes what is still given: else that stayed hidden.
        """
        known: set[str] = set()
        deadline = time.monotonic() + seconds
        while len(known) < limit and time.monotonic() < deadline and not is_enough():
            found = {parked.message_id: parked for parked in self._receive(min(10, limit - len(known)))}
            if not found.keys() - known:
                return  # none are left, or the first ones come again
            yield from (parked for name, parked in found.items() if name not in known)
            known |= found.keys()

    def _receive(self, count: int) -> list[Parked]:
        with _explain_outages():
            reply: dict[str, Any] = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=count,
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=WAIT_SECONDS,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )
        return [self._describe(message) for message in reply.get("Messages", [])]

    def _describe(self, message: dict[str, Any]) -> Parked:
        told = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
        system = message.get("Attributes", {})
        source = system.get("DeadLetterQueueSourceArn", "").rpartition(":")[2]
        return Parked(
            message_id=message["MessageId"],
            reason=told.get("reason") or REDRIVEN,
            queue=self._queue_name(told.get("queue") or source),
            sent_at=datetime.fromtimestamp(int(system.get("SentTimestamp", 0)) / 1000, tz=UTC),
            received=int(system.get("ApproximateReceiveCount", 1)),
            body=message["Body"],
            receipt=message["ReceiptHandle"],
        )

    def _queue_name(self, told: str) -> str:
        """Ours that is meant: as the worker calls it, or as SQS does."""
        urls = self._queue_urls
        return next((name for name in urls if told in (name, urls[name].rpartition("/")[2])), "")

    def replay(self, parked: Parked) -> None:
        """Sends the message back to where it came from, and only then deletes it here: twice does no harm, never would.

        UnknownQueueError when it does not say where that is.
        """
        if not parked.queue:
            raise UnknownQueueError(parked.message_id)
        with _explain_outages():
            self._sqs.send_message(QueueUrl=self._queue_urls[parked.queue], MessageBody=parked.body)
        self.discard(parked)

    def discard(self, parked: Parked) -> None:
        """Deletes the message for good."""
        with _explain_outages():
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=parked.receipt)

    def release(self, receipts: Sequence[str]) -> None:
        """Makes messages visible again at once, as far as nobody else has received them since."""
        rest = iter(receipts)
        while batch := list(islice(rest, 10)):
            entries = [
                {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": 0} for n, handle in enumerate(batch)
            ]
            with _explain_outages():
                self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)


@contextmanager
def _explain_outages() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise QueueUnavailableError(type(error).__name__) from error
