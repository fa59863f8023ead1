"""Texts that people send in: each becomes its question's candidate, and those before it are kept."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet

from cache_admin.models import CachedAnswer, ReviewItem, ReviewText, Topic
from connectgenai.wire.question import EVERYONE, AskedQuestion, shared_key

State, Source = ReviewItem.State, ReviewItem.Source
_RANK: Final = 10**10  # above any epoch second for the next centuries
MOST_PHRASINGS: Final = 8


class ReviewConflictError(Exception):
    """The item is not what was seen: `item` is what it is now."""

    def __init__(self, item: ReviewItem) -> None:
        super().__init__(item.key)
        self.item = item


def rank_item(callers: int, opened_at: datetime) -> int:
    """A number that is larger for more callers, and for the older of two with as many."""
    return callers * _RANK + _RANK - int(opened_at.timestamp())


def find_shared(answer: CachedAnswer) -> AskedQuestion:
    """The question of any caller's answer, as everybody would share it."""
    key = shared_key(answer.topic, language=answer.language, words=answer.words)
    return AskedQuestion(key, answer.topic, answer.language, EVERYONE, answer.question, answer.words)


def submit_text(
    asked: AskedQuestion,
    *,
    chunks: Sequence[str],
    by: Any,
    source: str = Source.EDIT,
    is_draft: bool = False,
    seen_version: int | None = None,
    revision: int = 0,
    pinned: bool = False,
    valid_until: datetime | None = None,
    note: str = "",
    now: datetime,
) -> ReviewItem:
    """Makes a person's text the candidate of its shared question, as a draft or to be approved.

    ReviewConflictError when `seen_version` is given, and the item is another by now.
    """
    run = uuid.uuid4().hex
    with transaction.atomic():
        item = _open_item(asked, source=source, now=now)
        facts: dict[str, Any] = {
            "state": State.DRAFT if is_draft else State.IN_REVIEW, "source": source, "chunks": list(chunks), "run": run, "model": "",
            "revision": revision, "pinned": pinned, "valid_until": valid_until, "author": by, "sent_by": None if is_draft else by,
            "note": note[:300], "decided_by": None, "decided_at": None,
        }  # fmt: skip
        item = move_item(item, seen_version=seen_version, now=now, **facts)
        made = {"chunks": list(chunks), "source": source, "revision": revision, "author": by, "note": note[:300]}
        ReviewText.objects.create(item=item, run=run, made_at=now, **made)
    return item


def _open_item(asked: AskedQuestion, *, source: str, now: datetime) -> ReviewItem:
    facts = {
        "topic": asked.topic, "language": asked.language, "words": asked.words, "question": asked.question, "state": State.DRAFT,
        "source": source, "opened_at": now, "changed_at": now, "rank": rank_item(0, now), "version": 0,
    }  # fmt: skip
    return ReviewItem.objects.get_or_create(key=asked.key, defaults=facts)[0]


def move_item(item: ReviewItem, *, seen_version: int | None, now: datetime, **facts: Any) -> ReviewItem:
    """Changes the item, if it still is the version that was seen (None: whatever it is); ReviewConflictError otherwise."""
    rows = ReviewItem.objects.filter(pk=item.pk)
    same = rows if seen_version is None else rows.filter(version=seen_version)
    moved = same.update(version=F("version") + 1, changed_at=now, **facts)
    current = rows.select_related("author", "sent_by", "decided_by", "owner").get()
    if not moved:
        raise ReviewConflictError(current)
    return current


def find_outdated(topic: Topic, *, now: datetime) -> QuerySet[ReviewItem]:
    """Items in which nothing has happened for as long as the topic keeps words; what a person is writing on stays."""
    since = now - timedelta(days=topic.keep_days)
    over = ReviewItem.objects.filter(topic=topic.name, changed_at__lt=since)
    return over.filter(state__in=[State.PUBLISHED, State.REJECTED, State.IN_REVIEW]).exclude(
        state=State.IN_REVIEW, author__isnull=False
    )
