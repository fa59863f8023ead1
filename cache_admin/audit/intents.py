"""Decisions that have begun. DynamoDB is written before the trail is, so something must say that it was about to be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from cache_admin.audit.chain import append
from cache_admin.audit.recording import fit_text, make_entry, read_person
from cache_admin.audit.verbs import UNFINISHED
from cache_admin.models import AuditEntry, AuditIntent

OVERDUE: Final = timedelta(minutes=5)  # no page and no server's time-out lasts that long


def begin(request: HttpRequest | None, place: str, *, object_id: str = "", **person: str) -> AuditIntent:
    """Notes that a decision begins; DatabaseError when it cannot be noted, and then it must not begin."""
    facts: dict[str, Any] = {**read_person(request), **person, "place": place, "object_id": object_id}
    fit = {name: fit_text(AuditIntent, name, text) for name, text in facts.items()}
    return AuditIntent.objects.create(at=timezone.now(), **fit)


def finish(intent: AuditIntent) -> None:
    """The decision is over: what came of it is in the trail."""
    AuditIntent.objects.filter(pk=intent.pk).delete()


def sweep(*, now: datetime) -> int:
    """Enters in the trail what began and never said how it ended; how many. Safe to run anywhere, at any time."""
    with transaction.atomic():
        overdue = list(AuditIntent.objects.select_for_update().filter(at__lt=now - OVERDUE).order_by("at")[:500])
        append([_describe(intent) for intent in overdue])
        AuditIntent.objects.filter(pk__in=[intent.pk for intent in overdue]).delete()
    return len(overdue)


def _describe(intent: AuditIntent) -> AuditEntry:
    person = {name: getattr(intent, name) for name in ("user_pk", "user_name", "address", "deed", "object_id")}
    return make_entry(None, UNFINISHED, after={"page": intent.place, "began": intent.at.isoformat()}, **person)
