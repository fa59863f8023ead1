"""What supervisors decide about batches. Each decision is one conditional UPDATE, so a second click changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import File
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models import Count, Sum

from cache_admin.mapping import storable
from cache_admin.models import CachedAnswer, WarmBatch, WarmRow
from cache_admin.warming.planning import Planner, in_batches
from cache_admin.warming.reading import Draft

State, Verdict = WarmBatch.State, WarmRow.Verdict
OVER = (WarmRow.State.DONE, WarmRow.State.FAILED, WarmRow.State.CANCELLED)
FINAL = (State.DONE, State.CANCELLED, State.UNREADABLE)
MAX_TYPED = 2_000
KEPT = timedelta(days=30)  # what was read may hold words that nobody needs any more


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is: rows by state, tokens used, and why rows failed (reason, rows)."""

    waiting: int = 0
    sent: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def total(self) -> int:
        """All rows that were confirmed."""
        return self.waiting + self.sent + self.over

    @property
    def over(self) -> int:
        """Those with which nothing more happens."""
        return self.done + self.failed + self.cancelled


# -- making


def make_typed_batch(
    lines: Iterable[str], *, topic: str, language: str, name: str, by: Any, now: datetime
) -> WarmBatch:
    """A batch of questions, one a line, read and planned at once."""
    drafts = [Draft(number, question=line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    return _make_planned(drafts, topic=topic, language=language, name=name, by=by, now=now)


def make_chosen_batch(answers: Sequence[CachedAnswer], *, name: str, by: Any, now: datetime) -> WarmBatch:
    """A batch of known questions that have no good answer."""
    drafts = [
        Draft(number, question=answer.question, topic=answer.topic, language=answer.language)
        for number, answer in enumerate(answers, start=1)
    ]
    return _make_planned(drafts, topic="", language="", name=name, by=by, now=now)


@transaction.atomic
def _make_planned(
    drafts: Sequence[Draft], *, topic: str, language: str, name: str, by: Any, now: datetime
) -> WarmBatch:
    batch = WarmBatch.objects.create(
        kind=WarmBatch.Kind.PREWARM,
        state=State.PREVIEW,
        name=storable(name)[:200],
        topic=topic,
        language=language,
        read_rows=len(drafts),
        created_by=by,
        created_at=now,
    )
    planner = Planner(batch, now=now)
    for some in in_batches(drafts):
        WarmRow.objects.bulk_create(planner.plan(some))
    return batch


@transaction.atomic
def make_renewal_batch(answers: Sequence[CachedAnswer], *, name: str, by: Any, now: datetime) -> WarmBatch:
    """A batch of good answers to be generated anew aside; each is replaced if it still is as it was seen here."""
    batch = WarmBatch.objects.create(
        kind=WarmBatch.Kind.RENEWAL,
        state=State.PREVIEW,
        name=storable(name)[:200],
        topic=answers[0].topic,
        read_rows=len(answers),
        created_by=by,
        created_at=now,
    )
    names = ("question", "topic", "language", "key")
    WarmRow.objects.bulk_create(
        WarmRow(
            batch=batch,
            number=number,
            verdict=Verdict.NEW,
            chosen=True,
            seen_version=answer.version,
            **{name: getattr(answer, name) for name in names},
        )
        for number, answer in enumerate(answers, start=1)
    )
    return batch


def make_file_batch(
    file: File[Any], *, kind: str, topic: str, language: str, storage: Storage, by: Any, now: datetime
) -> WarmBatch:
    """Keeps an uploaded file, which housekeeping then reads; botocore's errors when the bucket does not take it."""
    suffix = str(file.name).rpartition(".")[2].lower()
    kept = storage.save(f"imports/{now:%Y-%m}/upload.{suffix}", file)
    return WarmBatch.objects.create(
        kind=kind,
        name=storable(str(file.name))[-200:],
        file=kept,
        topic=topic,
        language=language,
        created_by=by,
        created_at=now,
    )


def forget_old_batches(storage: Storage, *, now: datetime) -> int:
    """Deletes batches of a month ago, with their rows and files, unless they still run; how many."""
    old = WarmBatch.objects.filter(created_at__lt=now - KEPT).exclude(state__in=(State.RUNNING, State.PAUSED))
    names = [str(name) for name in old.exclude(file="").values_list("file", flat=True)]
    WarmRow.objects.filter(batch__in=old).delete()
    count = old.delete()[0]
    for name in names:
        storage.delete(name)
    return count


# -- looking


def count_verdicts(batch: WarmBatch) -> dict[str, int]:
    """How many rows of each verdict."""
    return dict(batch.rows.order_by().values_list("verdict").annotate(rows=Count("pk")))


def count_chosen(batch: WarmBatch) -> dict[str, int]:
    """How many rows of each verdict are to be taken."""
    chosen = batch.rows.filter(chosen=True).order_by()
    return dict(chosen.values_list("verdict").annotate(rows=Count("pk")))


def read_progress(batch: WarmBatch) -> Progress:
    """How far a confirmed batch is."""
    counts = Counter(dict(batch.rows.filter(chosen=True).order_by().values_list("state").annotate(rows=Count("pk"))))
    used = batch.rows.filter(state=WarmRow.State.DONE).aggregate(read=Sum("input_tokens"), written=Sum("output_tokens"))
    states = {name: counts[name] for name in ("waiting", "sent", "done", "failed", "cancelled")}
    return Progress(**states, input_tokens=used["read"] or 0, output_tokens=used["written"] or 0)


# -- deciding


def choose_rows(batch: WarmBatch, *, shown: Sequence[int], chosen: Sequence[int]) -> None:
    """Of the rows shown on one page, exactly those are taken; nothing once the batch is confirmed."""
    with transaction.atomic():
        if not _lock(batch, State.PREVIEW):
            return
        rows = batch.rows.filter(pk__in=shown).exclude(verdict=Verdict.INVALID)
        rows.filter(pk__in=chosen).update(chosen=True)
        rows.exclude(pk__in=chosen).update(chosen=False)


def choose_all(batch: WarmBatch, *, verdict: str, chosen: bool) -> None:
    """All rows of a verdict are taken, or none; invalid ones never."""
    with transaction.atomic():
        if verdict != Verdict.INVALID and _lock(batch, State.PREVIEW):
            batch.rows.filter(verdict=verdict).update(chosen=chosen)


def confirm(batch: WarmBatch, *, now: datetime) -> bool:
    """Lets the chosen rows begin; False when it has begun already, or there is nothing chosen."""
    with transaction.atomic():
        if not _lock(batch, State.PREVIEW) or not batch.rows.filter(chosen=True).exists():
            return False
        batch.rows.filter(chosen=True).update(state=WarmRow.State.WAITING)
        WarmBatch.objects.filter(pk=batch.pk).update(state=State.RUNNING, confirmed_at=now)
    return True


def pause(batch: WarmBatch) -> bool:
    """No further row begins."""
    return _move(batch, (State.RUNNING,), State.PAUSED)


def resume(batch: WarmBatch) -> bool:
    """Goes on where it was."""
    return _move(batch, (State.PAUSED,), State.RUNNING)


def cancel(batch: WarmBatch, *, now: datetime) -> bool:
    """Ends it: what has not begun does not; what is under way is not watched any more, but answers that come are kept."""
    with transaction.atomic():
        open_states = (State.READING, State.PREVIEW, State.RUNNING, State.PAUSED)
        if not _move(batch, open_states, State.CANCELLED, ended_at=now):
            return False
        rows = batch.rows.filter(state__in=(WarmRow.State.WAITING, WarmRow.State.SENT))
        rows.update(state=WarmRow.State.CANCELLED, ended_at=now)
    return True


def uncancel(batch: WarmBatch, *, to: str) -> bool:
    """Takes a cancelled batch up as it was, in preview, running or paused; what had not come to its end waits again."""
    with transaction.atomic():
        is_known = to in (State.PREVIEW, State.RUNNING, State.PAUSED)
        if not is_known or not _move(batch, (State.CANCELLED,), to, ended_at=None):
            return False
        rows = batch.rows.filter(state=WarmRow.State.CANCELLED, ended_at=batch.ended_at)
        rows.update(state=WarmRow.State.WAITING, sent_at=None, ended_at=None)
    return True


def retry_failures(batch: WarmBatch) -> int:
    """Lets the failed rows begin again; how many."""
    with transaction.atomic():
        if not _move(batch, (State.DONE, State.RUNNING, State.PAUSED), State.RUNNING, ended_at=None):
            return 0
        failed = batch.rows.filter(state=WarmRow.State.FAILED)
        return failed.update(state=WarmRow.State.WAITING, failure="", sent_at=None, ended_at=None)


def _move(batch: WarmBatch, states: Iterable[str], to: str, **more: Any) -> bool:
    """The one who finds it in one of these states wins."""
    return bool(WarmBatch.objects.filter(pk=batch.pk, state__in=tuple(states)).update(state=to, **more))


def _lock(batch: WarmBatch, state: str) -> bool:
    """Holds the batch in this state until the transaction ends."""
    return WarmBatch.objects.select_for_update().filter(pk=batch.pk, state=state).exists()
