"""Parked messages: what no worker could make anything of, or had failed at three times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

HIDDEN_SECONDS = 60  # while one person decides; then the message is visible to the next
REDRIVEN = "failed"  # SQS moved it here itself: it was received and not finished as often as the queue allows


class UnknownQueueError(ValueError):
    """A parked message does not say which of our queues it came from."""


@dataclass(frozen=True, slots=True)
class Parked:
    """One message in the dead-letter queue: `reason` is the worker's word, or "failed"; `queue` where it came from."""

    message_id: str
    reason: str
    queue: str
    sent_at: datetime
    body: str
    receipt: str


class DeadLetters:
    """The dead-letter queue, and the ways back: queue name -> URL. botocore's errors when SQS does not serve."""

    def __init__(self, sqs: Any, *, url: str, queue_urls: dict[str, str]) -> None:
        self._sqs, self._url, self._queue_urls = sqs, url, queue_urls

    def take(self, *, limit: int) -> Iterator[Parked]:
        """Up to `limit` parked messages, each hidden from others for a minute."""
        taken = 0
        while taken < limit:
            messages = self._receive(min(10, limit - taken))
            if not messages:
                return
            taken += len(messages)
            yield from map(self._describe, messages)

    def _receive(self, count: int) -> list[dict[str, Any]]:
        reply: dict[str, Any] = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=count,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        messages: list[dict[str, Any]] = reply.get("Messages", [])
        return messages

    def _describe(self, message: dict[str, Any]) -> Parked:
        told = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
        system = message.get("Attributes", {})
        source = system.get("DeadLetterQueueSourceArn", "").rpartition(":")[2]
        return Parked(
            message_id=message["MessageId"],
            reason=told.get("reason") or REDRIVEN,
            queue=self._queue_name(told.get("queue") or source),
            sent_at=datetime.fromtimestamp(int(system.get("SentTimestamp", 0)) / 1000, tz=UTC),
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
        self._sqs.send_message(QueueUrl=self._queue_urls[parked.queue], MessageBody=parked.body)
        self.discard(parked)

    def discard(self, parked: Parked) -> None:
        """Deletes the message for good."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=parked.receipt)

    def keep(self, parked: Parked) -> None:
        """Makes the message visible again at once."""
        self._sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=parked.receipt, VisibilityTimeout=0)
