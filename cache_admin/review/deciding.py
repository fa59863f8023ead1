"""Decisions on a candidate. Publishing goes to DynamoDB first, and only over the version that was seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cache_admin.mapping import epoch_ms
from cache_admin.models import CachedAnswer, ReviewItem, ReviewText, Topic
from cache_admin.review.candidates import ReviewConflictError, move_item
from cache_admin.review.caring import mark_verified
from cache_admin.review.rules import find_objection
from cache_admin.services.answers import AnswerError, make_chunks, read_topic
from cache_admin.services.mirror import apply_items
from cache_admin.services.versions import credit_author
from connectgenai.wire.items import CURATED, READY, AnswerItem, TopicItem
from connectgenai.wire.question import EVERYONE, AskedQuestion
from connectgenai.wire.store import AnswerStore, ConflictError

State = ReviewItem.State


def approve(
    item: ReviewItem,
    *,
    text: str,
    seen_version: int,
    shared_version: int,
    by: Any,
    why: str = "",
    store: AnswerStore,
    now: datetime,
) -> ReviewItem:
    """Publishes the text to every caller, from their next ask on; done twice it is done once.

    ReviewConflictError when somebody else decided or the candidate is another by now, ConflictError (with the present
    answer) when the answer that callers hear is not the version that was seen, AnswerError when this person may not approve
    it or nothing of it can be spoken, StoreError when DynamoDB does not serve: then nothing has changed.
    """
    current = read_item(item)
    chunks = read_chunks(current, text)
    if _is_done(current, chunks, by=by):
        return current
    _refuse_decided(current, seen_version)
    is_changed = chunks != current.chunks
    _refuse_objection(current, by=by, is_changed=is_changed)
    topic = read_topic(current.topic, store)
    made = _publish(current, chunks, topic=topic, shared_version=shared_version, store=store, now=now)
    apply_items([made])
    done = _close(current, chunks, by=by, why=why, is_changed=is_changed, now=now)
    credit_author(made, author=done.author or by, why=_tell(done, by, why))
    mark_verified(made.key, by=by, owner=done.owner, now=now)
    return done


def read_chunks(item: ReviewItem, text: str) -> list[str]:
    """What was typed, part by part: the candidate's own parts, if nobody has changed a word of it. AnswerError as ever."""
    return list(item.chunks) if text.split() == item.text.split() and item.chunks else make_chunks(text)


def read_item(item: ReviewItem) -> ReviewItem:
    """The item as it is now."""
    return ReviewItem.objects.select_related("author", "sent_by", "decided_by", "owner").get(pk=item.pk)


def _is_done(item: ReviewItem, chunks: list[str], *, by: Any) -> bool:
    return item.state == State.PUBLISHED and item.decided_by_id == by.pk and item.chunks == chunks


def _refuse_decided(item: ReviewItem, seen_version: int) -> None:
    if item.version != seen_version or not item.is_open:
        raise ReviewConflictError(item)


def _refuse_objection(item: ReviewItem, *, by: Any, is_changed: bool) -> None:
    topic = Topic.objects.filter(name=item.topic).first()
    objection = find_objection(item, topic=topic, user=by, is_changed=is_changed)
    if objection:
        raise AnswerError(objection)


def asked(item: ReviewItem) -> AskedQuestion:
    """The question that everybody shares."""
    return AskedQuestion(item.key, item.topic, item.language, EVERYONE, item.question, item.words)


def _publish(
    item: ReviewItem, chunks: list[str], *, topic: TopicItem, shared_version: int, store: AnswerStore, now: datetime
) -> AnswerItem:
    if topic.sharing != EVERYONE:
        raise AnswerError(_("This topic's answers are not shared, so there is nothing to approve."))
    left = int((item.valid_until - now).total_seconds()) if item.valid_until else topic.ttl_seconds
    if left <= 0:
        raise AnswerError(_("The time for which this text was to be good is over."))
    try:
        return store.publish(
            asked(item),
            chunks=chunks,
            seen_version=shared_version,
            revision=topic.revision,
            ttl_seconds=left,
            pinned=item.pinned,
            now_ms=epoch_ms(now),
        )
    except ConflictError as conflict:
        # cut off before the item was closed, or two clicks at once: what callers hear is this very text
        if _is_ours(conflict.current, chunks):
            return conflict.current  # type: ignore[return-value]  # it is there, or it were not ours
        raise


def _is_ours(current: AnswerItem | None, chunks: list[str]) -> bool:
    return bool(current and current.state == READY and current.source == CURATED and list(current.chunks) == chunks)


def _close(item: ReviewItem, chunks: list[str], *, by: Any, why: str, is_changed: bool, now: datetime) -> ReviewItem:
    """DynamoDB has decided who was first, so no version is asked for here."""
    facts: dict[str, Any] = {"state": State.PUBLISHED, "decided_by": by, "decided_at": now, "note": why[:300]}
    if is_changed:
        facts |= {"chunks": chunks, "author": by}
    return move_item(item, seen_version=None, now=now, **facts)


def _tell(item: ReviewItem, by: Any, why: str) -> str:
    """For the answer's history: who approved what somebody else wrote, and why."""
    who = _("Approved by %(who)s.") % {"who": by} if item.author_id != by.pk or item.model else ""
    return " ".join(part for part in (who, why) if part)


# -- other decisions


def reject(item: ReviewItem, *, seen_version: int, by: Any, note: str, now: datetime) -> ReviewItem:
    """Says no, and why. AnswerError without a reason; ReviewConflictError when it is not what was seen."""
    current = read_item(item)
    if current.state == State.REJECTED and current.decided_by_id == by.pk and current.note == note[:300]:
        return current  # a second click
    _refuse_decided(current, seen_version)
    with transaction.atomic():
        done = _decide(current, State.REJECTED, seen_version=seen_version, by=by, note=note, now=now)
        ReviewText.objects.filter(item=current, run=current.run).update(is_rejected=True, note=note[:300])
    return done


def send_back(item: ReviewItem, *, seen_version: int, by: Any, note: str, now: datetime) -> ReviewItem:
    """Back to whoever wrote it, as a draft, with what is to be done."""
    current = read_item(item)
    if current.state == State.DRAFT and current.decided_by_id == by.pk and current.note == note[:300]:
        return current
    _refuse_decided(current, seen_version)
    owner = current.owner or current.author
    return _decide(current, State.DRAFT, seen_version=seen_version, by=by, note=note, now=now, owner=owner)


def _decide(
    item: ReviewItem, state: str, *, seen_version: int, by: Any, note: str, now: datetime, **more: Any
) -> ReviewItem:
    if not note.strip():
        raise AnswerError(_("Say why: whoever wrote it, and whoever meets the question again, wants to know."))
    facts = {"state": state, "decided_by": by, "decided_at": now, "note": note[:300], **more}
    return move_item(item, seen_version=seen_version, now=now, **facts)


def send_in(item: ReviewItem, *, seen_version: int, by: Any, now: datetime) -> ReviewItem:
    """A draft, or what was rejected, goes to review as it is."""
    current = read_item(item)
    if current.state == State.IN_REVIEW and current.sent_by_id == by.pk:
        return current
    if current.state == State.PUBLISHED or current.version != seen_version:
        raise ReviewConflictError(current)
    facts = {"state": State.IN_REVIEW, "sent_by": by, "decided_by": None, "decided_at": None}
    return move_item(current, seen_version=seen_version, now=now, **facts)


def use_text(item: ReviewItem, text: ReviewText, *, seen_version: int, now: datetime) -> ReviewItem:
    """Makes one of the earlier texts the candidate again; the present one stays among them."""
    _refuse_decided(read_item(item), seen_version)
    facts = {name: getattr(text, name) for name in ("chunks", "run", "source", "model", "revision", "author_id")}
    return move_item(item, seen_version=seen_version, now=now, **facts)


def assign(item: ReviewItem, *, owner: Any) -> None:
    """Who sees to it; that disturbs nobody who reads it, so the version stays."""
    ReviewItem.objects.filter(pk=item.pk).update(owner=owner)


def find_shared_answer(item: ReviewItem) -> CachedAnswer | None:
    """The mirror of what everybody hears, or heard, to this question."""
    return CachedAnswer.objects.filter(key=item.key).first()
