"""What a model can take now: a token bucket on requests and tokens per minute, and a circuit breaker. No I/O.

The bucket is kept as two moments (the generic cell rate algorithm, ATM Forum 4.0): when it would be full again if nothing
more were taken. Whoever takes more than is there pushes the moment into the future, which reserves a place in the queue.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

# Of a minute's quota this part may be taken at once and the rest flows steadily, so that no minute sees more than the quota
BURST_SHARE = 0.2
PREWARM_SHARE = 0.5  # of what may be taken at once, pre-warming leaves the other half to callers
QUEUE_MEMORY_MS = 15_000
BREAK_MS, LONGEST_BREAK_MS, PROBE_MS = 15_000, 240_000, 20_000


@dataclass(frozen=True, slots=True)
class ModelCapacity:
    """One model's quota and how much of it is spoken for; times are epoch milliseconds, 0 per minute does not limit."""

    model_id: str
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    output_weight: int = 1
    requests_full_at: int = 0
    tokens_full_at: int = 0
    open_until: int = 0  # the breaker's
    openings: int = 0  # how often it has opened since the model last answered
    open_reason: str = ""
    queue_ms: int = 0  # how long the request that began last had waited for a worker
    queue_seen_at: int = 0
    version: int = 0

    @property
    def is_limited(self) -> bool:
        """Whether there is a quota to keep."""
        return bool(self.requests_per_minute or self.tokens_per_minute)

    def weigh(self, *, input_tokens: int, output_tokens: int) -> int:
        """How many tokens of the quota a generation counts."""
        return input_tokens + self.output_weight * output_tokens

    def is_open(self, *, now_ms: int) -> bool:
        """Whether the breaker keeps requests from the model."""
        return now_ms < self.open_until


def wait_ms(capacity: ModelCapacity, *, tokens: int, now_ms: int, is_live: bool = True) -> int:
    """How long until the bucket holds what a request needs; pre-warming also has to leave callers their share."""
    share = 1.0 if is_live else PREWARM_SHARE
    requests = _wait(capacity.requests_per_minute, capacity.requests_full_at, 1, now_ms, share)
    return max(requests, _wait(capacity.tokens_per_minute, capacity.tokens_full_at, tokens, now_ms, share))


def take(capacity: ModelCapacity, *, tokens: int, now_ms: int, requests: int = 1) -> ModelCapacity:
    """The bucket without what a request needs; negative numbers give back."""
    return replace(
        capacity,
        requests_full_at=_push(capacity.requests_per_minute, capacity.requests_full_at, requests, now_ms),
        tokens_full_at=_push(capacity.tokens_per_minute, capacity.tokens_full_at, tokens, now_ms),
    )


def expected_wait_ms(capacity: ModelCapacity, *, tokens: int, now_ms: int) -> int:
    """How long a question asked now waits until the model begins: the longest of the bucket, the breaker and the workers' queue."""
    is_queue_known = now_ms - capacity.queue_seen_at < QUEUE_MEMORY_MS
    return max(
        wait_ms(capacity, tokens=tokens, now_ms=now_ms),
        capacity.open_until - now_ms,
        capacity.queue_ms if is_queue_known else 0,
        0,
    )


def open_breaker(capacity: ModelCapacity, *, reason: str, now_ms: int) -> ModelCapacity:
    """Keeps requests away for 15 s, and each time that the next trial fails for twice as long, up to 4 minutes."""
    pause = min(BREAK_MS * 2**capacity.openings, LONGEST_BREAK_MS)
    return replace(capacity, open_until=now_ms + pause, openings=min(capacity.openings + 1, 10), open_reason=reason)


def begin_trial(capacity: ModelCapacity, *, now_ms: int) -> ModelCapacity:
    """Lets one request through after the pause: the others stay away until it has ended, or 20 s."""
    return replace(capacity, open_until=now_ms + PROBE_MS)


def close_breaker(capacity: ModelCapacity) -> ModelCapacity:
    """The model has answered."""
    return replace(capacity, open_until=0, openings=0, open_reason="")


def _wait(per_minute: int, full_at: int, needed: int, now_ms: int, share: float) -> int:
    if not per_minute:
        return 0
    burst, rate = _shape(per_minute)
    burst *= share
    missing = max(full_at - now_ms, 0) * rate + min(needed, burst) - burst  # a large one takes a full bucket, and more
    return max(math.ceil(missing / rate), 0)


def _push(per_minute: int, full_at: int, taken: int, now_ms: int) -> int:
    if not per_minute:
        return 0
    return max(full_at, now_ms) + math.ceil(taken / _shape(per_minute)[1])


def _shape(per_minute: int) -> tuple[float, float]:
    """What may be taken at once, and what flows in a millisecond."""
    burst = max(per_minute * BURST_SHARE, 1.0)
    return burst, max(per_minute - burst, per_minute / 2) / 60_000
