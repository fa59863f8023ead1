"""Rows of ready answers -> supervisors' texts in DynamoDB, each against the version that the preview saw."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from cache_admin.mapping import epoch_ms
from cache_admin.models import AnswerVersion, ReviewItem, Topic, WarmBatch, WarmRow
from cache_admin.review.candidates import submit_text
from cache_admin.review.caring import mark_published
from cache_admin.review.rules import must_be_reviewed
from cache_admin.services.answers import make_chunks
from cache_admin.services.mirror import apply_items
from connectgenai.wire.items import CURATED, READY, AnswerItem, TopicItem, from_attributes, topic_pk
from connectgenai.wire.question import EVERYONE, AskedQuestion, identify_question
from connectgenai.wire.store import AnswerStore, ConflictError

State = WarmRow.State
_AT_THE_SAME_TIME = 8


def publish_rows(rows: Sequence[WarmRow], *, batch: WarmBatch, store: AnswerStore, now: datetime) -> None:
    """Publishes each row's text; a row is DONE, or FAILED when the answer is not what was seen any more.

    Where whoever imported them needs an approval, the texts go to review, and are done with it. Cut off on the way, the
    next time finds its own texts in DynamoDB, and counts them as published. StoreError leaves all rows to the next time.
    """
    rows = _send_to_review(rows, batch=batch, now=now)
    topics = _read_topics({row.topic for row in rows}, store)
    with ThreadPoolExecutor(_AT_THE_SAME_TIME, thread_name_prefix="published") as pool:
        items = list(pool.map(lambda row: _publish(row, topics.get(row.topic), store=store, now=now), rows))
    made = [item for item in items if item is not None]
    apply_items(made)
    runs = AnswerVersion.objects.filter(answer__key__in=[item.key for item in made], run__in=[i.token for i in made])
    runs.update(author=batch.created_by, why=(_("Imported from %s") % batch.name)[:300])
    mark_published([item.key for item in made], by=batch.created_by, now=now)
    _note(rows, items, now=now)


def _send_to_review(rows: Sequence[WarmRow], *, batch: WarmBatch, now: datetime) -> list[WarmRow]:
    """The rows that may be published at once; the others become candidates."""
    topics = Topic.objects.filter(name__in={row.topic for row in rows}, needs_approval=True)
    strict = {topic.name for topic in topics if must_be_reviewed(topic, user=batch.created_by)}
    for row in rows:
        if row.topic in strict:
            _submit(row, batch=batch, now=now)
    return [row for row in rows if row.topic not in strict]


def _submit(row: WarmRow, *, batch: WarmBatch, now: datetime) -> None:
    """Both or neither, so that whatever cuts it off, a text is sent in once."""
    told = _("Sent to review: heard when somebody has approved it.")
    with transaction.atomic():
        waiting = WarmRow.objects.filter(pk=row.pk, state=State.WAITING)
        if not waiting.update(state=State.DONE, ended_at=now, failure=told):
            return
        submit_text(
            _identify(row),
            chunks=make_chunks(row.answer),
            by=batch.created_by,
            source=ReviewItem.Source.IMPORT,
            valid_until=row.valid_until,
            note=_("Imported from %s") % batch.name,
            now=now,
        )


def _identify(row: WarmRow) -> AskedQuestion:
    return identify_question(
        row.question, topic=row.topic, language=row.language, sharing=EVERYONE, caller="", contact_id="batch"
    )


def _read_topics(names: set[str], store: AnswerStore) -> dict[str, TopicItem]:
    found = store.read_items([topic_pk(name) for name in sorted(names)])
    return {name: from_attributes(TopicItem, found[topic_pk(name)]) for name in names if topic_pk(name) in found}


def _publish(row: WarmRow, topic: TopicItem | None, *, store: AnswerStore, now: datetime) -> AnswerItem | None:
    """What callers hear now; None when it is not this row's text."""
    if topic is None or topic.sharing != EVERYONE:
        return None
    chunks = make_chunks(row.answer)
    seconds = int((row.valid_until - now).total_seconds()) if row.valid_until else topic.ttl_seconds
    try:
        return store.publish(
            _identify(row),
            chunks=chunks,
            seen_version=row.seen_version,
            revision=topic.revision,
            ttl_seconds=max(seconds, 1),
            now_ms=epoch_ms(now),
        )
    except ConflictError as conflict:
        return conflict.current if _is_ours(conflict.current, chunks) else None


def _is_ours(current: AnswerItem | None, chunks: Sequence[str]) -> bool:
    """Whether callers hear this very text: our own write before we were cut off, or a colleague's who had the same file."""
    return bool(current and current.state == READY and current.source == CURATED and current.chunks == tuple(chunks))


def _note(rows: Sequence[WarmRow], items: Sequence[AnswerItem | None], *, now: datetime) -> None:
    done = [row.pk for row, item in zip(rows, items, strict=True) if item is not None]
    lost = [row.pk for row, item in zip(rows, items, strict=True) if item is None]
    waiting = WarmRow.objects.filter(state=State.WAITING)
    waiting.filter(pk__in=done).update(state=State.DONE, ended_at=now)
    failure = _("The answer has changed since the preview, or the topic has: look at both texts.")
    waiting.filter(pk__in=lost).update(state=State.FAILED, failure=failure, ended_at=now)
