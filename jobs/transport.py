"""kombu's SQS transport, made safe: plain JSON in, poison to the dead-letter queue, polls that cannot hang.

Why a subclass: docs/adr/0002. Written for kombu 5.7 and the pools that run on its event loop (threads, prefork).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any

import botocore.session
from kombu.transport.SQS import Channel as StockChannel
from kombu.transport.SQS import Transport as StockTransport

from connectgenai.wire.log import log_problem
from jobs.clerk import Clerk
from jobs.held import HeldMessage, HeldMessages
from jobs.messages import PoisonError, Rules, read_message
from jobs.polling import BATCH, Poller


class Channel(StockChannel):
    """A channel that hands Celery only what `read_message` lets through, and settles messages without making it wait."""

    hub: Any
    connection: Any
    _new_boto_client: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hub = self.connection.hub
        self.options: dict[str, Any] = self.transport_options["safe"]
        self.held = HeldMessages()
        self._rules = Rules(
            allowed_tasks=frozenset(self.options["allowed_tasks"]),
            silent_queues=frozenset(self.options["silent_queues"]),
            longest_delay_seconds=self.options["hold_seconds"],
        )

    def sqs(self, queue: str | None = None) -> Any:  # noqa: ARG002 - kombu's signature
        """The one client for all queues; its endpoint is boto3's own AWS_ENDPOINT_URL, if that is set."""
        if self._sqs is None:
            self._sqs = self._new_boto_client("sqs", self.region, None, None)
        return self._sqs

    @cached_property
    def clerk(self) -> Clerk:
        """Started by the first consumer: the site, which only sends, has none."""
        return Clerk(
            self.sqs(),
            held=self.held,
            dead_letter_url=self.options["dead_letter_url"],
            visibility_seconds=self.options["visibility_seconds"],
        )

    @cached_property
    def poller(self) -> Poller:
        """Started by the first consumer."""
        if self.hub is None:
            raise RuntimeError("this transport needs an event loop: start the worker with -P threads or -P prefork")
        return Poller(
            self.hub,
            self.sqs(),
            wait_seconds=self.wait_time_seconds,
            visibility_seconds=self.options["visibility_seconds"],
            count_free=self.count_free,
            deliver=self._deliver,
            # AWS_CA_BUNDLE, which botocore heeds by itself and curl does not
            ca_bundle=botocore.session.get_session().get_config_variable("ca_bundle") or "",
        )

    @property
    def is_consuming(self) -> bool:
        """Whether there has been a consumer."""
        return "poller" in self.__dict__

    def count_free(self) -> int:
        """How many messages Celery would take in now."""
        free = self.qos.can_consume_max_estimate()
        return BATCH if free is None else free

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Any, consumer_tag: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Starts a consumer: the first one brings clerk and poller to life."""
        assert self.clerk
        self.poller.add(queue, url=self.predefined_queues[queue]["url"])
        return super().basic_consume(queue, no_ack, callback, consumer_tag, *args, **kwargs)

    def _schedule_queue(self, queue: str) -> None:
        self.poller.poll(queue)

    def basic_cancel(self, consumer_tag: str) -> Any:
        """Ends a consumer; what its last poll brings is handed back."""
        if self.is_consuming and consumer_tag in self._tag_to_queue:
            self.poller.remove(self._tag_to_queue[consumer_tag])
        return super().basic_cancel(consumer_tag)

    def basic_qos(self, *args: Any, **kwargs: Any) -> None:
        """Changes how many messages may be held at once."""
        super().basic_qos(*args, **kwargs)
        if self.is_consuming:
            self.poller.wake()

    def _deliver(self, queue: str, messages: list[dict[str, Any]]) -> None:
        callback = self.connection._callbacks.get(queue)
        for message in messages:
            held = self._hold(queue, message)
            if callback is None:
                self.clerk.release(held)
            else:
                self._take_in(held, message.get("Attributes") or {}, callback)

    def _hold(self, queue: str, message: dict[str, Any]) -> HeldMessage:
        return HeldMessage(
            queue=queue,
            url=self.predefined_queues[queue]["url"],
            message_id=message["MessageId"],
            handle=message["ReceiptHandle"],
            body=message["Body"],
            until_seconds=time.monotonic() + self.options["hold_seconds"],
        )

    def _take_in(
        self, held: HeldMessage, attributes: dict[str, str], callback: Callable[[dict[str, Any]], Any]
    ) -> None:
        try:
            payload = read_message(
                held.body, message_id=held.message_id, queue=held.queue, rules=self._rules, now_seconds=time.time()
            )
        except PoisonError as poison:
            self.bury(held, reason=poison.reason)
            return
        payload["properties"]["delivery_tag"] = held.handle
        # What tasks may ask of their message, as kombu has it; not its body, for this may be logged.
        known = {"MessageId": held.message_id, "ReceiptHandle": held.handle, "Attributes": attributes}
        payload["properties"]["delivery_info"].update(sqs_message=known, sqs_queue=held.url)
        self.held.add(held)
        callback(payload)

    def bury(self, held: HeldMessage, *, reason: str) -> None:
        """Has a message moved to the dead-letter queue."""
        log_problem("dead_letter", message_id=held.message_id, queue=held.queue, reason=reason)
        self.clerk.bury(held, reason=reason)

    def bury_delivered(self, delivery_tag: str, *, reason: str) -> None:
        """The same for a message that Celery has and cannot use."""
        self._settle(delivery_tag, lambda held: self.bury(held, reason=reason))

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:  # noqa: ARG002 - kombu's signature
        """The task is done: its message is deleted. Any thread may say so."""
        self._settle(delivery_tag, self.clerk.delete)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """The task failed: SQS delivers its message again after the visibility time-out, or at once, and then parks it."""
        self._settle(delivery_tag, self.clerk.release if requeue else None)

    def release_all_but(self, delivery_tags: Collection[str]) -> None:
        """Hands back what is held, except these messages."""
        for held in self.held.find():
            if held.handle not in delivery_tags:
                self._settle(held.handle, self.clerk.release)

    def _settle(self, delivery_tag: str, settle: Callable[[HeldMessage], None] | None) -> None:
        held = self.held.take(delivery_tag)
        if held is not None and settle is not None:
            settle(held)
        self.qos.ack(delivery_tag)
        self.poller.wake()

    def _restore(self, message: Any) -> None:
        # Called for what is held when the channel closes: tasks that run on. kombu would hand their messages to others,
        # and on an error write the callers' words to a file in /tmp.
        pass

    def close(self) -> None:
        """Ends polling and sees that SQS knows of everything done; after a lost connection, running tasks are still settled."""
        if self.is_consuming:
            self.poller.close()
        super().close()
        if self.is_consuming and not self.held.find():
            self.clerk.close()


class Transport(StockTransport):
    """What broker URLs that begin with safesqs:// name."""

    Channel = Channel
    channels: list[Any]
    hub: Any = None  # the worker's event loop

    def register_with_event_loop(self, _connection: Any, loop: Any) -> None:
        """Celery's consumer names its loop here; kombu asks for the global one, which is gone after a lost connection."""
        self.hub = loop
        for channel in self.channels:
            channel.hub = loop
