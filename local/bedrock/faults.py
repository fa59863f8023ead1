"""What goes wrong, on demand: faults that tests, demonstrations and drills switch on and off while the server runs."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.bedrock.errors import BedrockError

# Bedrock's errors before a reply begins (API reference, Converse).
REFUSALS: dict[str, tuple[int, str, str]] = {
    "throttle": (429, "ThrottlingException", "Too many requests, please wait before trying again."),
    "service_unavailable": (503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
    "internal": (
        500,
        "InternalServerException",
        "The system encountered an unexpected error during processing. Try your request again.",
    ),
    "model_timeout": (
        408,
        "ModelTimeoutException",
        "Model has timed out in processing the request. Try your request again.",
    ),
    "model_not_ready": (
        429,
        "ModelNotReadyException",
        "Model is not ready for inference. Wait and try your request again.",
    ),
    "validation": (400, "ValidationException", "The request is not valid."),
    "access_denied": (403, "AccessDeniedException", "You don't have access to the model with the specified model ID."),
}
# Replies that look like a success and are none, by their stop reason.
ENDINGS = {
    "max_tokens": "max_tokens",
    "guardrail": "guardrail_intervened",
    "content_filtered": "content_filtered",
    "empty": "end_turn",
}
# Streams that end in their middle. (`stall` says nothing more and keeps the connection open.)
EXCEPTIONS = {
    "exception_event": (
        "modelStreamErrorException",
        "The model stopped with an error while it answered. Try your request again.",
    ),
    "throttle_event": (
        "throttlingException",
        "Your request was throttled while it was answered. Try your request again.",
    ),
}
CUTS = {"clean_cut", "broken_frame", "stall", *EXCEPTIONS}
KINDS = {*REFUSALS, *ENDINGS, *CUTS, "hang", "slow_start"}
OPERATIONS = ("converse", "converse-stream", "count-tokens", "invoke")


class FaultError(ValueError):
    """A fault's description is wrong; the message says how."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong: how often, how many times at most, and for which questions."""

    kind: str
    rate: float = 1.0
    times: int | None = None
    match: str = ""
    seed: int | None = None
    seconds: float = 10.0  # of a slow start
    operations: tuple[str, ...] = ("converse", "converse-stream")
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - faults, not secrets

    def strikes(self, *, operation: str, question: str) -> bool:
        """Whether this request is hit; counts it when it is."""
        if operation not in self.operations or self.match.casefold() not in question.casefold() or self.times == 0:
            return False
        if self._random.random() >= self.rate:
            return False
        self.times = None if self.times is None else self.times - 1
        return True


class FaultBoard:
    """The faults that are switched on; of several that would strike, the first one does."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = list(faults)
        self._lock = threading.Lock()

    def replace(self, faults: Iterable[Fault]) -> None:
        """Switches these faults on and all others off."""
        with self._lock:
            self._faults = list(faults)

    def pick(self, *, operation: str, question: str) -> Fault | None:
        """The fault for this request, if any."""
        with self._lock:
            return next((f for f in self._faults if f.strikes(operation=operation, question=question)), None)


def refuse(fault: Fault | None) -> None:
    """Raises the error that the fault stands for, when it is one of those."""
    if fault is not None and fault.kind in REFUSALS:
        status, code, message = REFUSALS[fault.kind]
        raise BedrockError(code, message, status=status)


def refuse_cut(fault: Fault) -> None:
    """Raises what a fault within a stream amounts to for a reply that is not streamed."""
    if fault.kind == "exception_event":
        raise BedrockError("ModelErrorException", EXCEPTIONS[fault.kind][1], status=424)
    if fault.kind == "throttle_event":
        raise BedrockError("ThrottlingException", EXCEPTIONS[fault.kind][1], status=429)


def parse_faults(specs: Any) -> list[Fault]:
    """Faults from a list of JSON objects such as `{"kind": "throttle", "rate": 0.2}`. Raises FaultError."""
    if isinstance(specs, Mapping):
        specs = specs.get("faults")
    if not isinstance(specs, list):
        raise FaultError('Faults are a list of objects such as {"kind": "throttle", "rate": 0.2}.')
    return [_parse_fault(spec) for spec in specs]


def _parse_fault(spec: Any) -> Fault:
    if not isinstance(spec, Mapping) or str(spec.get("kind")) not in KINDS:
        raise FaultError(f"A fault's kind is one of {', '.join(sorted(KINDS))}.")
    checks = {
        "rate": _is_rate,
        "times": _is_count,
        "match": _is_text,
        "seed": _is_count,
        "seconds": _is_seconds,
        "operations": _is_operations,
    }
    for name, value in spec.items():
        if name != "kind" and value is not None and not checks.get(name, _is_unknown)(value):
            raise FaultError(f"A fault's {name} cannot be {value!r}.")
    given = {name: value for name, value in spec.items() if value is not None}
    return Fault(**{**given, **({"operations": tuple(given["operations"])} if "operations" in given else {})})


def _is_rate(value: Any) -> bool:
    return _is_seconds(value) and value <= 1


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_operations(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(name in OPERATIONS for name in value)


def _is_unknown(_value: Any) -> bool:
    return False
