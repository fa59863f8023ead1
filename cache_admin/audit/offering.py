"""The button beside the message: what was done a moment ago can be undone from the page that comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from cache_admin.audit.acts import NotUndoneError, Undoer
from cache_admin.audit.describing import describe, find_difference, find_marks
from cache_admin.audit.recording import name_deed, record
from cache_admin.audit.undoing import find_undo
from cache_admin.audit.verbs import UNDONE
from cache_admin.models import AuditEntry
from connectgenai.wire.store import AnswerStore

KEPT = "undo"  # in the session


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many decisions of a deed were undone, and why the others were not."""

    done: int
    refused: list[str]


def offer_undo(request: HttpRequest) -> None:
    """Remembers for the next page what this request has done, if it can be undone."""
    entries = [e for e in getattr(request, "audit_entries", []) if find_undo(e, user=request.user, now=timezone.now())]
    if entries:
        request.session[KEPT] = {"deed": name_deed(request), "verb": entries[0].verb, "count": len(entries)}


def take_offer(request: HttpRequest) -> dict[str, Any]:
    """What may be undone, once; {} when there is nothing."""
    found: dict[str, Any] = request.session.pop(KEPT, {}) if KEPT in request.session else {}
    return found


def undo_deed(request: HttpRequest, deed: str, *, store: AnswerStore) -> Outcome:
    """Undoes all that one click did, as far as nothing has changed since. StoreError when DynamoDB stops serving on the way."""
    now, done, refused = timezone.now(), 0, []
    for entry in AuditEntry.objects.filter(deed=deed).order_by("-sequence"):
        undo = find_undo(entry, user=request.user, now=now)
        if undo is None:
            continue
        try:
            obj = undo.act(entry, Undoer(request.user, now, store))
        except NotUndoneError as error:
            refused.append(str(error))
            continue
        row = type(obj)._default_manager.get(pk=obj.pk)
        before, after = find_difference(describe(obj), describe(row))
        record(
            request, entry.verb + UNDONE, obj, before=before, after={**after, **find_marks(row)}, undoes=entry.sequence
        )
        done += 1
    return Outcome(done, refused)
