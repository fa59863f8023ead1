"""DynamoDB's answers, topics and calls -> Django's rows. Nothing else writes the mirrors."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from cache_admin.models import CachedAnswer, Call, Topic
from connectgenai.wire.items import AnswerItem, CallItem, TopicItem, answer_pk, call_pk, topic_pk
from connectgenai.wire.store import AnswerStore, read_item

# A caller who is listening or waiting polls again within a prompt's length; a minute of nothing is a hang-up.
GONE_AFTER = timedelta(seconds=60)
ESTIMATE_FROM, ESTIMATE_SAMPLES = 5, 50
_ANSWER_COPIES = (
    "topic", "language", "scope", "question", "words", "state", "source", "reason", "epoch", "version", "revision", "pinned", "model",
    "input_tokens", "output_tokens",
)  # fmt: skip
_CALL_COPIES = (
    "initial_contact_id", "topic", "language", "channel", "caller", "epoch", "outcome", "source", "reason", "polls", "prompts", "parts",
    "version",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MirrorReport:
    """How many items were read from the list of changes, and how many rows were newer for it."""

    read: int
    applied: int


def mirror_changes(store: AnswerStore, *, now: datetime, limit: int = 100) -> MirrorReport:
    """Applies what has changed since the last time; run by as many processes as you like.

    An item leaves the list only if it still is the version that was applied, so nothing is missed: not a write in between,
    not an outage of either side.
    """
    read = applied = 0
    while True:
        items = [read_item(attributes) for attributes in store.read_changes(limit=limit)]
        applied += sum(apply_item(item) for item in items)
        for item in items:
            store.mark_mirrored(_pk(item), version=item.version)
        read += len(items)
        if len(items) < limit:
            break
    close_lost_calls(now=now)
    return MirrorReport(read, applied)


def apply_item(item: AnswerItem | TopicItem | CallItem) -> bool:
    """Brings one row up to this version; False when the row is as new already, whatever the order in which versions come."""
    if isinstance(item, AnswerItem):
        return _upsert(CachedAnswer, {"key": item.key}, _answer_fields(item), item.version)
    if isinstance(item, CallItem):
        return _upsert(Call, {"contact_id": item.contact_id, "key": item.key}, _call_fields(item), item.version)
    return Topic.objects.filter(name=item.name, revision__lt=item.revision).update(revision=item.revision) > 0


def _upsert(
    model: type[CachedAnswer] | type[Call], identity: dict[str, str], fields: dict[str, Any], version: int
) -> bool:
    """One conditional UPDATE, whose row count says whether the version was news."""
    with transaction.atomic():
        rows: Any = model.objects
        if rows.filter(**identity, version__lt=version).update(**fields):
            return True
        _, is_new = rows.get_or_create(**identity, defaults=fields)
        return bool(is_new)


def _answer_fields(item: AnswerItem) -> dict[str, Any]:
    times = {name: _time(getattr(item, name)) for name in ("asked_at", "first_chunk_at", "finished_at", "changed_at")}
    copies = {name: getattr(item, name) for name in _ANSWER_COPIES}
    return {**copies, **times, "chunks": list(item.chunks), "expires_at": _time(item.expires_at * 1000)}


def _call_fields(item: CallItem) -> dict[str, Any]:
    times = {name: _time(getattr(item, name)) for name in ("asked_at", "first_words_at", "ended_at", "last_seen_at")}
    return {**{name: getattr(item, name) for name in _CALL_COPIES}, **times, "events": list(item.events)}


def _time(epoch_ms: int) -> datetime | None:
    return datetime.fromtimestamp(epoch_ms / 1000, tz=UTC) if epoch_ms else None


def _pk(item: AnswerItem | TopicItem | CallItem) -> str:
    if isinstance(item, AnswerItem):
        return answer_pk(item.key)
    return call_pk(item.contact_id, item.key) if isinstance(item, CallItem) else topic_pk(item.name)


def close_lost_calls(*, now: datetime) -> int:
    """A call whose next poll does not come is a caller who hung up: while waiting, or while listening. How many were closed."""
    lost = Call.objects.filter(last_seen_at__lt=now - GONE_AFTER)
    waiting = lost.filter(outcome=Call.Outcome.WAITING).update(outcome=Call.Outcome.ABANDONED, ended_at=now)
    return waiting + lost.filter(outcome=Call.Outcome.LISTENING).update(outcome=Call.Outcome.LEFT, ended_at=now)


def learn_estimates(store: AnswerStore, *, now: datetime) -> dict[str, int]:
    """How long each topic's answers took until their first words (seconds, median of the last 50), told to the Lambdas.

    Topics with fewer than five generated answers have no estimate.
    """
    learned = {name: _median_seconds(name) for name in Topic.objects.values_list("name", flat=True)}
    for name, seconds in learned.items():
        item = store.read_topic(name)
        if item is not None and item.estimate_seconds != seconds:
            store.set_estimate(name, seconds=seconds, now_ms=round(now.timestamp() * 1000))
    return learned


def _median_seconds(topic: str) -> int:
    generated = CachedAnswer.objects.filter(
        topic=topic, source=CachedAnswer.Source.GENERATED, finished_at__isnull=False
    )
    rows: Iterable[Any] = generated.order_by("-changed_at").values_list("asked_at", "first_chunk_at", "finished_at")[
        :ESTIMATE_SAMPLES
    ]
    waits = [((first or finished) - asked).total_seconds() for asked, first, finished in rows if asked]
    return round(statistics.median(waits)) if len(waits) >= ESTIMATE_FROM else 0
