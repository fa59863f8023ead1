"""Tells SQS what became of messages, in threads of its own: the event loop takes in new ones and must not wait for the network.

kombu deletes each finished message in the event loop, one blocking request each: 60 a second at 10 ms, whatever the pool.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from itertools import groupby, islice
from operator import itemgetter
from queue import Empty, SimpleQueue
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from jobs.held import HeldMessage, HeldMessages

logger = logging.getLogger(__name__)
BATCH = 10  # SQS takes ten entries in one request
ROUND = 100  # errands looked at together
PAUSE_SECONDS = 0.5
CLOSE_SECONDS = 15.0


class Fate(Enum):
    """What is to become of a message."""

    DELETE = "delete"
    RELEASE = "release"  # other workers may have it at once


@dataclass(frozen=True, slots=True)
class _Errand:
    message: HeldMessage
    fate: Fate
    reason: str = ""  # why it is a dead letter, if it is one
    until_seconds: float = 0.0

    def get_kind(self) -> tuple[str, str]:
        """What can be done in one request."""
        return self.message.url, self.fate.value


class Clerk:
    """One for each consuming channel; `close` it, and what was asked before is still done."""

    def __init__(self, client: Any, *, held: HeldMessages, dead_letter_url: str, visibility_seconds: int) -> None:
        self._client, self._held = client, held
        self._dead_letter_url, self._visibility_seconds = dead_letter_url, visibility_seconds
        self._errands: SimpleQueue[_Errand | None] = SimpleQueue()
        self._is_closed = threading.Event()
        self._threads = [
            threading.Thread(target=self._run_errands, daemon=True, name="sqs-clerk"),
            threading.Thread(target=self._keep_invisible, daemon=True, name="sqs-visibility"),
        ]
        for thread in self._threads:
            thread.start()

    def delete(self, message: HeldMessage) -> None:
        """The task is done."""
        self._take(message, Fate.DELETE)

    def release(self, message: HeldMessage) -> None:
        """This worker will not run the task: others may have the message at once."""
        self._take(message, Fate.RELEASE)

    def bury(self, message: HeldMessage, *, reason: str) -> None:
        """Moves the message to the dead-letter queue; if that fails, the queue's redrive policy will."""
        self._take(message, Fate.DELETE, reason=reason)

    def close(self) -> None:
        """Does what is still to be done, within CLOSE_SECONDS, and stops renewing."""
        self._is_closed.set()
        self._errands.put(None)
        for thread in self._threads:
            thread.join(CLOSE_SECONDS)

    def _take(self, message: HeldMessage, fate: Fate, *, reason: str = "") -> None:
        # Later than this the message is visible again, and its receipt handle worthless.
        until = time.monotonic() + self._visibility_seconds
        self._errands.put(_Errand(message, fate, reason, until))

    def _run_errands(self) -> None:
        is_last = False
        while not is_last:
            errands, is_last = self._collect()
            with _outliving_errors():
                self._do(errands)

    def _do(self, errands: list[_Errand]) -> None:
        ready = [errand for errand in errands if not errand.reason or self._send_dead_letter(errand)]
        for (url, fate), group in groupby(sorted(ready, key=_Errand.get_kind), _Errand.get_kind):
            self._settle(url, Fate(fate), list(group))

    def _collect(self) -> tuple[list[_Errand], bool]:
        """The next errands, waiting for the first, and whether they are the last."""
        found = [self._errands.get()]
        while len(found) < ROUND:
            try:
                found.append(self._errands.get_nowait())
            except Empty:
                break
        return [errand for errand in found if errand is not None], None in found

    def _send_dead_letter(self, errand: _Errand) -> bool:
        told = {"reason": errand.reason, "queue": errand.message.queue}
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
        try:
            self._client.send_message(
                QueueUrl=self._dead_letter_url, MessageBody=errand.message.body, MessageAttributes=attributes
            )
        except (ClientError, BotoCoreError) as error:
            logger.warning("poison not moved id=%s error=%s", errand.message.message_id, name_error(error))
            return False
        return True

    def _settle(self, url: str, fate: Fate, errands: list[_Errand]) -> None:
        by_handle = {errand.message.handle: errand for errand in errands}
        call, more = self._client.delete_message_batch, {}
        if fate is Fate.RELEASE:
            call, more = self._client.change_message_visibility_batch, {"VisibilityTimeout": 0}
        undone = list(_send_batches(call, url, by_handle, **more))
        for handle in undone:
            self._try_again(by_handle[handle])
        if undone:
            time.sleep(PAUSE_SECONDS)

    def _try_again(self, errand: _Errand) -> None:
        if time.monotonic() < errand.until_seconds and not self._is_closed.is_set():
            self._errands.put(_Errand(errand.message, errand.fate, "", errand.until_seconds))
        else:
            logger.warning("message not settled, it will come again id=%s", errand.message.message_id)

    def _keep_invisible(self) -> None:
        """Renews the visibility of all that is held, so that the queue's time-out can be short though tasks are long."""
        while not self._is_closed.wait(self._visibility_seconds / 3):
            with _outliving_errors():
                self._renew(now_seconds=time.monotonic())

    def _renew(self, *, now_seconds: float) -> None:
        call, more = self._client.change_message_visibility_batch, {"VisibilityTimeout": self._visibility_seconds}
        due = sorted(
            (message.url, message.handle) for message in self._held.find() if now_seconds < message.until_seconds
        )
        for url, group in groupby(due, itemgetter(0)):
            for _ in _send_batches(call, url, [handle for _, handle in group], **more):
                pass  # tried again at the next beat, which comes before the time-out


@contextmanager
def _outliving_errors() -> Iterator[None]:
    """These threads must not end before the worker: without them nothing it does would count."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - what was under way comes again, and is recognised
        logger.error("sqs errand lost error=%s", name_error(error))


def _send_batches(call: Callable[..., Any], url: str, handles: Iterable[str], **more: int) -> Iterator[str]:
    """Calls SQS for all handles, ten at a time; gives back those worth another try."""
    rest = iter(handles)
    while batch := list(islice(rest, BATCH)):
        entries = [{"Id": str(number), "ReceiptHandle": handle, **more} for number, handle in enumerate(batch)]
        try:
            failed = call(QueueUrl=url, Entries=entries).get("Failed", ())
        except (ClientError, BotoCoreError) as error:
            logger.warning("sqs %s failed error=%s", getattr(call, "__name__", "call"), name_error(error))
            yield from batch
        else:
            # the sender's fault: the message was deleted, or has come back and gone to another worker
            yield from (batch[int(entry["Id"])] for entry in failed if not entry.get("SenderFault"))


def name_error(error: Exception) -> str:
    """An AWS error's code, or the error's kind; never its text."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "ClientError"))
    return type(error).__name__
