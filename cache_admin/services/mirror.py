"""DynamoDB's answers, topics and calls -> Django's rows. Nothing else writes the mirrors."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from cache_admin.mapping import answer_row, call_row
from cache_admin.models import CachedAnswer, Call, Topic
from cache_admin.review.incoming import note_reviews
from cache_admin.services.endings import close_silent_calls
from cache_admin.services.versions import note_versions
from connectgenai.wire.items import AnswerItem, Attributes, CallItem, TopicItem, from_value
from connectgenai.wire.log import log_event
from connectgenai.wire.store import AnswerStore, read_item

Item = AnswerItem | TopicItem | CallItem
_ITEMS_OWN_FAULT = (DataError, IntegrityError, OverflowError)
MAX_ROUNDS = 20  # under a steady load there is always one more change; the next run takes it
_LOCK = 0x6D697272  # PostgreSQL's number for "a mirror is writing"
_running = threading.Lock()


@dataclass(frozen=True, slots=True)
class MirrorReport:
    """How many changed items were read, how many rows are newer for it, how many items were beyond understanding, and
    how many calls were closed because nobody polls for them any more."""

    read: int = 0
    applied: int = 0
    unreadable: int = 0
    closed: int = 0


def mirror_changes(store: AnswerStore, *, now: datetime, limit: int = 100) -> MirrorReport:
    """Applies what has changed since the last time, then closes the calls that have gone silent.

    An item leaves the list of changes only if it still is the version that was applied, so nothing is missed: not a write
    in between, not an outage of either side. One run at a time in a process: a second would only do the same.
    """
    if not _running.acquire(blocking=False):
        return MirrorReport()
    try:
        read, applied, unreadable = map(sum, zip(*_mirror_rounds(store, limit), strict=True))
        return MirrorReport(read, applied, unreadable, closed=close_silent_calls(now=now))
    finally:
        _running.release()


def _mirror_rounds(store: AnswerStore, limit: int) -> list[tuple[int, int, int]]:
    rounds: list[tuple[int, int, int]] = []
    while len(rounds) < MAX_ROUNDS:
        # the index lags behind: what has been taken off the list meanwhile is there no more
        changes = [attributes for attributes in store.read_changes(limit=limit) if "changed" in attributes]
        rounds.append(_mirror_round(store, changes))
        if len(changes) < limit:
            break
    return rounds


def _mirror_round(store: AnswerStore, changes: Sequence[Attributes]) -> tuple[int, int, int]:
    items = [item for item in map(_read, changes) if item is not None]
    applied, unfit = _apply_all(items)
    with ThreadPoolExecutor(8, thread_name_prefix="mirrored") as pool:
        list(pool.map(lambda change: _mark(store, change), changes))
    return len(changes), applied, len(changes) - len(items) + unfit


def _mark(store: AnswerStore, change: Attributes) -> None:
    store.mark_mirrored(from_value(change["pk"]), version=from_value(change.get("version", {"N": "0"})))


def _read(attributes: Attributes) -> Item | None:
    """The item, or None with a line in the log: one that nobody can read must not stand in the way of all others."""
    try:
        return read_item(attributes)
    except (KeyError, ValueError, TypeError, StopIteration) as error:
        log_event("mirror_unreadable", pk=str(attributes["pk"].get("S", "")), error=type(error).__name__)
        return None


def _apply_all(items: Sequence[Item]) -> tuple[int, int]:
    """How many rows are newer for it, and how many items fit no row. A database that does not serve is an error."""
    try:
        return apply_items(items), 0
    except _ITEMS_OWN_FAULT:
        results = [_apply_one(item) for item in items]
        return sum(result or 0 for result in results), results.count(None)


def _apply_one(item: Item) -> int | None:
    try:
        return apply_items([item])
    except _ITEMS_OWN_FAULT as error:
        log_event("mirror_unfit", kind=type(item).__name__, version=item.version, error=type(error).__name__)
        return None


def apply_items(items: Iterable[Item]) -> int:
    """Brings rows up to these versions, in whatever order versions come, and however often; how many were news."""
    known = list(items)
    answers = [answer_row(item) for item in known if isinstance(item, AnswerItem)]
    calls = [call_row(item) for item in known if isinstance(item, CallItem)]
    topics = [item for item in known if isinstance(item, TopicItem)]
    with transaction.atomic():
        _wait_for_other_mirrors()
        newer = _upsert(CachedAnswer, answers, identity=("key",))
        newer += _upsert(Call, calls, identity=("contact_id", "key"))
        _count_calls(row.key for row in newer)
        note_versions(newer)
        note_reviews(newer)
        copied = len(newer) + sum(_update_topic(item) for item in topics)
    _log_copies(newer, known)
    return copied


def _log_copies(rows: Sequence[Any], items: Sequence[Item]) -> None:
    """A line for each answer and call that is news, with how far the mirror was behind."""
    now_ms = time.time_ns() // 1_000_000
    changed = {_version(item): item.changed_at for item in items if not isinstance(item, TopicItem)}
    for row in rows:
        kind, contact_id = ("call", row.contact_id) if isinstance(row, Call) else ("answer", "")
        told = {"kind": kind, "contact_id": contact_id, "key": row.key, "epoch": row.epoch, "version": row.version}
        log_event("mirrored", **told, ms_behind=max(now_ms - changed.get(_version(row), now_ms), 0))


def _version(copied: Any) -> tuple[str, str, int]:
    return getattr(copied, "contact_id", ""), copied.key, copied.version


def _wait_for_other_mirrors() -> None:
    """One writer at a time until the transaction ends, as SQLite's immediate transactions have it anyway.

    Two that insert and lock the same rows in different orders would stop each other.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _upsert(model: Any, rows: Sequence[Any], *, identity: tuple[str, ...]) -> list[Any]:
    """Inserts what is missing and writes over what is older, all in two statements; the rows that were newer."""
    incoming = {_name(row, identity): row for row in sorted(rows, key=lambda row: int(row.version))}
    if not incoming:
        return []
    names = {f"{column}__in": {name[n] for name in incoming} for n, column in enumerate(identity)}
    versions = {_name(row, identity): row.version for row in model.objects.filter(**names).only(*identity, "version")}
    newer = [row for name, row in incoming.items() if versions.get(name, -1) < row.version]
    columns = [c.name for c in model._meta.concrete_fields if c.name not in ("id", *identity)]
    model.objects.bulk_create(newer, update_conflicts=True, unique_fields=identity, update_fields=columns)
    return newer


def _name(row: Any, identity: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(getattr(row, column) for column in identity)


def _count_calls(keys: Iterable[str]) -> None:
    """Counts anew, rather than one up: whatever came twice or late, the number is right."""
    calls = Call.objects.filter(key=OuterRef("key")).order_by().values("key").annotate(count=Count("pk"))
    counted = Coalesce(Subquery(calls.values("count"), output_field=IntegerField()), 0)
    CachedAnswer.objects.filter(key__in=set(keys)).update(calls=counted)


def _update_topic(item: TopicItem) -> int:
    rows = Topic.objects.filter(name=item.name, mirrored_version__lt=item.version)
    return rows.update(revision=item.revision, estimate_seconds=item.estimate_seconds, mirrored_version=item.version)
