"""Which decisions can be taken back within some minutes, by whom, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Model

from cache_admin.audit import acts
from cache_admin.audit.acts import Undoer
from cache_admin.models import AuditEntry

MINUTES: Final = timedelta(minutes=10)
MARKS: Final = frozenset({"version", "run", "revision", "shared", "first"})


@dataclass(frozen=True, slots=True)
class Undo:
    """How one kind of decision is taken back, and the right that it takes; `act` gives the object, as it was before the undo."""

    right: str
    act: Callable[[AuditEntry, Undoer], Model]


def find_undo(entry: AuditEntry, *, user: Any, now: datetime) -> Undo | None:
    """How this person can undo the entry now; None when it cannot be undone, or not any more."""
    undo = UNDOS.get(entry.verb)
    if undo is None or now - entry.at > MINUTES or not user.has_perm(undo.right):
        return None
    if entry.user_pk != str(user.pk) and not user.has_perm("cache_admin.view_auditentry"):
        return None  # what somebody else has done
    if not _has_before(entry) or AuditEntry.objects.filter(undoes=entry.sequence).exists():
        return None
    return undo


def _has_before(entry: AuditEntry) -> bool:
    """Whether there was anything that could be had back."""
    if entry.verb == "answer.approved":
        return bool(entry.new.get("first"))  # else the history has the text that callers heard before
    if entry.verb.startswith("answer."):
        return bool(entry.old.get("run"))  # else callers heard nothing
    if entry.verb.startswith("policy."):
        return int(entry.new.get("version", 0)) > 1 and bool(entry.old or set(entry.new) - MARKS)
    return bool(entry.old) or entry.verb == "incident.switched_on"


_ANSWER, _WARM = "cache_admin.change_cachedanswer", "cache_admin.prewarm_cachedanswer"
UNDOS: Final[Mapping[str, Undo]] = {
    "answer.edited": Undo(_ANSWER, acts.put_text_back),
    "answer.put_back": Undo(_ANSWER, acts.put_text_back),
    "answer.invalidated": Undo(_ANSWER, acts.put_text_back),
    "answer.replaced": Undo(_ANSWER, acts.put_text_back),
    "answer.approved": Undo("cache_admin.approve_reviewitem", acts.withdraw_approval),
    "incident.switched_off": Undo("cache_admin.switch_incident", acts.switch_on_again),
    "incident.switched_on": Undo("cache_admin.switch_incident", acts.switch_off_again),
    "incident.prolonged": Undo("cache_admin.switch_incident", acts.end_as_before),
    "policy.saved": Undo("cache_admin.change_waitpolicy", acts.restore_policy),
    "policy.restored": Undo("cache_admin.change_waitpolicy", acts.restore_policy),
    "batch.paused": Undo(_WARM, acts.resume_batch),
    "batch.resumed": Undo(_WARM, acts.pause_batch),
    "batch.cancelled": Undo(_WARM, acts.take_up_again),
    "schedule.changed": Undo("cache_admin.change_warmschedule", acts.put_schedule_back),
    "limit.changed": Undo("cache_admin.change_modellimit", acts.put_limit_back),
}
