"""The worker's side of back-pressure: a place in the model's quota before each request, and its breaker after it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from connectgenai.wire.capacity import (
    ModelCapacity,
    begin_trial,
    close_breaker,
    open_breaker,
    take,
    wait_ms,
)
from connectgenai.wire.limits import LimitStore
from connectgenai.wire.log import log_event
from connectgenai.wire.store import StoreError, Usage
from jobs.bedrock import ModelError, PermanentModelError, RetryableModelError

# What says that the model, or our way to it, is down; one question's own failure says nothing of the next one's
BREAKING = ("model_busy", "model_timeout", "network", "cut_off", "access_denied")
FAILURES_TO_OPEN = 5
THROTTLED_MS = 2_000  # others use the account's quota too: what Bedrock refuses makes all wait a little
CHARACTERS_PER_TOKEN = 4  # Bedrock's own rule of thumb for English
_GOOD_FOR_MS = 1_000
_QUEUE_WORTH_TELLING_MS = 2_000


class NoRoomError(Exception):
    """The model takes no request before `wait_ms` have passed; `reason` is `busy` or `model_down`."""

    def __init__(self, reason: str, *, wait_ms: int) -> None:
        super().__init__(reason)
        self.reason, self.wait_ms = reason, wait_ms


@dataclass(frozen=True, slots=True)
class Place:
    """A reserved request: it may begin after `wait_ms`, and has paid for `tokens`, of which `input_tokens` are read for sure."""

    model_id: str
    wait_ms: int = 0
    tokens: int = 0
    input_tokens: int = 0
    is_trial: bool = False


@dataclass(slots=True)
class Quota:
    """All models' quotas as this process sees them; safe to use from many threads.

    Without DynamoDB nothing is limited here: Bedrock's own refusals then are what is left.
    """

    limits: LimitStore
    now_ms: Callable[[], int]
    _read: dict[str, tuple[int, ModelCapacity]] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)
    _queue_told: dict[str, tuple[int, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reserve(self, prompt: Mapping[str, Any], *, patience_ms: int, is_live: bool) -> Place:
        """A place for this request of the Converse API within its patience; NoRoomError says how long it would take.

        Callers queue in the order of their asking. Pre-warming never queues: it takes what callers leave.
        """
        model_id, input_tokens = prompt["modelId"], estimate_tokens(prompt)
        output_tokens = prompt["inferenceConfig"]["maxTokens"]
        place = Place(model_id, input_tokens=input_tokens)

        def reserve(capacity: ModelCapacity) -> ModelCapacity:
            nonlocal place
            now = self.now_ms()
            if capacity.is_open(now_ms=now):
                raise NoRoomError("model_down", wait_ms=capacity.open_until - now)
            tokens = capacity.weigh(input_tokens=input_tokens, output_tokens=output_tokens)
            wait = wait_ms(capacity, tokens=tokens, now_ms=now, is_live=is_live)
            if wait > (patience_ms if is_live else 0):
                raise NoRoomError("busy", wait_ms=wait)
            place = replace(
                place,
                wait_ms=wait,
                tokens=tokens if capacity.is_limited else 0,
                is_trial=capacity.openings > 0,
            )
            taken = take(capacity, tokens=tokens, now_ms=now)
            return begin_trial(taken, now_ms=now + wait) if place.is_trial else taken

        self._change(model_id, reserve)
        return place

    def settle(self, place: Place, usage: Usage | None) -> None:
        """Gives back what was reserved and not used: Bedrock counts the longest possible answer only until the real one ends."""
        if place.tokens:
            self._change(place.model_id, lambda capacity: _give_back(capacity, place, usage, self.now_ms()))

    def cancel(self, place: Place) -> None:
        """Gives the whole place back: the model was not asked."""
        if place.tokens:
            self._change(
                place.model_id, lambda found: take(found, tokens=-place.tokens, requests=-1, now_ms=self.now_ms())
            )

    @contextmanager
    def watching(self, place: Place) -> Generator[None, None, None]:
        """Tells the breaker how the request inside the `with` statement ends."""
        try:
            yield
        except (RetryableModelError, PermanentModelError) as error:
            self._note_failure(place, error)
            raise
        self._note_answer(place)

    def note_queue(self, model_id: str, *, waited_ms: int) -> None:
        """Tells the Producer how long the request that begins now had waited for a worker; at most once a second."""
        now = self.now_ms()
        told_at, told_ms = self._queue_told.get(model_id, (0, 0))
        if max(waited_ms, told_ms) < _QUEUE_WORTH_TELLING_MS or now - told_at < _GOOD_FOR_MS:
            return
        self._queue_told[model_id] = now, waited_ms
        self._change(model_id, lambda found: replace(found, queue_ms=max(waited_ms, 0), queue_seen_at=now))

    def _note_failure(self, place: Place, error: ModelError) -> None:
        if error.reason == "throttled":
            self._change(place.model_id, lambda found: _hold_up(found, self.now_ms()))
        elif error.reason not in BREAKING:  # the model works: it is this question that failed
            self._note_answer(place)
        elif self._count_failure(place.model_id) >= FAILURES_TO_OPEN or place.is_trial:
            self._open(place, error.reason)

    def _count_failure(self, model_id: str) -> int:
        with self._lock:
            self._failures[model_id] = self._failures.get(model_id, 0) + 1
            return self._failures[model_id]

    def _open(self, place: Place, reason: str) -> None:
        """Opens the breaker; requests that were under way when another opened it must not do so again."""
        now = self.now_ms()

        def open_once(capacity: ModelCapacity) -> ModelCapacity:
            is_done = capacity.openings > 0 and not place.is_trial
            return capacity if is_done else open_breaker(capacity, reason=reason, now_ms=now)

        with self._lock:
            self._failures[place.model_id] = 0
        opened = self._change(place.model_id, open_once)
        log_event("breaker_opened", model=place.model_id, reason=reason, ms=opened.open_until - now)

    def _note_answer(self, place: Place) -> None:
        with self._lock:
            self._failures[place.model_id] = 0
        if self._seen(place.model_id).openings:
            self._change(place.model_id, close_breaker)
            log_event("breaker_closed", model=place.model_id)

    def _seen(self, model_id: str) -> ModelCapacity:
        return self._read.get(model_id, (0, ModelCapacity(model_id)))[1]

    def _change(self, model_id: str, change: Callable[[ModelCapacity], ModelCapacity]) -> ModelCapacity:
        try:
            after = self.limits.change_capacity(self._look(model_id), change)
        except StoreError as error:
            log_event("quota_unknown", model=model_id, reason=str(error))
            return self._seen(model_id)
        self._read[model_id] = self.now_ms(), after
        return after

    def _look(self, model_id: str) -> ModelCapacity:
        """The model's item, at most a second old; whoever writes learns of a newer one by being refused."""
        read_at, capacity = self._read.get(model_id, (0, None))
        if capacity is None or not 0 <= self.now_ms() - read_at < _GOOD_FOR_MS:
            capacity = self.limits.read_capacity(model_id)
            self._read[model_id] = self.now_ms(), capacity
        return capacity


def estimate_tokens(prompt: Mapping[str, Any]) -> int:
    """About how many tokens a request of the Converse API reads."""
    blocks = [*prompt.get("system", ()), *(block for m in prompt["messages"] for block in m["content"])]
    return sum(len(block.get("text", "")) for block in blocks) // CHARACTERS_PER_TOKEN + 1


def _give_back(capacity: ModelCapacity, place: Place, usage: Usage | None, now_ms: int) -> ModelCapacity:
    used = usage or Usage(input_tokens=place.input_tokens)
    spent = capacity.weigh(input_tokens=used.input_tokens, output_tokens=used.output_tokens)
    return take(capacity, tokens=spent - place.tokens, requests=0, now_ms=now_ms)


def _hold_up(capacity: ModelCapacity, now_ms: int) -> ModelCapacity:
    if not capacity.is_limited:
        return capacity
    return replace(
        capacity,
        requests_full_at=max(capacity.requests_full_at, now_ms) + THROTTLED_MS,
        tokens_full_at=max(capacity.tokens_full_at, now_ms) + THROTTLED_MS,
    )
