"""One generation: from a request to a stored answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connectgenai.wire.flow import choose_language
from connectgenai.wire.items import TopicItem
from connectgenai.wire.log import log_event
from connectgenai.wire.prompt import Document, build_prompt
from connectgenai.wire.question import (
    DRAFT,
    EVERYONE,
    AskedQuestion,
    QuestionError,
    find_personal,
    identify_question,
    topic_of,
)
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import HIT, REFUSED, FencedError, StoreError
from jobs.bedrock import ModelError, PermanentModelError, RetryableModelError
from jobs.quota import NoRoomError, Place
from jobs.runs import (
    PATIENCE_MS,
    Run,
    Workshop,
    fail_run,
    finish_run,
    measure_run,
    release_run,
    start_run,
    stream_answer,
)

# For each try in place: how long to wait after it, at most, before the next. After the last one the message is handed back.
PAUSES_SECONDS = (1.0, 2.0, 0.0)
INTERRUPTED = "interrupted"
# Pre-warming looks for room about every 5 s; after about an hour the message is handed back.
PREWARM_TRIES, PREWARM_PAUSE_SECONDS = 720, 10.0


class HandBackError(Exception):
    """The generation should be tried again later, by whoever receives the message next; the text is one of REASONS."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a request, and why.

    `answered`, `failed`; `duplicate` (answered, or in the making, elsewhere), `fenced` (withdrawn, edited or taken over
    meanwhile), `expired` (nobody waits any more), `refused` (not a question to warm).
    """

    outcome: str
    key: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One of the tries that a delivery of a request is worth."""

    request: GenerationRequest
    is_live: bool
    is_first: bool
    is_final: bool
    pause_seconds: float


def answer_question(request: GenerationRequest, *, shop: Workshop, is_last_delivery: bool = False) -> Result:
    """Generates and stores the answer to a request.

    Duplicates, and requests whose deadline has passed, cost nothing. HandBackError when trying again later may help; on the
    last delivery, or when nobody waits any more, that is a failure instead, which callers are told of. StoreError when
    DynamoDB does not serve.
    """
    if _is_too_late(request, shop):
        return _report(Result("expired", request.key), request, shop)
    is_live = bool(request.deadline)  # only for callers, who are patient for so long
    place = None if is_live else _wait_for_room(request, shop)
    claimed = request if request.key else _claim(request, shop)
    if isinstance(claimed, Result):
        return _leave(claimed, request, shop, place)
    for number, pause in enumerate(PAUSES_SECONDS, start=1):
        run = start_run(claimed, shop)
        if run is None:
            return _leave(Result("duplicate", claimed.key), claimed, shop, place)
        run.place, place = place, None
        is_final = is_last_delivery and number == len(PAUSES_SECONDS)
        attempt = Attempt(claimed, is_live=is_live, is_first=number == 1, is_final=is_final, pause_seconds=pause)
        result = _report(_settle(run, attempt, shop), claimed, shop, run)
        if result.outcome != INTERRUPTED:
            return result
    raise HandBackError(result.reason)


def _leave(result: Result, request: GenerationRequest, shop: Workshop, place: Place | None) -> Result:
    if place is not None:
        shop.quota.cancel(place)
    return _report(result, request, shop)


def _wait_for_room(request: GenerationRequest, shop: Workshop) -> Place | None:
    """A place for what nobody waits for, as soon as callers leave one.

    Waited for outside of any lease: a caller who asks the same meanwhile is served before.
    """
    topic = shop.store.read_topic(request.topic or topic_of(request.key))
    item = shop.store.read_answer(request.key) if request.key else None
    if topic is None or not topic.model_id or (request.key and item is None):
        return None  # the claim, or the run, says why
    question, language = (item.question, item.language) if item else (request.question, request.language)
    prompt = build_prompt(topic, _load_documents(topic, shop), question=question, language=language)
    for _ in range(PREWARM_TRIES):
        try:
            return shop.quota.reserve(prompt, patience_ms=0, is_live=False)
        except NoRoomError as error:
            reason = error.reason
            if shop.is_stopping():
                break
            shop.pause(PREWARM_PAUSE_SECONDS)
    raise HandBackError(reason)


def _load_documents(topic: TopicItem, shop: Workshop) -> list[Document]:
    try:
        return shop.documents.load(topic.documents)
    except ModelError:
        return []  # they only count here; the run says what is wrong with them


def _is_too_late(request: GenerationRequest, shop: Workshop) -> bool:
    return 0 < request.deadline < shop.now_ms()


def _claim(request: GenerationRequest, shop: Workshop) -> GenerationRequest | Result:
    """A bare question, to be warmed: asked as a caller would, for everyone, or for those who approve.

    One that is PENDING already may be this message's own work, delivered again: whether another has it, the start will tell.
    """
    topic = shop.store.read_topic(request.topic)
    asked = _identify(request, topic) if topic else None
    if topic is None or asked is None:
        return Result("refused", reason="not_shared")
    found = shop.store.ask(asked, topic=topic, seen=shop.store.read_answer(asked.key), now_ms=shop.now_ms())
    if found.outcome == HIT:
        return Result("duplicate", asked.key)
    if found.outcome == REFUSED:
        return Result("refused", asked.key, found.item.reason)
    return replace(request, key=asked.key, epoch=found.item.epoch)


def _identify(request: GenerationRequest, topic: TopicItem) -> AskedQuestion | None:
    """The question under its key, if everyone may hear the answer."""
    offered = topic.languages()
    language = choose_language(request.language or next(iter(offered), ""), offered=offered)
    if not (topic.enabled and topic.sharing == EVERYONE and language) or find_personal(request.question):
        return None
    try:
        return identify_question(
            request.question,
            topic=topic.name,
            language=language,
            sharing=DRAFT if topic.needs_approval else EVERYONE,
            caller="",
            contact_id="",
        )
    except QuestionError:
        return None


def _settle(run: Run, attempt: Attempt, shop: Workshop) -> Result:
    """What a run comes to. After an interrupted one the lease is free again, so that another run can start afresh."""
    try:
        with shop.leases.hold(run.lease):
            result = _generate(run, attempt, shop)
            if result.outcome != INTERRUPTED:
                return result
            if attempt.is_final or _is_too_late(attempt.request, shop):
                return _fail(run, shop, result.reason)
            shop.pause(attempt.pause_seconds)
        release_run(run, shop)
    except FencedError:
        return Result("fenced", run.item.key)
    return result


def _generate(run: Run, attempt: Attempt, shop: Workshop) -> Result:
    try:
        until_ms = attempt.request.deadline or shop.now_ms() + PATIENCE_MS
        models = _order_models(run.topic, is_first=attempt.is_first)
        stream_answer(run, shop, model_ids=models, until_ms=until_ms, is_live=attempt.is_live)
        finish_run(run, shop)
    except PermanentModelError as error:
        return _fail(run, shop, error.reason)
    except NoRoomError as error:
        return _fail(run, shop, error.reason) if attempt.is_live else Result(INTERRUPTED, run.item.key, error.reason)
    except RetryableModelError as error:
        return Result(INTERRUPTED, run.item.key, error.reason)
    except (FencedError, StoreError):
        raise
    except Exception:
        # Else callers would wait for what cannot come, and every redelivery would be paid for.
        _report(_fail(run, shop, "worker_failed"), attempt.request, shop, run)
        raise
    return Result("answered", run.item.key)


def _order_models(topic: TopicItem, *, is_first: bool) -> list[str]:
    """The topic's model before its fallback; the other way round once a run has been interrupted."""
    models = [model_id for model_id in (topic.model_id, topic.fallback_model_id) if model_id]
    return models if is_first else models[::-1]


def _fail(run: Run, shop: Workshop, reason: str) -> Result:
    fail_run(run, shop, reason)
    return Result("failed", run.item.key, reason)


def _report(result: Result, request: GenerationRequest, shop: Workshop, run: Run | None = None) -> Result:
    """One line for each run, and for each request that came to none: ids and numbers, never words."""
    log_event(
        "generation",
        outcome=result.outcome,
        reason=result.reason,
        key=result.key,
        epoch=request.epoch,
        topic=topic_of(result.key) or request.topic,
        contact_id=request.contact_id,
        **(measure_run(run, shop) if run else {}),
    )
    return result


__all__ = ["HandBackError", "Result", "Workshop", "answer_question"]
