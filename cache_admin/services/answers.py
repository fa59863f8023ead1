"""What supervisors do with answers: DynamoDB first, the mirror at once after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.utils.translation import gettext as _

from cache_admin.mapping import epoch_ms
from cache_admin.models import CachedAnswer
from cache_admin.services.mirror import apply_items
from connectgenai.wire.flow import choose_language
from connectgenai.wire.items import AnswerItem, TopicItem, from_attributes, topic_pk
from connectgenai.wire.question import DRAFT, EVERYONE, AskedQuestion, find_personal, identify_question
from connectgenai.wire.queue import QueueUnavailableError, RequestQueue
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.speech import make_speakable, split_chunks
from connectgenai.wire.store import MISS, AnswerStore, is_current


class AnswerError(ValueError):
    """A supervisor's wish that cannot be granted; the message says why."""


@dataclass(frozen=True, slots=True)
class Invalidation:
    """How many answers were withdrawn, and how many DynamoDB does not have any more."""

    done: int
    gone: int


def make_chunks(text: str) -> list[str]:
    """A supervisor's text as callers hear it, part by part; AnswerError when nothing of it can be spoken."""
    chunks = split_chunks(make_speakable(text))
    if not any(c.isalnum() for chunk in chunks for c in chunk):
        raise AnswerError(_("Nothing is left of this text that could be spoken."))
    return chunks


def edit_answer(
    answer: CachedAnswer,
    *,
    text: str,
    seen_version: int,
    pinned: bool,
    good_until: datetime | None = None,
    store: AnswerStore,
    now: datetime,
) -> AnswerItem:
    """Replaces the text, if the answer still is the version that was seen; it is good for as long as the topic says, or until a time.

    ConflictError (with the present item) when a worker or another supervisor was quicker; AnswerError when nothing
    speakable is left of the text; StoreError when DynamoDB does not serve, and nothing has changed.
    """
    chunks = make_chunks(text)
    topic = read_topic(answer.topic, store)
    item = store.publish(
        answer.asked(),
        chunks=chunks,
        seen_version=seen_version,
        revision=topic.revision,
        ttl_seconds=round((good_until - now).total_seconds()) if good_until else topic.ttl_seconds,
        pinned=pinned,
        now_ms=epoch_ms(now),
    )
    apply_items([item])
    return item


def invalidate_answers(
    answers: Iterable[CachedAnswer], *, reason: str, store: AnswerStore, now: datetime
) -> Invalidation:
    """Withdraws each answer, effective at callers' next poll. StoreError when DynamoDB stops serving on the way: those
    before it are withdrawn, and doing it again does no harm."""
    done = gone = 0
    for answer in answers:
        try:
            apply_items([store.invalidate(answer.key, reason=reason, now_ms=epoch_ms(now))])
            done += 1
        except KeyError:
            gone += 1
    return Invalidation(done, gone)


def prewarm_question(
    topic: str, *, question: str, language: str, store: AnswerStore, queue: RequestQueue, now: datetime
) -> tuple[str, AnswerItem]:
    """Has a question answered before anybody asks; what it met (`miss`: sent; `hit`, `joined`, `failed`), and the answer.

    In a topic that needs approval a draft for those who approve, unless an approved answer is there.
    AnswerError when an answer could not be shared, QuestionError when it is no question, QueueUnavailableError when SQS
    does not take it, StoreError when DynamoDB does not serve.
    """
    item = read_topic(topic, store)
    offered = choose_language(language, offered=item.languages())
    if not offered:
        raise AnswerError(_("The topic is not offered in this language."))
    _refuse_unshared(question, item)
    asked, seen = _find_place(question, item, language=offered, store=store, now=now)
    found = store.ask(asked, topic=item, seen=seen, now_ms=epoch_ms(now))
    if found.outcome == MISS:
        send_request(found.item, store=store, queue=queue, now=now)
    apply_items([found.item])
    return found.outcome, found.item


def _find_place(
    question: str, topic: TopicItem, *, language: str, store: AnswerStore, now: datetime
) -> tuple[AskedQuestion, AnswerItem | None]:
    """Under which key the answer is made, and what lies there."""
    identify = partial(
        identify_question, question, topic=topic.name, language=language, caller="", contact_id="pre-warm"
    )
    asked = identify(sharing=EVERYONE)
    seen = store.read_answer(asked.key)
    if topic.needs_approval and not (seen and is_current(seen, topic, now_ms=epoch_ms(now))):
        asked = identify(sharing=DRAFT)
        seen = store.read_answer(asked.key)
    return asked, seen


def _refuse_unshared(question: str, topic: TopicItem) -> None:
    if topic.sharing != EVERYONE:
        raise AnswerError(_("This topic's answers are not shared, so there is nothing to warm."))
    if find_personal(question):
        raise AnswerError(_("This is a personal question: its answer would never be shared."))


def send_request(item: AnswerItem, *, store: AnswerStore, queue: RequestQueue, now: datetime) -> None:
    """Sends the request for a question that was claimed; QueueUnavailableError, and the claim undone, when SQS does not take it."""
    try:
        queue.send(GenerationRequest(key=item.key, epoch=item.epoch))
    except QueueUnavailableError:
        # Nobody polls for it, so nobody would send it again: the claim must not stay.
        apply_items([store.invalidate(item.key, reason="not_sent", now_ms=epoch_ms(now))])
        raise


def read_topic(name: str, store: AnswerStore) -> TopicItem:
    """The topic as it is published now; AnswerError when it is not."""
    found = store.read_items([topic_pk(name)])
    if topic_pk(name) not in found:
        raise AnswerError(_("The topic “%(name)s” is not published.") % {"name": name})
    return from_attributes(TopicItem, found[topic_pk(name)])
