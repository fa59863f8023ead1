"""The longest time that a caller of the last hour heard nothing new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from cache_admin.models import Call
from cache_admin.previews.call_story import read_events

HOUR = timedelta(hours=1)
MOST_CALLS = 300  # the newest of those that had to wait


@dataclass(frozen=True, slots=True)
class Gap:
    """Seconds between two things that began to play, and whose call it was."""

    seconds: float
    call_pk: int


def find_longest_gap(*, now: datetime) -> Gap | None:
    """Among the newest calls that had to wait; None when there was none."""
    waited = Call.objects.filter(asked_at__gte=now - HOUR).exclude(source__in=(Call.Source.HIT, Call.Source.CURATED))
    calls = waited.only("pk", "asked_at", "events", "outcome", "last_seen_at").order_by("-asked_at")[:MOST_CALLS]
    gaps = [Gap(measure_gap(call, now=now), call.pk) for call in calls]
    return max(gaps, key=lambda gap: gap.seconds, default=None)


def measure_gap(call: Call, *, now: datetime) -> float:
    """The call's longest; who still waits has heard nothing new since the last thing that began."""
    times = [0.0, *(moment.at for moment in read_events(call))]
    if call.outcome == Call.Outcome.WAITING:
        times.append(max((min(call.last_seen_at, now) - call.asked_at).total_seconds(), times[-1]))
    return max((later - earlier for earlier, later in pairwise(times)), default=0.0)
