"""What supervisors do with answers: DynamoDB first, the mirror at once after."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cache_admin.models import CachedAnswer, Topic
from cache_admin.services.mirror import apply_item
from connectgenai.wire.items import AnswerItem
from connectgenai.wire.question import EVERYONE, AskedQuestion, find_personal, identify_question
from connectgenai.wire.queue import RequestQueue
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.speech import make_speakable, split_chunks
from connectgenai.wire.store import MISS, AnswerStore


class AnswerError(ValueError):
    """A supervisor's wish that cannot be granted; the message says why."""


def edit_answer(
    answer: CachedAnswer, *, text: str, seen_version: int, pinned: bool, store: AnswerStore, now: datetime
) -> AnswerItem:
    """Replaces the text, if the answer still is the version that was seen.

    ConflictError (with the present item) when a worker or another supervisor was quicker; AnswerError when nothing
    speakable is left of the text; StoreError when DynamoDB does not serve, and nothing has changed.
    """
    chunks = split_chunks(make_speakable(text))
    if not chunks:
        raise AnswerError("Nothing is left of this text that could be spoken.")
    topic = _topic(answer.topic)
    asked = AskedQuestion(answer.key, answer.topic, answer.language, answer.scope, answer.question, answer.words)
    item = store.publish(
        asked,
        chunks=chunks,
        seen_version=seen_version,
        revision=topic.revision,
        ttl_seconds=topic.ttl_hours * 3600,
        pinned=pinned,
        now_ms=_ms(now),
    )
    apply_item(item)
    return item


def invalidate_answers(answers: Iterable[CachedAnswer], *, reason: str, store: AnswerStore, now: datetime) -> int:
    """Withdraws each answer; effective at callers' next poll. How many."""
    items = [store.invalidate(answer.key, reason=reason, now_ms=_ms(now)) for answer in answers]
    for item in items:
        apply_item(item)
    return len(items)


def prewarm_question(
    topic: Topic, *, question: str, language: str, store: AnswerStore, queue: RequestQueue, now: datetime
) -> str:
    """Has a question answered before anybody asks; what it met: `miss` (sent), `hit`, `joined` or `failed`.

    AnswerError when an answer could not be shared, QuestionError when it is no question, QueueUnavailableError when SQS
    does not take it.
    """
    item = store.read_topic(topic.name)
    if item is None:
        raise AnswerError("Publish the topic first.")
    if topic.sharing != EVERYONE:
        raise AnswerError("This topic's answers are not shared, so there is nothing to warm.")
    if find_personal(question):
        raise AnswerError("This is a personal question: its answer would never be shared.")
    asked = identify_question(question, topic=topic.name, language=language, sharing=EVERYONE, caller="", contact_id="")
    found = store.ask(asked, topic=item, seen=store.read_answer(asked.key), now_ms=_ms(now))
    if found.outcome == MISS:
        queue.send(GenerationRequest(key=asked.key, epoch=found.item.epoch))
    apply_item(found.item)
    return found.outcome


def _topic(name: str) -> Topic:
    topic = Topic.objects.filter(name=name).first()
    if topic is None:
        raise AnswerError(f"The topic {name} does not exist any more.")
    return topic


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
