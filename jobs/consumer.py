"""Celery's consumer, made to survive any message, to stop without losing one, and to show that it lives."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import bootsteps
from celery.utils.nodenames import node_format
from celery.worker import state
from celery.worker.consumer import Consumer

from jobs.health import Health, write_health

logger = logging.getLogger(__name__)
TASKS_STEP = "celery.worker.consumer.tasks:Tasks"
REPORT_SECONDS = 1.0


class HandBack(bootsteps.StartStopStep):
    """A warm shutdown waits for the running tasks with the event loop standing still: whatever else is held goes back first.

    A long poll left open meanwhile would bring messages that nobody takes in (celery issue 8875).
    """

    requires = (TASKS_STEP,)

    def close(self, consumer: Any) -> None:
        """Called once, when the worker begins to stop; returns when no poll is under way, while tasks run on."""
        if not consumer.task_consumer:
            return
        channel = consumer.task_consumer.channel
        consumer.task_consumer.cancel()  # from now on what polls bring is handed back
        executor = getattr(consumer.pool, "executor", None)  # the threads pool's
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)  # what waits for a thread must not start after all
        running = _find_running()
        channel.release_all_but(running)
        logger.info("stopping: running=%d", len(running))
        channel.poller.drain()


class Report(bootsteps.StartStopStep):
    """Notes each second, from within the event loop, that the loop turns and the queues answer."""

    requires = (TASKS_STEP,)

    def start(self, consumer: Any) -> None:
        """Begins, if there is a file to write."""
        path = consumer.app.conf.broker_transport_options["safe"]["health_file"]
        self._file = Path(node_format(path, consumer.hostname)) if path else None
        self._timer = consumer.hub.call_repeatedly(REPORT_SECONDS, self._tick, consumer)

    def stop(self, _consumer: Any) -> None:
        """Ends with the connection; the next one starts it again."""
        self._timer.cancel()

    def _tick(self, consumer: Any) -> None:
        poller = consumer.task_consumer.channel.poller
        poller.wake()  # were a wake-up ever lost, this would make it good
        if self._file is not None:
            self._write(self._file, consumer, poller.answered_at)

    def _write(self, path: Path, consumer: Any, answered_at: dict[str, float]) -> None:
        held, now = consumer.task_consumer.channel.held.find(), time.monotonic()
        health = Health(
            at=time.time(),
            polled_at=dict(answered_at),
            busy=len(state.active_requests),
            slots=consumer.pool.num_processes or 0,
            overdue=sum(message.until_seconds < now for message in held),
        )
        try:
            write_health(path, health)
        except OSError as error:  # the probe will tell
            logger.warning("health file not written error=%s", type(error).__name__)


class SafeConsumer(Consumer):
    """Nothing about one message may stop the worker, nor put the message's words into a log."""

    connection_errors: tuple[type[Exception], ...]
    channel_errors: tuple[type[Exception], ...]

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc, valid-type]  # the stubs call it a variable
        """Celery's steps and ours."""

        default_steps = (*Consumer.Blueprint.default_steps, HandBack, Report)

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        """Celery's handler; what it cannot take in becomes a dead letter."""
        take_in = super().create_task_handler(*args, **kwargs)
        passed_on = self.connection_errors + self.channel_errors

        def handle(message: Any) -> Any:
            try:
                return take_in(message)
            except passed_on:
                raise
            except Exception:  # noqa: BLE001 - one message must not end the service of all others
                return _bury(message, "not_taken_in")

        return handle

    def call_soon_ack(self, settle: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Settles a message at once, in the task's own thread: the event loop stands still during a warm shutdown."""
        settle(*args, **kwargs)
        return settle

    # Celery's own answers to these log the whole body, and two of them delete the message.
    def on_unknown_message(self, _body: Any, message: Any) -> None:
        """Not a task at all."""
        _bury(message, "bad_envelope")

    def on_unknown_task(self, _body: Any, message: Any, _error: Exception) -> None:
        """A task that is allowed, but that this worker does not have."""
        _bury(message, "task_unknown")

    def on_invalid_task(self, _body: Any, message: Any, _error: Exception) -> None:
        """A task whose message Celery refuses."""
        _bury(message, "bad_envelope")

    def on_decode_error(self, message: Any, _error: Exception) -> None:
        """A body that cannot be decoded."""
        _bury(message, "not_json")


def _find_running() -> set[str]:
    """The delivery tags of the tasks that have begun."""
    requests = list(state.requests.values())  # in one step: threads end tasks meanwhile
    return {request.message.delivery_tag for request in requests if request.time_start}


def _bury(message: Any, reason: str) -> None:
    message.channel.bury_delivered(message.delivery_tag, reason=reason)
