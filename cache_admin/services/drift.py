"""Comparisons that supervisors wish for, that come every night, and that an engineer starts; each is kept with its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import get_default_timezone, localtime
from django.utils.translation import gettext_noop

from cache_admin.models import CachedAnswer, Call, DriftedRow, Reconciliation
from cache_admin.services.reconcile import Drift, reconcile
from connectgenai.wire.store import AnswerStore, StoreError

Clock = Callable[[], datetime]
State, Origin = Reconciliation.State, Reconciliation.Origin
NIGHT_HOUR = 2  # of CONNECTGENAI_TIME_ZONE
ABANDONED_AFTER = timedelta(minutes=5)  # a batch takes seconds
KEPT = 60


def find_open(*, now: datetime) -> Reconciliation | None:
    """The comparison that waits or runs, if there is one; one whose worker has died is closed."""
    dead = Reconciliation.objects.filter(state=State.RUNNING, touched_at__lt=now - ABANDONED_AFTER)
    dead.update(state=State.FAILED, ended_at=now, error=gettext_noop("the worker stopped"))
    return Reconciliation.objects.filter(state__in=(State.QUEUED, State.RUNNING)).order_by("asked_at").first()


def wish_for_reconciliation(*, origin: str, by: Any = None, repair: bool, now: datetime) -> Reconciliation | None:
    """Asks housekeeping for a comparison, which it begins within half a minute; None when one is open already."""
    if find_open(now=now):
        return None
    return Reconciliation.objects.create(origin=origin, asked_by=by, repair=repair, asked_at=now)


def run_if_due(store: AnswerStore, *, clock: Clock) -> Reconciliation | None:
    """Runs the comparison that was wished for, or the night's; the run, or None when there was nothing to do."""
    now = clock()
    run = find_open(now=now)
    if run is None and _is_night(now):
        run = wish_for_reconciliation(origin=Origin.SCHEDULE, repair=False, now=now)
    return run if run is not None and run_reconciliation(run, store, clock=clock) else None


def _is_night(now: datetime) -> bool:
    """Whether it is the hour, and tonight's has not been."""
    if localtime(now, get_default_timezone()).hour != NIGHT_HOUR:
        return False
    since = now - timedelta(hours=12)
    return not Reconciliation.objects.filter(origin=Origin.SCHEDULE, asked_at__gt=since).exists()


def run_reconciliation(run: Reconciliation, store: AnswerStore, *, clock: Clock) -> bool:
    """Compares, unless another worker has begun; `run` then holds the result, or why there is none."""
    own = Reconciliation.objects.filter(pk=run.pk)
    now = clock()
    if not own.filter(state=State.QUEUED).update(state=State.RUNNING, started_at=now, touched_at=now):
        return False
    own.update(expected=CachedAnswer.objects.count() + Call.objects.count())
    try:
        drift = reconcile(store, repair=run.repair, now=now, watch=lambda drift: _write(own, drift, touched_at=clock()))
    except StoreError as error:
        own.update(
            state=State.FAILED, ended_at=clock(), error=(gettext_noop("DynamoDB does not serve: %s") % error)[:100]
        )
    else:
        _keep_examples(run, drift)
        _write(own, drift, state=State.DONE, ended_at=clock())
    _forget_old()
    run.refresh_from_db()
    return True


def count_drifted() -> int | None:
    """How many rows differ as far as is known, for the first page; None when nothing has been compared."""
    last = Reconciliation.objects.filter(state=State.DONE).order_by("-asked_at").first()
    if last is None:
        return None
    return last.vanished if last.repair else last.drifted


def _write(own: Any, drift: Drift, **more: Any) -> None:
    counts = {name: count for name, count in asdict(drift).items() if name != "examples"}
    own.update(**counts, **more)


def _keep_examples(run: Reconciliation, drift: Drift) -> None:
    DriftedRow.objects.bulk_create(
        DriftedRow(reconciliation=run, verdict=found.verdict, key=found.key, contact_id=found.contact_id)
        for found in drift.examples
    )


def _forget_old() -> None:
    kept = Reconciliation.objects.order_by("-asked_at").values_list("pk", flat=True)[:KEPT]
    Reconciliation.objects.exclude(pk__in=list(kept)).delete()
