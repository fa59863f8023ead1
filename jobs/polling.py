"""Asks queues for messages: one long poll each, on kombu's event loop, bounded in time and never given up."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import pycurl
from botocore.exceptions import BotoCoreError, ClientError
from kombu.asynchronous.aws.sqs.connection import AsyncSQSConnection
from kombu.asynchronous.http.curl import CurlClient
from vine import promise

logger = logging.getLogger(__name__)
BATCH = 10  # ReceiveMessage gives at most ten
# How much longer than its long poll a connection may stay silent before it counts as dead.
GRACE_SECONDS = 10
CONNECT_SECONDS = 5
EMPTY_PAUSE_SECONDS = 0.05  # whatever answers "nothing" at once must not make us spin
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
NO_CONNECTION = 599  # kombu's status for a broken, refused or silent connection


class BoundedCurl(CurlClient):
    """kombu sets no limit on a long poll: a connection that dies silently would stop a queue's polling for ever."""

    _timeout_check: Any

    def __init__(self, hub: Any, *, limit_seconds: int, ca_bundle: str = "") -> None:
        self._limit_seconds, self._ca_bundle = limit_seconds, ca_bundle
        self._timer: Any = None
        super().__init__(hub)

    def _setup_request(self, curl: Any, request: Any, buffer: Any, headers: Any, **options: Any) -> None:
        super()._setup_request(curl, request, buffer, headers, **options)  # type: ignore[misc]
        curl.setopt(pycurl.TIMEOUT, self._limit_seconds)
        curl.setopt(pycurl.CONNECTTIMEOUT, CONNECT_SECONDS)
        curl.setopt(pycurl.TCP_KEEPALIVE, 1)
        curl.setopt(pycurl.NOSIGNAL, 1)
        if self._ca_bundle:
            curl.setopt(pycurl.CAINFO, self._ca_bundle)

    def _set_timeout(self, milliseconds: int) -> None:
        # kombu takes curl's milliseconds for seconds, so that its timers pile up for hours, one for each poll.
        if self._timer is not None:
            self._timer.cancel()
        self._timer = (
            self.hub.call_later(max(0, milliseconds) / 1_000, self._timeout_check) if milliseconds >= 0 else None
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a poll brought: messages, or else an HTTP status."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    status: int = HTTPStatus.OK
    error: str = ""

    @property
    def proves_service(self) -> bool:
        """SQS was reached and did not refuse us: if anything is wrong, another worker would fare no better."""
        return self.status < HTTPStatus.BAD_REQUEST or HTTPStatus.INTERNAL_SERVER_ERROR <= self.status < NO_CONNECTION


class _PollConnection(AsyncSQSConnection):
    """kombu makes an empty list of a 5xx, which kills its own caller, and an exception of a 4xx, which kills the worker."""

    def _on_list_ready(self, parent: Any, markers: Any, operation: str, response: Any) -> Answer:
        if response.status != HTTPStatus.OK:
            return Answer(status=response.status, error=_name_error(response))
        try:
            parsed = super()._on_list_ready(parent, markers, operation, response)  # type: ignore[misc]
            return Answer([_check_message(message) for message in parsed.get("Messages") or ()])
        except (BotoCoreError, LookupError, ValueError, TypeError, AttributeError) as error:
            return Answer(status=NO_CONNECTION, error=type(error).__name__)  # whatever answers, it is not SQS


def _name_error(response: Any) -> str:
    """What AWS calls the error, or curl says of the connection."""
    try:
        name = json.loads(response.read())["__type"]
        return str(name).rpartition("#")[2][:80]
    except (LookupError, ValueError, TypeError):
        return str(response.reason or "")[:200]


def _check_message(message: Any) -> dict[str, Any]:
    if not all(isinstance(message[name], str) for name in ("MessageId", "ReceiptHandle", "Body")):
        raise TypeError("not a message of SQS")
    return dict(message)


@dataclass(slots=True)
class _Queue:
    url: str
    is_busy: bool = False  # a poll is under way, or the pause after it
    is_full: bool = False  # not polled, for want of room
    failures: int = 0


class Poller:
    """Polls its queues whenever `count_free` says that there is room; `deliver` gets (queue, messages).

    `answered_at` holds the epoch seconds at which each queue's last poll ended in any answer but a refusal.
    Everything but `wake` belongs to the event loop's thread.
    """

    def __init__(
        self,
        hub: Any,
        client: Any,
        *,
        wait_seconds: int,
        visibility_seconds: int,
        count_free: Callable[[], int],
        deliver: Callable[[str, list[dict[str, Any]]], None],
        ca_bundle: str = "",
    ) -> None:
        self._hub, self._count_free, self._deliver = hub, count_free, deliver
        self._wait_seconds, self._visibility_seconds = wait_seconds, visibility_seconds
        self._curl = BoundedCurl(hub, limit_seconds=wait_seconds + GRACE_SECONDS, ca_bundle=ca_bundle)
        self._connection = _PollConnection(sqs_connection=client, http_client=self._curl)
        self._queues: dict[str, _Queue] = {}
        self._under_way = 0
        self.answered_at: dict[str, float] = {}

    def add(self, queue: str, *, url: str) -> None:
        """Polls this queue too, from now on."""
        self._queues[queue] = _Queue(url)
        self._hub.call_soon(self.poll, queue)

    def remove(self, queue: str) -> None:
        """Polls this queue no more; what a poll under way brings is still delivered."""
        self._queues.pop(queue, None)

    def drain(self) -> None:
        """Polls no more, and turns the event loop until the polls under way have ended.

        To close their connections would be quicker, but SQS may not notice, and send its next message into nothing.
        """
        self._queues.clear()
        deadline = time.monotonic() + self._wait_seconds + GRACE_SECONDS
        while self._under_way and time.monotonic() < deadline:
            self._hub.run_once()
        self.close()

    def close(self) -> None:
        """Polls no more, and breaks off the polls under way."""
        self._queues.clear()
        self._curl.close()

    def wake(self) -> None:
        """There is room again. Any thread may say so."""
        self._hub.call_soon(self._poll_all)

    def _poll_all(self) -> None:
        for queue in list(self._queues):
            self.poll(queue)

    def poll(self, queue: str) -> None:
        """Polls the queue, if that is not being done and there is room."""
        state = self._queues.get(queue)
        if state is None or state.is_busy:
            return
        count = min(BATCH, self._count_free())
        if state.is_full or count <= 0:
            self.answered_at[queue] = time.time()  # not to poll was right, and no fault
        state.is_full, state.is_busy = count <= 0, count > 0
        if state.is_full:
            return
        self._under_way += 1
        try:
            self._ask(queue, state, count)
        except (BotoCoreError, ClientError, OSError, pycurl.error) as error:  # no credentials to sign with, for example
            self._finish(queue, Answer(status=HTTPStatus.UNAUTHORIZED, error=type(error).__name__))

    def _ask(self, queue: str, state: _Queue, count: int) -> None:
        self._connection.receive_message(
            queue,  # type: ignore[arg-type]  # kombu's own channel passes the name too
            state.url,
            number_messages=count,
            visibility_timeout=self._visibility_seconds,
            # after a failure a short poll tells soonest that SQS is back
            wait_time_seconds=1 if state.failures else self._wait_seconds,
            callback=promise(self._finish, (queue,)),
        )

    def _finish(self, queue: str, answer: Answer) -> None:
        self._under_way -= 1
        if answer.proves_service:
            self.answered_at[queue] = time.time()
        if answer.messages:
            self._deliver(queue, answer.messages)
        if state := self._queues.get(queue):
            self._hub.call_later(self._find_pause(queue, state, answer), self._resume, queue, state)

    def _find_pause(self, queue: str, state: _Queue, answer: Answer) -> float:
        """Seconds until the next poll."""
        if answer.status == HTTPStatus.OK:
            state.failures = 0
            return 0 if answer.messages else EMPTY_PAUSE_SECONDS
        state.failures += 1
        logger.warning(
            "poll failed queue=%s status=%d error=%s failures=%d", queue, answer.status, answer.error, state.failures
        )
        return min(SHORTEST_PAUSE_SECONDS * 2.0 ** min(state.failures - 1, 10), LONGEST_PAUSE_SECONDS)

    def _resume(self, queue: str, state: _Queue) -> None:
        state.is_busy = False
        self.poll(queue)
