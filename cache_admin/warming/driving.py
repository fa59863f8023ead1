"""Housekeeping's part of batches: files are read, rows are sent a few at a time, and what became of them is noted.

Every step may be cut off anywhere and done again: a row's state says what is left to do, and what is done to DynamoDB is
conditional there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.storage import Storage
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_noop

from cache_admin.models import WarmBatch, WarmRow
from cache_admin.warming.planning import Planner, in_batches
from cache_admin.warming.publishing import publish_rows
from cache_admin.warming.reading import UnreadableError, estimate_rows, read_drafts
from cache_admin.warming.renewing import send_renewals, watch_renewals
from cache_admin.warming.sending import send_rows, watch_rows
from connectgenai.wire.log import log_event
from connectgenai.wire.queue import QueueUnavailableError, RequestQueue
from connectgenai.wire.store import AnswerStore, StoreError

Clock = Callable[[], datetime]
State = WarmBatch.State
UNDER_WAY = 20  # rows of one batch whose answers are being generated: pausing and cancelling take effect within these
PUBLISHED_AT_ONCE = 200
LEASE = timedelta(seconds=60)  # renewed with every step; a worker that has died is followed by another after it
_A_RUN = timedelta(seconds=20)  # then others of housekeeping have their turn
_COPIED = 2**20


class _StoppedError(Exception):
    """The batch was cancelled, or another worker has it."""


def drive_batches(store: AnswerStore, queue: RequestQueue, storage: Storage, *, clock: Clock) -> int:
    """Takes every open batch a step further, the oldest first; how many were at hand.

    Whatever AWS does not serve is tried again at the next turn.
    """
    count = 0
    for batch in WarmBatch.objects.filter(state__in=(State.READING, State.RUNNING)).order_by("created_at"):
        if not _take_lease(batch, clock()):
            continue
        count += 1
        try:
            _drive(batch, store, queue, storage, clock=clock)
        except (StoreError, QueueUnavailableError, ClientError, BotoCoreError) as error:
            log_event("batch_waits", batch=batch.pk, error=type(error).__name__)
        except _StoppedError:
            continue
        WarmBatch.objects.filter(pk=batch.pk).update(leased_until=None)
    return count


def _take_lease(batch: WarmBatch, now: datetime) -> bool:
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    return bool(WarmBatch.objects.filter(free, pk=batch.pk).update(leased_until=now + LEASE))


def _drive(batch: WarmBatch, store: AnswerStore, queue: RequestQueue, storage: Storage, *, clock: Clock) -> None:
    if batch.state == State.READING:
        read_batch(batch, storage, clock=clock)
    elif batch.kind == WarmBatch.Kind.ANSWERS:
        _publish_some(batch, store, clock=clock)
    else:
        _warm_some(batch, store, queue, now=clock())


# -- reading


def read_batch(batch: WarmBatch, storage: Storage, *, clock: Clock) -> None:
    """Reads the file from the first row that is not there yet, and ends with a preview, or with what cannot be read."""
    own = WarmBatch.objects.filter(pk=batch.pk, state=State.READING)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        try:
            _copy(storage, str(batch.file), path)
            own.update(expected_rows=estimate_rows(path, name=batch.name))
            _plan(batch, path, own, clock=clock)
        except UnreadableError as error:
            own.update(state=State.UNREADABLE, problem=str(error)[:300], ended_at=clock())
        except FileNotFoundError:
            own.update(
                state=State.UNREADABLE,
                problem=gettext_noop("The file is not in the bucket any more."),
                ended_at=clock(),
            )
        else:
            own.update(state=State.PREVIEW)


def _copy(storage: Storage, name: str, path: Path) -> None:
    with storage.open(name) as kept, path.open("wb") as file:
        for block in kept.chunks(_COPIED):
            file.write(block)


def _plan(batch: WarmBatch, path: Path, own: Any, *, clock: Clock) -> None:
    planner = Planner(batch, now=clock())
    last = batch.rows.order_by("-number").values_list("number", flat=True).first() or 0
    unread = (draft for draft in read_drafts(path, name=batch.name) if draft.number > last)
    for drafts in in_batches(unread):
        rows = planner.plan(drafts)
        with transaction.atomic():
            if not own.update(read_rows=F("read_rows") + len(rows), leased_until=clock() + LEASE):
                raise _StoppedError
            _insert(rows)


def _insert(rows: Sequence[WarmRow]) -> None:
    """What bulk_create does, at half its cost, which is what most of a large file's reading would be."""
    columns = [column for column in WarmRow._meta.concrete_fields if not column.primary_key]
    names = ", ".join(connection.ops.quote_name(str(column.column)) for column in columns)
    places = ", ".join(["%s"] * len(columns))
    table = connection.ops.quote_name(WarmRow._meta.db_table)
    values = [[c.get_db_prep_save(getattr(row, c.attname), connection) for c in columns] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", values)  # noqa: S608 - names of our own


# -- working off


def _warm_some(batch: WarmBatch, store: AnswerStore, queue: RequestQueue, *, now: datetime) -> None:
    is_renewal = batch.kind == WarmBatch.Kind.RENEWAL
    watch, send = (watch_renewals, send_renewals) if is_renewal else (watch_rows, send_rows)
    under_way = list(batch.rows.filter(state=WarmRow.State.SENT).order_by("number"))
    left = watch(under_way, store=store, queue=queue, now=now)
    room = max(UNDER_WAY - left, 0)
    send(list(_find_waiting(batch, now)[:room]), store=store, queue=queue, now=now)
    _end_if_over(batch, now)


def _publish_some(batch: WarmBatch, store: AnswerStore, *, clock: Clock) -> None:
    began = clock()
    while clock() - began < _A_RUN:
        now = clock()
        rows = list(_find_waiting(batch, now)[:PUBLISHED_AT_ONCE])
        if not rows:
            break
        if not WarmBatch.objects.filter(pk=batch.pk, state=State.RUNNING).update(leased_until=now + LEASE):
            raise _StoppedError
        publish_rows(rows, batch=batch, store=store, now=now)
    _end_if_over(batch, clock())


def _find_waiting(batch: WarmBatch, now: datetime) -> Any:
    """Rows whose turn it is; a ready answer waits for the time from which it holds."""
    is_due = Q(valid_from=None) | Q(valid_from__lte=now)
    return batch.rows.filter(is_due, state=WarmRow.State.WAITING).order_by("number")


def _end_if_over(batch: WarmBatch, now: datetime) -> None:
    with transaction.atomic():  # so that a retry of failures falls before or after it
        mine = WarmBatch.objects.select_for_update().filter(pk=batch.pk, state=State.RUNNING)
        if mine.exists() and not batch.rows.filter(state__in=(WarmRow.State.WAITING, WarmRow.State.SENT)).exists():
            mine.update(state=State.DONE, ended_at=now)
