"""Who may make a text everybody's."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from cache_admin.models import CachedAnswer, ReviewItem, Topic
from connectgenai.wire.question import find_personal

APPROVE = "cache_admin.approve_reviewitem"
WORK = "cache_admin.change_reviewitem"


def must_be_reviewed(topic: Topic | None, *, user: Any) -> bool:
    """Whether what this person writes has to be approved by somebody, before every caller hears it."""
    if topic is None or not topic.needs_approval:
        return False
    return topic.four_eyes or user is None or not user.has_perm(APPROVE)


def goes_to_review(answer: CachedAnswer, *, user: Any) -> bool:
    """The same of an edit of this answer; what only one caller asks about stays that caller's and needs nobody."""
    if not answer.is_shared and find_personal(answer.question):
        return False
    return must_be_reviewed(Topic.objects.filter(name=answer.topic).first(), user=user)


def find_objection(item: ReviewItem, *, topic: Topic | None, user: Any, is_changed: bool = False) -> str:
    """Why this person may not approve the candidate, in words for them; "" when they may. `is_changed`: they have edited it."""
    if not user.has_perm(APPROVE):
        return _("You may not approve answers. Send it to review.")
    if item.state == ReviewItem.State.DRAFT:
        return _("This is a draft: whoever writes it has not sent it to review yet.")
    return _find_same_eyes(item, user=user, is_changed=is_changed) if topic is not None and topic.four_eyes else ""


def _find_same_eyes(item: ReviewItem, *, user: Any, is_changed: bool) -> str:
    if is_changed:
        return _(
            "Four eyes: you have changed the text, so somebody else has to approve it. Send it to review; nothing is lost."
        )
    if user.pk == item.author_id:
        return _("Four eyes: you have written this text, so somebody else has to approve it.")
    if user.pk == item.sent_by_id:
        return _("Four eyes: you have sent this text in, so somebody else has to approve it.")
    return ""
