"""One generation: from a request to a stored answer."""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from connectgenai.wire.items import AnswerItem, TopicItem
from connectgenai.wire.question import EVERYONE, QuestionError, find_personal, identify_question, topic_of
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.speech import Chunker, make_speakable, split_sentences
from connectgenai.wire.store import MISS, AnswerStore, FencedError, Usage
from jobs.bedrock import Finished, ModelError, PermanentModelError, RetryableModelError, TextModel
from jobs.documents import DocumentLibrary
from jobs.leases import Lease, LeaseKeeper
from jobs.prompt import build_prompt

logger = logging.getLogger("connectgenai.jobs")
# In-place tries before the message is handed back; nothing has been heard of the answer yet.
TRIES = 3
REMEMBER_SECONDS = {"guardrail": 600, "content_filter": 600, "truncated": 300}
REMEMBER_OTHERS_SECONDS = 60


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000


class HandBackError(Exception):
    """The generation should be tried again later, by whoever receives the message next."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a request: `answered`, `failed`, `duplicate`, `fenced`, `expired` or `refused`, and why."""

    outcome: str
    key: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a generation needs; one per process."""

    store: AnswerStore
    model: TextModel
    documents: DocumentLibrary
    leases: LeaseKeeper
    now_ms: Callable[[], int] = _clock_ms
    sleep: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class _Run:
    """One worker's attempt at one epoch of one answer."""

    item: AnswerItem
    topic: TopicItem
    lease: Lease
    chunks: list[str] = field(default_factory=list)


def answer_question(request: GenerationRequest, *, shop: Workshop, is_last_delivery: bool = False) -> Result:
    """Generates and stores the answer to a request.

    Duplicates and requests whose deadline has passed cost nothing. HandBackError when trying again later may help; on the
    last delivery that is a failure instead, which callers are told of. StoreError when DynamoDB does not serve.
    """
    now = shop.now_ms()
    if request.deadline and now > request.deadline:
        return _report(Result("expired", request.key), request)
    request = request if request.key else _claim(request, shop)
    if not request.key:
        return _report(Result("refused"), request)
    run = _start(request, shop)
    if run is None:
        return _report(Result("duplicate", request.key), request)
    with shop.leases.hold(run.lease):
        try:
            return _report(_generate(run, shop), request, run)
        except FencedError:
            return _report(Result("fenced", request.key), request, run)
        except RetryableModelError as error:
            if not is_last_delivery:
                shop.store.release(run.item.key, epoch=run.item.epoch, token=run.lease.token, now_ms=shop.now_ms())
                raise HandBackError(error.reason) from error
            return _report(_fail(run, shop, error.reason), request, run)


def _claim(request: GenerationRequest, shop: Workshop) -> GenerationRequest:
    """A bare question, to be warmed: asked like a caller's, for everyone. Without a key when there is nothing to do."""
    topic = shop.store.read_topic(request.topic)
    if topic is None or topic.sharing != EVERYONE or find_personal(request.question):
        return replace(request, topic="", question="")
    language = request.language or next(iter(topic.languages()), "")
    try:
        asked = identify_question(
            request.question, topic=topic.name, language=language, sharing=EVERYONE, caller="", contact_id=""
        )
    except QuestionError:
        return replace(request, topic="", question="")
    seen = shop.store.read_answer(asked.key)
    found = shop.store.ask(asked, topic=topic, seen=seen, now_ms=shop.now_ms())
    return replace(request, key=found.item.key if found.outcome == MISS else "", epoch=found.item.epoch)


def _start(request: GenerationRequest, shop: Workshop) -> _Run | None:
    topic = shop.store.read_topic(topic_of(request.key)) or TopicItem(name=topic_of(request.key))
    token = uuid.uuid4().hex
    item = shop.store.start(
        request.key, epoch=request.epoch, token=token, revision=topic.revision, now_ms=shop.now_ms()
    )
    return _Run(item, topic, Lease(request.key, request.epoch, token)) if item else None


def _generate(run: _Run, shop: Workshop) -> Result:
    """Tries in place while nothing of the answer has been stored, with full jitter between."""
    for attempt in range(TRIES):
        try:
            usage = _stream(run, shop)
            return _finish(run, shop, usage)
        except PermanentModelError as error:
            return _fail(run, shop, error.reason)
        except RetryableModelError:
            if run.chunks or attempt == TRIES - 1:
                raise
            shop.sleep(random.uniform(0, 2**attempt))  # noqa: S311 - jitter, not a secret
    raise AssertionError("unreachable")


def _stream(run: _Run, shop: Workshop) -> Usage:
    """Reads the model's text and stores chunks as their sentences complete."""
    if not run.topic.model_id:
        raise PermanentModelError("topic_unknown")
    documents = shop.documents.load(run.topic.documents)
    prompt = build_prompt(run.topic, documents, question=run.item.question, language=run.item.language)
    reader = _Reader()
    with closing(shop.model.stream(prompt)) as pieces:  # type: ignore[type-var]
        for piece in pieces:
            if run.lease.is_lost:
                raise FencedError(run.item.key)
            if isinstance(piece, Finished):
                run.chunks.extend(reader.finish())
                if not run.chunks:
                    raise PermanentModelError("empty")
                return piece.usage
            for chunk in reader.read(piece):
                _store_chunk(run, shop, chunk)
    raise RetryableModelError("cut_off")


def _store_chunk(run: _Run, shop: Workshop, chunk: str) -> None:
    if not run.topic.hold_until_checked:
        key, lease = run.item.key, run.lease
        shop.store.append(
            key, epoch=lease.epoch, token=lease.token, chunk=chunk, index=len(run.chunks), now_ms=shop.now_ms()
        )
    run.chunks.append(chunk)


class _Reader:
    """Turns a growing text into chunks. Sentences are made speakable one by one, but fenced code only as a whole."""

    def __init__(self) -> None:
        self._rest, self._chunker = "", Chunker()

    def read(self, piece: str) -> list[str]:
        self._rest += piece
        if self._rest.count("```") % 2:
            return []
        sentences, self._rest = split_sentences(self._rest)
        return [chunk for sentence in sentences for chunk in self._chunker.add(make_speakable(sentence))]

    def finish(self) -> list[str]:
        spoken = " ".join(make_speakable(self._rest).split())
        return [*self._chunker.add(spoken), *self._chunker.flush()]


def _finish(run: _Run, shop: Workshop, usage: Usage) -> Result:
    shop.store.finish(
        run.item.key,
        epoch=run.lease.epoch,
        token=run.lease.token,
        chunks=run.chunks,
        revision=run.topic.revision,
        ttl_seconds=run.topic.ttl_seconds,
        usage=usage,
        now_ms=shop.now_ms(),
    )
    return Result("answered", run.item.key)


def _fail(run: _Run, shop: Workshop, reason: str) -> Result:
    shop.store.fail(
        run.item.key,
        epoch=run.lease.epoch,
        token=run.lease.token,
        reason=reason,
        remember_seconds=REMEMBER_SECONDS.get(reason, REMEMBER_OTHERS_SECONDS),
        now_ms=shop.now_ms(),
    )
    return Result("failed", run.item.key, reason)


def _report(result: Result, request: GenerationRequest, run: _Run | None = None) -> Result:
    """One line for each generation: ids, never words."""
    fields: dict[str, Any] = {
        "outcome": result.outcome,
        "key": result.key,
        "epoch": request.epoch,
        "reason": result.reason,
        "contact_id": request.contact_id,
        "chunks": len(run.chunks) if run else 0,
    }
    logger.info("generation %s", " ".join(f"{name}={value}" for name, value in fields.items() if value), extra=fields)
    return result


__all__ = ["HandBackError", "ModelError", "Result", "Workshop", "answer_question"]
