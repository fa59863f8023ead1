""" "Still right": a text that was approved once is approved again, and heard again if its time was over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from cache_admin.models import AnswerVersion, ApprovedAnswer, CachedAnswer, Topic
from cache_admin.review.caring import mark_verified
from cache_admin.review.rules import APPROVE
from cache_admin.services.answers import AnswerError, edit_answer
from connectgenai.wire.items import CURATED, READY
from connectgenai.wire.store import AnswerStore


def say_still_right(row: ApprovedAnswer, *, by: Any, store: AnswerStore, now: datetime) -> None:
    """Moves the date on; a text whose time is over, or whose topic has changed, is published again as it is.

    AnswerError when this person may not say so, or another text stands in its place; ConflictError when the answer is not
    what the mirror has; StoreError.
    """
    answer = CachedAnswer.objects.get(pk=row.answer_id)
    topic = Topic.objects.filter(name=row.topic).first()
    author = AnswerVersion.objects.filter(answer=answer, run=answer.token).values_list("author", flat=True).first()
    _refuse(answer, topic, author=author, by=by)
    if topic is not None and answer.find_obstacle(topic_revision=topic.revision, now=now):
        _publish_again(answer, author=author, store=store, now=now)
    mark_verified(answer.key, by=by, now=now)


def _refuse(answer: CachedAnswer, topic: Topic | None, *, author: Any, by: Any) -> None:
    if answer.state != READY or answer.source != CURATED:
        raise AnswerError(_("Another text stands in its place: put the earlier one back on the answer's page."))
    if topic is None or not topic.needs_approval:
        return
    if not by.has_perm(APPROVE):
        raise AnswerError(_("In this topic somebody who may approve answers has to say so."))
    if topic.four_eyes and author == by.pk:
        raise AnswerError(_("Four eyes: you have written this text, so somebody else has to approve it."))


def _publish_again(answer: CachedAnswer, *, author: Any, store: AnswerStore, now: datetime) -> None:
    item = edit_answer(
        answer,
        text="\n\n".join(answer.chunks),
        seen_version=answer.version,
        pinned=answer.pinned,
        store=store,
        now=now,
    )
    AnswerVersion.objects.filter(answer=answer, run=item.token).update(author=author, why=_("Verified: still right."))
