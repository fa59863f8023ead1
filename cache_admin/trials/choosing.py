"""A draft in the place of what callers hear: only if that still is what was seen beside it."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from cache_admin.mapping import epoch_ms
from cache_admin.services.answers import AnswerError
from cache_admin.services.mirror import apply_items
from connectgenai.wire.items import READY, AnswerItem, TopicItem
from connectgenai.wire.question import EVERYONE, AskedQuestion
from connectgenai.wire.store import AnswerStore


def publish_draft(
    draft: AnswerItem,
    asked: AskedQuestion,
    *,
    topic: TopicItem,
    seen_version: int,
    is_chosen: bool,
    pinned: bool = False,
    store: AnswerStore,
    now: datetime,
) -> AnswerItem:
    """Makes the draft what callers hear under the asked question's key, from their next poll on.

    `is_chosen` says that a person has decided so; in a topic that needs approval the text then is that person's, else it
    stays the model's. ConflictError (with the present item) when the answer is not the version that was seen; AnswerError
    when the draft is outdated, or nobody has decided where somebody must; StoreError.
    """
    _refuse_outdated(draft, topic)
    if topic.sharing != EVERYONE or (topic.needs_approval and not is_chosen):
        raise AnswerError(_("In this topic no answer is shared without a person's approval."))
    item = store.publish(
        asked,
        chunks=draft.chunks,
        seen_version=seen_version,
        revision=draft.revision,
        ttl_seconds=topic.ttl_seconds,
        pinned=pinned,
        draft=None if topic.needs_approval else draft,
        now_ms=epoch_ms(now),
    )
    apply_items([item])
    return item


def _refuse_outdated(draft: AnswerItem, topic: TopicItem) -> None:
    if draft.state != READY or not draft.chunks:
        raise AnswerError(_("The new text is not there any more. Generate it anew."))
    if draft.revision < topic.revision:
        raise AnswerError(_("The topic has changed since the new text was made. Generate it anew."))
