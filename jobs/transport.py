"""kombu's SQS transport, made safe: plain JSON in, poison to the dead-letter queue, polls that cannot hang.

Why a subclass: docs/adr/0002. Written for kombu 5.7 and the pools that run on its hub (threads, prefork).
"""

from __future__ import annotations

import logging
import time
from typing import Any

import pycurl
from botocore.exceptions import BotoCoreError, ClientError
from kombu.asynchronous.http.curl import CurlClient
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.SQS import Channel as StockChannel
from kombu.transport.SQS import Transport as StockTransport

from jobs.messages import PoisonError, read_message

logger = logging.getLogger(__name__)
SCHEME = "safesqs"
LONGEST_PAUSE_SECONDS = 5.0
# How much longer than its long poll a connection may stay silent before it counts as dead.
POLL_GRACE_SECONDS = 10


class BoundedCurl(CurlClient):
    """kombu sets no limit on a long poll: a connection that dies silently would stop a queue's polling for ever."""

    limit_seconds = 30

    def _setup_request(self, curl: Any, request: Any, buffer: Any, headers: Any, **options: Any) -> None:
        super()._setup_request(curl, request, buffer, headers, **options)
        curl.setopt(pycurl.TIMEOUT, self.limit_seconds)
        curl.setopt(pycurl.CONNECTTIMEOUT, 5)
        curl.setopt(pycurl.TCP_KEEPALIVE, 1)
        curl.setopt(pycurl.NOSIGNAL, 1)


class Channel(StockChannel):
    """A channel that hands Celery only what `read_message` lets through."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._failed_polls: dict[str, int] = {}
        if self.hub is not None and not isinstance(getattr(self.hub, "_current_http_client", None), BoundedCurl):
            client = BoundedCurl(self.hub)
            client.limit_seconds = self.wait_time_seconds + POLL_GRACE_SECONDS
            self.hub._current_http_client = client

    def _message_to_python(self, message: dict[str, Any], queue_name: str, q_url: str) -> dict[str, Any]:
        options = self.transport_options["safe"]
        try:
            payload = read_message(
                message,
                queue=queue_name,
                allowed_tasks=options["allowed_tasks"],
                silent_queues=options["silent_queues"],
            )
        except PoisonError as poison:
            self._park(message, queue_name, q_url, poison.reason)
            # Celery calls this an unknown message and rejects it, which frees its slot.
            payload = {
                "body": "",
                "headers": {},
                "properties": {"delivery_info": {"exchange": "", "routing_key": queue_name}},
            }
        payload["properties"]["delivery_info"].update(sqs_message=message, sqs_queue=q_url)
        payload["properties"]["delivery_tag"] = message["ReceiptHandle"]
        return payload

    def _park(self, message: dict[str, Any], queue: str, url: str, reason: str) -> None:
        """Moves a message to the dead-letter queue; if that fails, the queue's redrive policy will."""
        logger.error("poison message id=%s queue=%s reason=%s", message.get("MessageId"), queue, reason)
        attributes = {
            name: {"DataType": "String", "StringValue": value} for name, value in (("reason", reason), ("queue", queue))
        }
        client = self.sqs(queue=queue)
        try:
            client.send_message(
                QueueUrl=self.transport_options["safe"]["dead_letter_url"],
                MessageBody=message["Body"],
                MessageAttributes=attributes,
            )
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        except (ClientError, BotoCoreError) as error:
            logger.warning("poison message id=%s not moved: %s", message.get("MessageId"), type(error).__name__)

    def _on_messages_ready(self, queue: str, qname: str, messages: Any) -> int:
        if not isinstance(messages, dict):  # what kombu makes of a 5xx or a broken connection
            self._failed_polls[qname] = self._failed_polls.get(qname, 0) + 1
            return 0
        self._failed_polls.pop(qname, None)
        self.connection.polled_at[qname] = time.time()
        count: int = super()._on_messages_ready(queue, qname, messages)
        return count

    def _loop1(self, queue: str, messages_fetched: Any = None) -> None:
        failures = self._failed_polls.get(self.canonical_queue_name(queue), 0)
        if failures:
            pause = min(self.connection.polling_interval * 2 ** min(failures, 10), LONGEST_PAUSE_SECONDS)
            self.hub.call_later(pause, self._schedule_queue, queue)
        else:
            super()._loop1(queue, messages_fetched)


class Transport(StockTransport):
    """The transport behind broker URLs that begin with safesqs://."""

    Channel = Channel

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.polled_at: dict[str, float] = {}  # epoch seconds of each queue's last answered poll


TRANSPORT_ALIASES[SCHEME] = "jobs.transport:Transport"
