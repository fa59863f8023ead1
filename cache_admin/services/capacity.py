"""Models' quotas: as supervisors set them, and as the workers keep them."""

from __future__ import annotations

from datetime import datetime

from cache_admin.mapping import epoch_ms
from cache_admin.models import ModelLimit
from connectgenai.wire.capacity import ModelCapacity, close_breaker, expected_wait_ms
from connectgenai.wire.store import AnswerStore


def publish_limit(limit: ModelLimit, *, store: AnswerStore) -> None:
    """Tells all workers and the Producer; StoreError leaves everything as it was."""
    store.limits.publish_limits(
        ModelCapacity(
            limit.model_id,
            requests_per_minute=limit.requests_per_minute,
            tokens_per_minute=limit.tokens_per_minute,
            output_weight=limit.output_weight,
        )
    )


def read_state(model_id: str, *, store: AnswerStore, now: datetime) -> tuple[ModelCapacity, float]:
    """The model as the workers see it, and how many seconds a new question waits for it now."""
    capacity = store.limits.read_capacity(model_id)
    return capacity, expected_wait_ms(capacity, tokens=0, now_ms=epoch_ms(now)) / 1000


def try_again(model_id: str, *, store: AnswerStore) -> None:
    """Closes the model's breaker: the next request goes to the model."""
    store.limits.change_capacity(store.limits.read_capacity(model_id), close_breaker)
