"""What all processes count together, in DynamoDB: models' quotas and breakers, and how much is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, fields

from connectgenai.wire.capacity import ModelCapacity
from connectgenai.wire.items import Attributes, from_value
from connectgenai.wire.table import RefusedError, StoreError, Table, Value

_FIELDS = frozenset(field.name for field in fields(ModelCapacity))
_TRIES = 20
_KEEP_SECONDS = 3600


class LimitStore:
    """The items of models and of counted asks, in the table of answers. StoreError when DynamoDB cannot serve."""

    def __init__(self, table: Table) -> None:
        self._table = table

    # -- models

    def read_capacity(self, model_id: str) -> ModelCapacity:
        """The model's item as it was a moment ago; one without limits when there is none."""
        return _capacity(model_id, self._table.read(_model_pk(model_id), consistent=False))

    def change_capacity(self, seen: ModelCapacity, change: Callable[[ModelCapacity], ModelCapacity]) -> ModelCapacity:
        """Writes what `change` makes of the item as it is, begun with as it was seen; whatever it raises ends the try.

        Of many processes each writes in its turn: when the item is another meanwhile, `change` is asked again.
        """
        for _ in range(_TRIES):
            wanted = change(seen)
            if wanted == seen:
                return seen
            try:
                return self._write(seen, wanted)
            except RefusedError as refused:
                seen = _capacity(seen.model_id, refused.current)
        raise StoreError("the model's item changes too fast", retryable=True)

    def publish_limits(self, limits: ModelCapacity) -> None:
        """Sets the model's quota; what is spoken for of it stays, and so does the breaker."""
        sets: dict[str, Value] = {
            name: getattr(limits, name)
            for name in ("model_id", "requests_per_minute", "tokens_per_minute", "output_weight")
        }
        count = "#version = if_not_exists(#version, :zero) + :one"
        self._table.update(_model_pk(limits.model_id), sets, clauses=[count])

    def _write(self, seen: ModelCapacity, wanted: ModelCapacity) -> ModelCapacity:
        sets = {name: value for name, value in asdict(wanted).items() if value != getattr(seen, name)}
        written = self._table.update(
            _model_pk(seen.model_id),
            {**sets, "model_id": seen.model_id, "version": seen.version + 1},
            condition="#version = :seen" if seen.version else "attribute_not_exists(pk)",
            values={"seen": seen.version} if seen.version else {},
        )
        return _capacity(seen.model_id, written)

    # -- asks

    def count_ask(self, name: str, *, limit: int, window_seconds: int, now_ms: int) -> bool:
        """Counts one more ask in this window of time; whether it is within the limit. One write, and no read."""
        window = now_ms // 1000 // window_seconds
        counted = self._table.update(
            f"L#{name}#{window}",
            {"purge_at": (window + 1) * window_seconds + _KEEP_SECONDS},
            clauses=["#asks = if_not_exists(#asks, :zero) + :one"],
        )
        return int(from_value(counted["asks"])) <= limit


def caller_count(topic: str, caller: str) -> str:
    """The name of the counter of one caller's asks; a digest, since counters are left to DynamoDB's TTL to delete."""
    return f"{topic}#{hashlib.sha256(caller.encode()).hexdigest()[:24]}"


def _capacity(model_id: str, attributes: Attributes | None) -> ModelCapacity:
    plain = {name: from_value(value) for name, value in (attributes or {}).items() if name in _FIELDS}
    return ModelCapacity(**{**plain, "model_id": model_id})


def _model_pk(model_id: str) -> str:
    return f"M#{model_id}"
