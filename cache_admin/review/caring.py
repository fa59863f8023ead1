"""After the approval: who looks after a text, until when it counts as right, and which are not heard any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils.timezone import localdate

from cache_admin.models import ApprovedAnswer, CachedAnswer, ReviewItem, Topic
from connectgenai.wire.items import CURATED, INVALID, READY

MOST_COUNTED: Final = 1_000
MOST_STALE: Final = 100
_SEEN = ("topic", "language", "question", "revision", "pinned", "expires_at")


def note_approved(answers: Sequence[CachedAnswer]) -> None:
    """Notes what the mirror sees of shared texts that people wrote or approved; what somebody withdrew needs no care.

    The row of a text whose time is over stays, also when a model's text has taken its place: that is what to look at.
    """
    shared = [a for a in answers if a.is_shared]
    gone = [a.key for a in shared if a.state == INVALID]
    if gone:
        ApprovedAnswer.objects.filter(answer__key__in=gone).delete()
    ready = [a for a in shared if a.state == READY and a.source == CURATED]
    if not ready:
        return
    pks = dict(CachedAnswer.objects.filter(key__in=[a.key for a in ready]).values_list("key", "pk"))
    rows = [
        ApprovedAnswer(answer_id=pks[a.key], **{name: getattr(a, name) for name in _SEEN})
        for a in ready
        if a.key in pks
    ]
    ApprovedAnswer.objects.bulk_create(rows, update_conflicts=True, unique_fields=["answer"], update_fields=_SEEN)


def find_verify_by(days: int, *, now: datetime) -> date | None:
    """The day by which somebody looks again; None for 0 days."""
    return localdate(now) + timedelta(days=days) if days else None


def mark_verified(key: str, *, by: Any, owner: Any = None, now: datetime) -> None:
    """Somebody says that the text is right: the date moves on by the topic's days. An owner stays, unless one is given."""
    row = ApprovedAnswer.objects.filter(answer__key=key).first()
    if row is None:
        return
    topic = Topic.objects.filter(name=row.topic).first()
    row.verify_by = find_verify_by(topic.verify_days if topic else 0, now=now)
    row.owner = owner or row.owner or by
    row.verified_by, row.verified_at = by, now
    row.save(update_fields=["verify_by", "owner", "verified_by", "verified_at"])


def mark_published(keys: Sequence[str], *, by: Any, now: datetime) -> None:
    """The same of many texts that one person has published at once; an owner stays."""
    rows = ApprovedAnswer.objects.filter(answer__key__in=keys)
    rows.filter(owner=None).update(owner=by)
    rows.update(verified_by=by, verified_at=now)
    for topic in Topic.objects.filter(name__in=rows.order_by().values("topic").distinct(), verify_days__gt=0):
        rows.filter(topic=topic.name).update(verify_by=find_verify_by(topic.verify_days, now=now))


def set_care(row: ApprovedAnswer, *, owner: Any, verify_by: date | None) -> None:
    """Who looks after it, and until when it counts as right."""
    row.owner, row.verify_by = owner, verify_by
    row.save(update_fields=["owner", "verify_by"])


@dataclass(frozen=True, slots=True)
class Stale:
    """An approved text that callers do not hear any more, and why: `expired`, `stale` or `replaced`."""

    row: ApprovedAnswer
    why: str


def find_stale(*, now: datetime, limit: int = MOST_STALE) -> list[Stale]:
    """Approved texts whose time is over, or that were made before their topic changed; those over for longest first."""
    rows = ApprovedAnswer.objects.select_related("answer", "owner")
    expired = list(rows.filter(expires_at__lte=now).order_by("expires_at")[:limit])
    known = {row.pk for row in expired}
    left = limit - len(expired)
    older = [row for row in rows.filter(_is_older())[:limit] if row.pk not in known][:left]
    return [Stale(row, _find_why(row, "expired")) for row in expired] + [
        Stale(row, _find_why(row, "stale")) for row in older
    ]


def _is_older() -> Q:
    """One condition a topic: an index leads to each."""
    found = Q(pk__in=[])
    for name, revision in Topic.objects.filter(revision__gt=1).values_list("name", "revision"):
        found |= Q(topic=name, revision__lt=revision, pinned=False)
    return found


def _find_why(row: ApprovedAnswer, why: str) -> str:
    is_there = row.answer.state == READY and row.answer.source == CURATED
    return why if is_there else "replaced"


def find_due(*, now: datetime) -> QuerySet[ApprovedAnswer]:
    """Those whose day has come."""
    return ApprovedAnswer.objects.filter(verify_by__lte=localdate(now))


def count_reviews_due(user: Any | None, *, now: datetime) -> dict[str, int]:
    """What waits for people: answers in review, texts due for verification, and of both what is this person's (None: 0).

    Never counts further than 1,000: the database would walk through all of them.
    """
    waiting = ReviewItem.objects.filter(state=ReviewItem.State.IN_REVIEW)
    due = find_due(now=now)
    mine = user.pk if user is not None and user.pk else None
    own = _count(waiting.filter(owner=mine)) + _count(due.filter(owner=mine)) if mine else 0
    return {"in_review": _count(waiting), "due": _count(due), "mine": own}


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by().values("pk")[:MOST_COUNTED].count()
