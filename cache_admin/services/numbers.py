"""The few numbers that tell how callers fare now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from cache_admin.models import CachedAnswer, Call

WINDOW = timedelta(hours=1)
_UNHAPPY = (Call.Outcome.ABANDONED, Call.Outcome.TIMED_OUT, Call.Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Now, and over the last hour."""

    since: datetime
    waiting: int
    generating: int
    calls: int
    at_once: int
    abandoned: int
    timed_out: int
    failed: int

    @property
    def percent_at_once(self) -> int | None:
        """Calls that were answered from what was known, in percent; None without calls."""
        return round(100 * self.at_once / self.calls) if self.calls else None


def count_now(*, now: datetime) -> Numbers:
    """Three queries, each over an index and a small part of its table."""
    recent = Call.objects.filter(asked_at__gte=now - WINDOW)
    outcomes = recent.aggregate(
        calls=Count("pk"),
        at_once=Count("pk", filter=Q(source=Call.Source.HIT)),
        **{str(outcome): Count("pk", filter=Q(outcome=outcome)) for outcome in _UNHAPPY},
    )
    return Numbers(
        since=now - WINDOW,
        waiting=Call.objects.filter(outcome=Call.Outcome.WAITING).count(),
        generating=CachedAnswer.objects.filter(state=CachedAnswer.State.PENDING, changed_at__gte=now - WINDOW).count(),
        **outcomes,
    )
