"""One run: a started answer, the model's stream, and what becomes of both in the store."""

from __future__ import annotations

import math
import random
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from connectgenai.wire.items import AnswerItem, TopicItem
from connectgenai.wire.log import log_event
from connectgenai.wire.prompt import build_prompt
from connectgenai.wire.question import topic_of
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import AnswerStore, FencedError, StoreError, Usage
from jobs.bedrock import Finished, PermanentModelError, TextModel
from jobs.documents import DocumentLibrary
from jobs.leases import Lease, LeaseKeeper
from jobs.quota import NoRoomError, Place, Quota
from jobs.reading import SpeechReader

PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)  # between tries to store what is paid for
REMEMBER_SECONDS = {"guardrail": 600, "content_filter": 600, "truncated": 300, "busy": 5, "model_down": 5}
PATIENCE_MS = 60_000  # of a request that does not say until when its caller waits
LOOK_SECONDS = 0.5  # while a run waits for its place, it sees this often whether the answer still is its own
REMEMBER_OTHERS_SECONDS = 60


def clock_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a generation needs; one per process."""

    store: AnswerStore
    model: TextModel
    documents: DocumentLibrary
    leases: LeaseKeeper
    quota: Quota
    now_ms: Callable[[], int] = clock_ms
    sleep: Callable[[float], None] = time.sleep
    is_stopping: Callable[[], bool] = lambda: False

    def pause(self, seconds: float) -> None:
        """Waits for a random part of the time, so that those who failed together do not try again together."""
        self.sleep(random.uniform(0, seconds))  # noqa: S311 - jitter, not a secret


@dataclass(slots=True)
class Run:
    """One attempt at one epoch of one answer: from its start on under a token of its own."""

    item: AnswerItem
    topic: TopicItem
    lease: Lease
    chunks: list[str] = field(default_factory=list)
    stored: int = 0
    first_chunk_at: int = 0
    usage: Usage = field(default_factory=Usage)
    place: Place | None = None  # in the model's quota


def start_run(request: GenerationRequest, shop: Workshop) -> Run | None:
    """The lease on the answer that a request names; None when the request is a duplicate or out of date."""
    topic = shop.store.read_topic(topic_of(request.key)) or TopicItem(name=topic_of(request.key))
    token, now = uuid.uuid4().hex, shop.now_ms()
    item = shop.store.start(request.key, epoch=request.epoch, token=token, revision=topic.revision, now_ms=now)
    if item is None:
        return None
    waited = now - max(item.asked_at, item.requeued_at)
    told = {"contact_id": request.contact_id, "key": item.key, "topic": topic.name, "model": topic.model_id}
    queued = {"ms_queued": max(waited, 0)} if item.attempts == 1 else {}  # a later run has waited for another thing
    log_event("started", **told, epoch=item.epoch, attempt=item.attempts, **queued)
    if request.deadline:  # somebody waits, and others who ask now will wait as long
        shop.quota.note_queue(topic.model_id, waited_ms=waited)
    return Run(item, topic, Lease(request.key, request.epoch, token, renewed_at=now))


def stream_answer(run: Run, shop: Workshop, *, model_ids: Sequence[str], until_ms: int, is_live: bool) -> None:
    """Reads a model's text into the run's chunks; all but the last are stored as their sentences complete.

    The first of the models that has room before `until_ms` (epoch milliseconds) answers; NoRoomError when none has.
    FencedError as soon as the answer is known not to be this run's any more; the connection to the model is closed then.
    """
    if not model_ids:
        raise PermanentModelError("topic_unknown")
    documents = shop.documents.load(run.topic.documents)
    prompts = [
        build_prompt(replace(run.topic, model_id=m), documents, question=run.item.question, language=run.item.language)
        for m in model_ids
    ]
    place = run.place or _find_place(prompts, shop, until_ms=until_ms, is_live=is_live)
    prompt = next(p for p in prompts if p["modelId"] == place.model_id)
    run.place = None
    _wait_for_turn(run, place, shop)
    try:
        with shop.quota.watching(place):
            _read_stream(run, prompt, shop)
    finally:
        shop.quota.settle(place, run.usage if run.usage.model else None)


def _find_place(prompts: Sequence[dict[str, Any]], shop: Workshop, *, until_ms: int, is_live: bool) -> Place:
    refusals = []
    for prompt in prompts:
        try:
            return shop.quota.reserve(prompt, patience_ms=until_ms - shop.now_ms(), is_live=is_live)
        except NoRoomError as error:
            refusals.append(error)
    raise refusals[0]


def _wait_for_turn(run: Run, place: Place, shop: Workshop) -> None:
    for _ in range(math.ceil(place.wait_ms / 1000 / LOOK_SECONDS)):
        if run.lease.is_lost:
            shop.quota.cancel(place)
            raise FencedError(run.item.key)
        shop.sleep(LOOK_SECONDS)


def _read_stream(run: Run, prompt: dict[str, Any], shop: Workshop) -> None:
    reader = SpeechReader()
    # not read by the model: Bedrock's own log of invocations shows it, and ours beside Bedrock's id of the request
    named = {**prompt, "requestMetadata": {"key": run.item.key, "epoch": str(run.item.epoch)}}
    with closing(shop.model.stream(named)) as pieces:
        for piece in pieces:
            if run.lease.is_lost:
                raise FencedError(run.item.key)
            if isinstance(piece, Finished):
                run.usage = piece.usage
            else:
                _take_chunks(run, shop, reader.read(piece))
                _store_chunks(run, shop)
    _take_chunks(run, shop, reader.finish())
    if not run.chunks:
        raise PermanentModelError("empty")


def _take_chunks(run: Run, shop: Workshop, chunks: list[str]) -> None:
    if chunks and not run.chunks:
        run.first_chunk_at = shop.now_ms()
    run.chunks += chunks


def _store_chunks(run: Run, shop: Workshop) -> None:
    """Stores what is not stored yet. A DynamoDB that is away for a moment costs a delay, not the answer."""
    lease = run.lease
    while run.stored < len(run.chunks) and not run.topic.hold_until_checked:
        index, now = run.stored, shop.now_ms()
        try:
            shop.store.append(
                lease.key, epoch=lease.epoch, token=lease.token, chunk=run.chunks[index], index=index, now_ms=now
            )
        except StoreError as error:
            log_event("append_failed", key=lease.key, epoch=lease.epoch, reason=str(error))
            return
        run.stored, lease.renewed_at = index + 1, now


def finish_run(run: Run, shop: Workshop) -> None:
    """Makes the chunks the answer. FencedError when it is no longer this run's to give."""

    def write() -> None:
        shop.store.finish(
            run.item.key,
            epoch=run.lease.epoch,
            token=run.lease.token,
            chunks=run.chunks,
            revision=run.topic.revision,
            ttl_seconds=run.topic.ttl_seconds,
            usage=run.usage,
            now_ms=shop.now_ms(),
        )

    _insist(write, shop)


def fail_run(run: Run, shop: Workshop, reason: str) -> None:
    """Ends the epoch without an answer, which callers are told of. FencedError when it is not this run's to end."""

    def write() -> None:
        shop.store.fail(
            run.item.key,
            epoch=run.lease.epoch,
            token=run.lease.token,
            reason=reason,
            remember_seconds=REMEMBER_SECONDS.get(reason, REMEMBER_OTHERS_SECONDS),
            now_ms=shop.now_ms(),
        )

    _insist(write, shop)


def release_run(run: Run, shop: Workshop) -> None:
    """Gives the lease back, so that another run can start at once. FencedError when it was lost."""
    shop.store.release(run.item.key, epoch=run.lease.epoch, token=run.lease.token, now_ms=shop.now_ms())


def _insist(write: Callable[[], None], shop: Workshop) -> None:
    """Writes the end of a run, which is paid for, even if DynamoDB is away for some seconds."""
    for seconds in PAUSES_SECONDS:
        try:
            return write()
        except StoreError as error:
            if not error.retryable:
                raise
            shop.pause(seconds)
    return write()


def measure_run(run: Run, shop: Workshop) -> dict[str, int | str]:
    """What there is to log of a run; times in milliseconds."""
    started = run.item.started_at
    return {
        "model": run.usage.model or run.topic.model_id,
        "attempt": run.item.attempts,
        "ms_to_start": started - run.item.asked_at,
        **({"ms_to_first_chunk": max(run.first_chunk_at - started, 0)} if run.first_chunk_at else {}),
        "ms_total": shop.now_ms() - started,
        "chunks": len(run.chunks),
        "input_tokens": run.usage.input_tokens,
        "output_tokens": run.usage.output_tokens,
    }
