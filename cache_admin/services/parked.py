"""The dead-letter queue as supervisors see it, and what they do about it.

SQS cannot be browsed: whoever looks receives, which hides messages from others, ten at a time, in no order, and counts as a
delivery. A page that looked by itself would need hundreds of requests for thousands of messages, and could neither filter
nor page. So housekeeping looks, when the number of messages has changed or a quarter of an hour has gone by, notes all of
it in a table, and makes the messages visible again at once. The table is a copy and the queue decides: to send a message
back or to discard it, it is received anew, and when somebody else was quicker, that is what the supervisor is told.
The dead-letter queue has no limit of receives of its own, so looking never loses a message; it only raises its count.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, IntegerField
from django.db.models.functions import Greatest

from cache_admin.dead_letters import HIDDEN_SECONDS, REDRIVEN, DeadLetters, Parked, UnknownQueueError
from cache_admin.mapping import storable
from cache_admin.models import CachedAnswer, ParkedLook, ParkedMessage
from connectgenai.wire.question import topic_of
from connectgenai.wire.queue import QueueUnavailableError
from connectgenai.wire.request import GenerationRequest, RequestError

MAX_MESSAGES = 10_000
LOOK_EVERY = timedelta(minutes=15)  # even though the number of messages is the same
GONE_AFTER = timedelta(minutes=2)  # who holds a message holds it for a minute
SETTLE_SECONDS = 20.0  # a supervisor waits for it
EXCERPT_CHARACTERS = 600
_LONGEST_REQUEST = 65_536
_IDLE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Settled:
    """What became of the messages that were chosen, by id: `lost` were not there, or are held by somebody else;
    `homeless` do not say where they came from; `error` tells what SQS said when it stopped serving on the way."""

    done: list[str] = field(default_factory=list)
    homeless: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    error: str = ""


# -- looking


def look_if_due(letters: DeadLetters, *, now: datetime) -> bool:
    """Looks if there may be news, and whether it did. An outage of SQS is noted for the page, and is no error."""
    last, _ = ParkedLook.objects.get_or_create(pk=1)
    try:
        depth = letters.count()
        is_old = last.looked_at is None or last.looked_at <= now - LOOK_EVERY
        has_news = depth != last.depth or ParkedMessage.objects.filter(missing_since__isnull=False).exists()
        if has_news or (is_old and depth):
            return look(letters, now=now)
        ParkedLook.objects.filter(pk=1).update(looked_at=now if not depth else last.looked_at, error="")
    except QueueUnavailableError as error:
        ParkedLook.objects.filter(pk=1).update(error=str(error))
    return False


def look(letters: DeadLetters, *, now: datetime) -> bool:
    """Notes all that is parked; False when somebody else is looking already. QueueUnavailableError when SQS does not serve."""
    ParkedLook.objects.get_or_create(pk=1)
    until = now + timedelta(seconds=HIDDEN_SECONDS)
    if not ParkedLook.objects.filter(pk=1, busy_until__lte=now).update(busy_until=until):
        return False
    receipts: list[str] = []
    rows: list[ParkedMessage] = []
    try:
        for parked in letters.take(limit=MAX_MESSAGES):
            receipts.append(parked.receipt)
            rows.append(describe(parked, now=now))
        _write(rows, now=now)
        ParkedLook.objects.filter(pk=1).update(looked_at=now, depth=len(rows), error="")
    finally:
        letters.release(receipts)
        ParkedLook.objects.filter(pk=1).update(busy_until=_IDLE)
    return True


def _write(rows: list[ParkedMessage], *, now: datetime) -> None:
    """Notes what is there, and lets go of what has not been there for a while."""
    _add_languages(rows)
    told = (
        "reason",
        "queue",
        "key",
        "topic",
        "language",
        "question",
        "excerpt",
        "missing_since",
    )  # the rest is the first look's
    ParkedMessage.objects.bulk_create(
        rows, batch_size=500, update_conflicts=True, unique_fields=["message_id"], update_fields=told
    )
    found = {row.message_id for row in rows}
    missing = [pk for pk, name in ParkedMessage.objects.values_list("pk", "message_id") if name not in found]
    for start in range(0, len(missing), 500):
        absent = ParkedMessage.objects.filter(pk__in=missing[start : start + 500])
        absent.filter(missing_since__lte=now - GONE_AFTER).delete()
        absent.filter(missing_since__isnull=True).update(missing_since=now)


def _add_languages(rows: list[ParkedMessage]) -> None:
    for start in range(0, len(rows), 500):
        some = rows[start : start + 500]
        answers = CachedAnswer.objects.filter(key__in={row.key for row in some if row.key})
        languages = dict(answers.values_list("key", "language"))
        for row in some:
            row.language = row.language or languages.get(row.key, "")


def describe(parked: Parked, *, now: datetime) -> ParkedMessage:
    """The message as a row, unsaved; the words of what is a request, and the beginning of what is none."""
    request = _read_request(parked.body)
    is_redriven = parked.reason == REDRIVEN
    return ParkedMessage(
        message_id=parked.message_id,
        reason=storable(parked.reason)[:40],
        queue=parked.queue,
        key=storable(request.key) if request else "",
        topic=storable(request.topic or topic_of(request.key))[:64] if request else "",
        language=storable(request.language) if request else "",
        question=storable(request.question) if request else "",
        excerpt="" if request else storable(parked.body[:EXCERPT_CHARACTERS]),
        # SQS keeps the time at which a message was sent first; when it moved the message here it does not say
        parked_at=now if is_redriven else parked.sent_at,
        deliveries=max(parked.received - 1, settings.MAX_RECEIVES if is_redriven else 1),
    )


def _read_request(body: str) -> GenerationRequest | None:
    try:
        plain = json.loads(body) if len(body) <= _LONGEST_REQUEST else None
        return GenerationRequest.from_dict(plain) if isinstance(plain, dict) else None
    except (ValueError, RecursionError, RequestError):
        return None


def count_parked() -> int:
    """How many messages were parked at the last look, for the first page."""
    return ParkedLook.objects.filter(pk=1).values_list("depth", flat=True).first() or 0


# -- deciding


def replay_messages(message_ids: Collection[str], *, letters: DeadLetters, now: datetime) -> Settled:
    """Sends parked messages back to where they came from; each is deleted only when the send has succeeded."""
    return _settle(message_ids, letters.replay, letters=letters, now=now)


def discard_messages(message_ids: Collection[str], *, letters: DeadLetters, now: datetime) -> Settled:
    """Deletes parked messages for good."""
    return _settle(message_ids, letters.discard, letters=letters, now=now)


def _settle(
    message_ids: Collection[str], decide: Callable[[Parked], None], *, letters: DeadLetters, now: datetime
) -> Settled:
    wanted, others, settled = set(message_ids), [], Settled()
    taken = letters.take(limit=MAX_MESSAGES, seconds=SETTLE_SECONDS, is_enough=lambda: not wanted)
    try:
        for parked in taken:
            if parked.message_id not in wanted or not _decide(parked, decide, settled):
                others.append(parked.receipt)
            wanted.discard(parked.message_id)
        settled.lost = sorted(wanted)
        letters.release(others)
    except QueueUnavailableError as error:
        settled.error = str(error)  # what was taken is visible again after a minute
    _note(settled, now=now)
    return settled


def _decide(parked: Parked, decide: Callable[[Parked], None], settled: Settled) -> bool:
    try:
        decide(parked)
    except UnknownQueueError:
        settled.homeless.append(parked.message_id)
        return False
    settled.done.append(parked.message_id)
    return True


def _note(settled: Settled, *, now: datetime) -> None:
    """The rows of what is gone go; whether what was not found is gone, the next look will tell."""
    for ids in _batches(settled.done):
        ParkedMessage.objects.filter(message_id__in=ids).delete()
    left = Greatest(F("depth") - len(settled.done), 0, output_field=IntegerField())
    ParkedLook.objects.filter(pk=1).update(depth=left)
    for ids in _batches(settled.lost):
        ParkedMessage.objects.filter(message_id__in=ids, missing_since__isnull=True).update(missing_since=now)


def _batches(names: list[str]) -> Iterable[list[Any]]:
    return (names[start : start + 500] for start in range(0, len(names), 500))
