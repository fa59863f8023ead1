"""The product's own Lambdas with a model by script, on a call's clock: what answers a flow when nobody has telephoned.

The Lambdas' code and the answer protocol are the real ones; only the worker is played, by `Model`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectgenai.wire.answering import AnswerDesk
from connectgenai.wire.items import AnswerItem, TopicItem
from connectgenai.wire.question import identify_question
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import LEASE_MS, AnswerStore, FencedError, Usage
from connectgenai.wire.waiting import WaitPolicy, policies_to_json
from flows.runner.clock import Clock
from flows.runner.lambdas import find_function_name

PRODUCER, CONSUMER = "connectgenai-producer", "connectgenai-consumer"
# The number of a caller who hears nobody else's answers is hashed with this
CALLER_KEYS: Final = (("k1", b"a-key-for-calls-without-a-phone"),)
# What a message needs to reach a worker, and a worker to begin
QUEUE_SECONDS: Final = 0.05
REMEMBER_SECONDS: Final = 30
TTL_SECONDS: Final = 86_400
LONG_LEASE_MS: Final = 3_600_000
# A function may well reply None
NO_REPLY: Final = object()


@dataclass(frozen=True, slots=True)
class Model:
    """How one generation goes; times in seconds from when it is asked for.

    The first chunk comes after `first_chunk`, each other one `every` seconds later. `fails` is the reason for which it
    ends without an answer, after the first chunk's time. `stops_after` is the number of chunks after which its worker
    dies. `is_lost`: the request never reaches a worker.
    """

    chunks: tuple[str, ...] = ("That is the answer.",)
    first_chunk: float = 2.0
    every: float = 1.0
    fails: str = ""
    stops_after: int | None = None
    is_lost: bool = False

    @property
    def is_dying(self) -> bool:
        """Whether its worker dies on the way."""
        return self.stops_after is not None


class Stage:
    """One topic, and the Producer and the Consumer over a store; the n-th request is served by the n-th model."""

    def __init__(
        self,
        store: AnswerStore,
        *,
        clock: Clock,
        topic: TopicItem,
        models: tuple[Model, ...] = (),
        latency: float = 0.05,
    ) -> None:
        self.store, self.clock, self.requests = store, clock, 0
        self.topic = store.publish_topic(topic, now_ms=clock.now_ms(), is_stale=True)
        self._models, self._latency = models or (Model(),), latency
        self.desk = AnswerDesk(
            store=store, send=self._send, caller_keys=CALLER_KEYS, now_ms=clock.now_ms, sleep=clock.sleep
        )

    def functions(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """The two Lambdas by name, each as slow as a warm one is."""
        return {
            PRODUCER: lambda event: self._serve(self.desk.ask, event),
            CONSUMER: lambda e: self._serve(self.desk.poll, e),
        }

    def _serve(self, answer: Callable[[object], Any], event: dict[str, Any]) -> Any:
        self.clock.sleep(self._latency)
        return answer(event).to_map()

    def know(self, question: str, chunks: tuple[str, ...], *, language: str) -> None:
        """Puts an answer there beforehand, as a supervisor would."""
        asked = identify_question(
            question, topic=self.topic.name, language=language, sharing="everyone", caller="", contact_id=""
        )
        self.store.publish(asked, chunks=chunks, seen_version=0, revision=self.topic.revision, ttl_seconds=TTL_SECONDS,
                           now_ms=self.clock.now_ms())  # fmt: skip

    # -- the worker

    def _send(self, request: GenerationRequest) -> None:
        model = self._models[min(self.requests, len(self._models) - 1)]
        self.requests += 1
        if not model.is_lost:
            self.clock.at(QUEUE_SECONDS, lambda: self._begin(request, model))

    def _begin(self, request: GenerationRequest, model: Model) -> None:
        token, revision = uuid.uuid4().hex, self.topic.revision
        # a worker that dies leaves a lease that lapses; one that lives renews it
        lease_ms = LEASE_MS if model.is_dying else LONG_LEASE_MS
        now = self.clock.now_ms()
        item = self.store.start(
            request.key, epoch=request.epoch, token=token, revision=revision, now_ms=now, lease_ms=lease_ms
        )
        if item is not None:
            self.clock.at(max(0.0, model.first_chunk - QUEUE_SECONDS), lambda: self._go_on(item, model, 0))

    def _go_on(self, item: AnswerItem, model: Model, index: int) -> None:
        if model.stops_after is not None and index >= model.stops_after:
            return
        try:
            self._write(item, model, index)
        except FencedError:  # it was withdrawn, edited or begun anew meanwhile
            return
        if not model.fails and index + 1 < len(model.chunks):
            self.clock.at(model.every, lambda: self._go_on(item, model, index + 1))

    def _write(self, item: AnswerItem, model: Model, index: int) -> None:
        key, epoch, token, now = item.key, item.epoch, item.token, self.clock.now_ms()
        if model.fails:
            self.store.fail(
                key, epoch=epoch, token=token, reason=model.fails, remember_seconds=REMEMBER_SECONDS, now_ms=now
            )
        elif index + 1 < len(model.chunks) or model.is_dying:
            lease_ms = LEASE_MS if model.is_dying else LONG_LEASE_MS
            chunk = model.chunks[index]
            self.store.append(key, epoch=epoch, token=token, chunk=chunk, index=index, now_ms=now, lease_ms=lease_ms)
        else:
            self.store.finish(key, epoch=epoch, token=token, chunks=model.chunks, revision=item.revision,
                              ttl_seconds=TTL_SECONDS, usage=Usage("scripted"), now_ms=now)  # fmt: skip


def make_topic(policy: WaitPolicy, *, name: str, language: str = "en-US", sharing: str = "everyone") -> TopicItem:
    """A topic in one language."""
    return TopicItem(name=name, sharing=sharing, policies=policies_to_json({language: policy}))


@dataclass(frozen=True, slots=True)
class Step:
    """What a scripted function does once, or so many `times`: it takes `seconds` longer, raises `error`, gives `reply`.

    With neither error nor reply it does its own work after that time.
    """

    seconds: float = 0.0
    error: str = ""
    reply: Any = NO_REPLY
    times: int = 1


class Script:
    """What one function does, invocation by invocation, before it works as it is.

    A function without work of its own does the last step again and again.
    """

    def __init__(self, clock: Clock, steps: Iterable[Step], work: Callable[[dict[str, Any]], Any] | None) -> None:
        self._clock, self._work = clock, work
        self._steps = [(step, step.times) for step in steps]

    def __call__(self, event: dict[str, Any]) -> Any:
        step = self._next_step()
        self._clock.sleep(step.seconds)
        if step.error:
            raise RuntimeError(step.error)
        if step.reply is not NO_REPLY:
            return step.reply
        if self._work is None:
            raise LookupError("the script has no reply for this function")
        return self._work(event)

    def _next_step(self) -> Step:
        if not self._steps:
            return Step()
        step, left = self._steps[0]
        if left > 1:
            self._steps[0] = (step, left - 1)
        elif len(self._steps) > 1 or self._work is not None:
            self._steps.pop(0)
        return step


def follow_scripts(
    functions: Mapping[str, Callable[[dict[str, Any]], Any]], scripts: Mapping[str, Iterable[Step]], *, clock: Clock
) -> dict[str, Callable[[dict[str, Any]], Any]]:
    """The functions, with those that have a script following it."""
    scripted = {
        find_function_name(name): Script(clock, steps, functions.get(find_function_name(name)))
        for name, steps in scripts.items()
    }
    return {**functions, **scripted}
