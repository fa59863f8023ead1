"""Celery's consumer with three belts more: it survives any message, keeps what it holds invisible, and stops cleanly."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from celery import bootsteps
from celery.worker import state
from celery.worker.consumer import Consumer

from jobs.health import write_health

logger = logging.getLogger(__name__)
TASKS_STEP = "celery.worker.consumer.tasks:Tasks"
BATCH = 10  # SQS takes ten entries in one request


class SafeConsumer(Consumer):
    """Nothing raised while one message is taken in may stop the worker."""

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        """Celery's handler; what it cannot take in is rejected."""
        take_in = super().create_task_handler(*args, **kwargs)
        passed_on = self.connection_errors + self.channel_errors

        def handle(message: Any) -> Any:
            try:
                return take_in(message)
            except passed_on:
                raise
            except Exception:  # noqa: BLE001 - one message must not end the service of all others
                logger.error("message not taken in id=%s", message.headers.get("id"))
                message.reject_log_error(logger, passed_on)
                return None

        return handle


class StopPolling(bootsteps.StartStopStep):
    """A warm shutdown of the threads pool blocks the hub; a long poll in flight would swallow messages (celery issue 8875)."""

    requires = (TASKS_STEP,)

    def stop(self, consumer: Any) -> None:
        """Closes the polls in flight, so that SQS keeps their messages."""
        if consumer.task_consumer:
            consumer.task_consumer.cancel()
        client = getattr(consumer.hub, "_current_http_client", None)
        if client is not None:
            client.close()
            del consumer.hub._current_http_client


class VisibilityKeeper(bootsteps.StartStopStep):
    """Renews the visibility of every message this worker holds, so that the queue's time-out can be short.

    It goes on during a warm shutdown, until the process ends. A message held longer than `hold_seconds` is let go.
    """

    requires = (TASKS_STEP,)

    def start(self, consumer: Any) -> None:
        """Starts the thread; a reconnected consumer starts another, and the old one ends."""
        options = consumer.app.conf.broker_transport_options["safe"]
        self._consumer, self._options = consumer, options
        self._gone = getattr(self, "_gone", threading.Event())
        self._gone.set()
        self._gone = threading.Event()
        self._first_seen: dict[str, float] = {}
        threading.Thread(target=self._run, args=(self._gone,), daemon=True, name="visibility-keeper").start()

    def _run(self, gone: threading.Event) -> None:
        pause, renewed_at = 1.0, time.monotonic()
        while not gone.wait(pause):
            self._report()
            if time.monotonic() - renewed_at >= self._options["visibility_seconds"] / 3:
                renewed_at = time.monotonic()
                self._renew()

    def _renew(self) -> None:
        held = list(self._find_held())
        now = time.monotonic()
        self._first_seen = {tag: self._first_seen.get(tag, now) for _, _, _, tag in held}
        by_queue: dict[tuple[Any, str, str], list[str]] = {}
        for channel, queue, url, tag in held:
            if now - self._first_seen[tag] < self._options["hold_seconds"]:
                by_queue.setdefault((channel, queue, url), []).append(tag)
        for (channel, queue, url), tags in by_queue.items():
            self._extend(channel.sqs(queue=queue), url, tags)

    def _find_held(self) -> Iterator[tuple[Any, str, str, str]]:
        connection = self._consumer.connection
        for channel in list(connection.transport.channels) if connection else ():
            qos = channel._qos
            for tag, message in list(qos._delivered.items()) if qos is not None else ():
                info = message.delivery_info
                if tag not in qos._dirty and "sqs_queue" in info:
                    yield channel, info["routing_key"], info["sqs_queue"], tag

    def _extend(self, client: Any, url: str, tags: list[str]) -> None:
        rest = iter(tags)
        while batch := list(islice(rest, BATCH)):
            entries = [
                {"Id": str(number), "ReceiptHandle": tag, "VisibilityTimeout": self._options["visibility_seconds"]}
                for number, tag in enumerate(batch)
            ]
            try:
                client.change_message_visibility_batch(QueueUrl=url, Entries=entries)
            except (ClientError, BotoCoreError) as error:  # the next beat comes before the time-out
                logger.warning("visibility not renewed: %s", type(error).__name__)

    def _report(self) -> None:
        path = self._options.get("health_file")
        connection = self._consumer.connection
        if not path or not connection:
            return
        polled_at = getattr(connection.transport, "polled_at", {})
        busy, slots = len(state.active_requests), self._consumer.pool.limit or 0
        write_health(Path(path), polled_at=dict(polled_at), busy=busy, slots=slots, now=time.time())


CONSUMER_STEPS = (StopPolling, VisibilityKeeper)
