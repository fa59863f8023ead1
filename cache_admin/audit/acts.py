"""How decisions are taken back: by the very services that decide, and only if nothing has changed since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from cache_admin.audit.describing import plain_value, read_text
from cache_admin.incidents.switching import TopicTakenError, end_incident, prolong_incident, start_incident
from cache_admin.models import (
    ApprovedAnswer,
    AuditEntry,
    CachedAnswer,
    Incident,
    IncidentTopic,
    ModelLimit,
    ReviewItem,
    Topic,
    WaitPolicyVersion,
    WarmBatch,
    WarmSchedule,
)
from cache_admin.review.candidates import ReviewConflictError, move_item
from cache_admin.services.answers import AnswerError, edit_answer, invalidate_answers
from cache_admin.services.capacity import publish_limit
from cache_admin.services.policy_versions import UnfitVersionError, restore_version
from cache_admin.services.versions import credit_author
from cache_admin.warming import batches
from connectgenai.wire.store import AnswerStore, ConflictError

M = TypeVar("M", bound=Model)


class NotUndoneError(Exception):
    """It was not undone, and nothing was done; the message says why."""


@dataclass(frozen=True, slots=True)
class Undoer:
    """Who undoes, when, and through what."""

    user: Any
    now: datetime
    store: AnswerStore


def _changed() -> NotUndoneError:
    return NotUndoneError(_("It has changed since, so nothing was undone. Look at it as it is now."))


def _find(model: type[Any], entry: AuditEntry) -> Any:
    found = model.objects.filter(pk=entry.object_id).first()
    if found is None:
        raise _changed()
    return found


# -- answers


def put_text_back(entry: AuditEntry, undoer: Undoer) -> CachedAnswer:
    """The text that callers heard before, if the answer still is the version that the decision left."""
    answer: CachedAnswer = _find(CachedAnswer, entry)
    earlier = read_text(str(entry.old.get("run", "")), answer=answer)
    if earlier is None:
        raise NotUndoneError(_("The earlier text is not kept any more."))
    if (
        earlier.source != CachedAnswer.Source.CURATED
        and Topic.objects.filter(name=answer.topic, needs_approval=True).exists()
    ):
        raise NotUndoneError(_("In this topic nobody hears a model's text that is not approved: send it to review."))
    pinned = bool(entry.old.get("pinned", answer.pinned))
    seen = int(entry.new.get("version", 0))
    try:
        item = edit_answer(
            answer, text=earlier.text, seen_version=seen, pinned=pinned, store=undoer.store, now=undoer.now
        )
    except ConflictError as error:
        raise _changed() from error
    except AnswerError as error:
        raise NotUndoneError(str(error)) from error
    credit_author(item, author=undoer.user, why=_("The earlier text, by undoing."))
    return answer


def withdraw_approval(entry: AuditEntry, undoer: Undoer) -> ReviewItem:
    """The text is in review again, and every caller's answer is withdrawn that it became: there was none before."""
    item: ReviewItem = _find(ReviewItem, entry)
    heard = undoer.store.read_answer(item.key, consistent=True)
    if item.version != entry.new.get("version") or heard is None or heard.version != entry.new.get("shared"):
        raise _changed()
    shared = CachedAnswer.objects.filter(key=item.key)
    invalidate_answers(shared, reason=_("The approval was undone."), store=undoer.store, now=undoer.now)
    again = {"state": ReviewItem.State.IN_REVIEW, "decided_by": None, "decided_at": None}
    try:
        move_item(_find(ReviewItem, entry), seen_version=item.version, now=undoer.now, **again)
    except ReviewConflictError as error:
        raise _changed() from error
    ApprovedAnswer.objects.filter(answer__in=shared).delete()
    return item


# -- incidents


def switch_on_again(entry: AuditEntry, undoer: Undoer) -> Incident:
    """The same text on the same topics until the same time, as an incident of its own."""
    ended: Incident = _find(Incident, entry)
    if ended.until <= undoer.now:
        raise NotUndoneError(_("Its time is over."))
    try:
        return start_incident(
            ended.text,
            keys={row.topic: row.keys for row in ended.topics.all()},
            questions=ended.questions,
            until=ended.until,
            store=undoer.store,
            user=undoer.user,
            now=undoer.now,
        )
    except TopicTakenError as error:
        raise _changed() from error


def switch_off_again(entry: AuditEntry, undoer: Undoer) -> Incident:
    """Off, if it is on as it was switched on."""
    incident: Incident = _find(Incident, entry)
    if incident.ended_at or plain_value(incident, "until", incident.until) != entry.new.get("until"):
        raise _changed()
    if end_incident(incident, store=undoer.store, user=undoer.user, now=undoer.now):
        still_on = incident.topics.filter(state=IncidentTopic.State.ON).values_list("topic", flat=True)
        raise NotUndoneError(_("DynamoDB does not serve: it is still on for %s. Try again.") % ", ".join(still_on))
    return incident


def end_as_before(entry: AuditEntry, undoer: Undoer) -> Incident:
    """The end that it had, if that is still to come."""
    incident: Incident = _find(Incident, entry)
    until = parse_datetime(str(entry.old.get("until", "")))
    if incident.ended_at or until is None or plain_value(incident, "until", incident.until) != entry.new.get("until"):
        raise _changed()
    if until <= undoer.now:
        raise NotUndoneError(_("Its time is over."))
    prolong_incident(_find(Incident, entry), until=until, store=undoer.store, now=undoer.now)
    return incident


# -- wait policies


def restore_policy(entry: AuditEntry, undoer: Undoer) -> Model:
    """The version before the one that was saved, if that is the latest still."""
    number = int(entry.new.get("version", 0))
    versions = WaitPolicyVersion.objects.filter(policy=int(entry.object_id)).select_related("policy")
    latest, earlier = versions.first(), versions.filter(number=number - 1).first()
    if latest is None or earlier is None or latest.number != number:
        raise _changed()
    try:
        restore_version(earlier, store=undoer.store, user=undoer.user, now=undoer.now)
    except UnfitVersionError as error:
        raise NotUndoneError(str(error)) from error
    return earlier.policy


# -- batches


def resume_batch(entry: AuditEntry, undoer: Undoer) -> WarmBatch:
    """It goes on, if it is paused."""
    batch = _find_batch(entry, undoer)
    return _done_to(batch, is_done=batches.resume(batch))


def pause_batch(entry: AuditEntry, undoer: Undoer) -> WarmBatch:
    """It is paused, if it runs."""
    batch = _find_batch(entry, undoer)
    return _done_to(batch, is_done=batches.pause(batch))


def take_up_again(entry: AuditEntry, undoer: Undoer) -> WarmBatch:
    """A cancelled batch as it was: what had not begun is waiting again, what was under way is asked for again."""
    batch = _find_batch(entry, undoer)
    is_same = plain_value(batch, "ended_at", batch.ended_at) == entry.new.get("ended_at")
    return _done_to(batch, is_done=is_same and batches.uncancel(batch, to=str(entry.old.get("state", ""))))


def _find_batch(entry: AuditEntry, undoer: Undoer) -> WarmBatch:
    batch: WarmBatch = _find(WarmBatch, entry)
    if batch.kind == WarmBatch.Kind.ANSWERS and not undoer.user.has_perm("cache_admin.import_warmbatch"):
        raise NotUndoneError(_("You may not import answers."))
    return batch


def _done_to(batch: WarmBatch, *, is_done: bool) -> WarmBatch:
    if not is_done:
        raise _changed()
    return batch


# -- settings that are rows and nothing else


def put_schedule_back(entry: AuditEntry, _undoer: Undoer) -> Model:
    """The schedule's fields as they were."""
    present, earlier = _read_fields(WarmSchedule, entry)
    earlier.save(update_fields=list(entry.old))
    return present


def put_limit_back(entry: AuditEntry, undoer: Undoer) -> Model:
    """The model's limit as it was; the workers learn of it first."""
    present, earlier = _read_fields(ModelLimit, entry)
    publish_limit(earlier, store=undoer.store)
    earlier.save(update_fields=list(entry.old))
    return present


def _read_fields(model: type[M], entry: AuditEntry) -> tuple[M, M]:
    """The row as it is, and as it was; refused when any field of it is not as the decision left it."""
    present: M = _find(model, entry)
    earlier: M = _find(model, entry)
    for name, value in entry.old.items():
        field: Any = model._meta.get_field(name)
        if plain_value(present, name, getattr(present, field.attname)) != entry.new.get(name):
            raise _changed()
        setattr(earlier, field.attname, field.to_python(value))
    return present, earlier
