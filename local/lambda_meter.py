"""What the functions' invocations amounted to, and what they would have cost in GB-seconds."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from local.sandbox import Function, Result

KEPT_DURATIONS = 100_000


@dataclass(frozen=True, slots=True)
class FunctionStats:
    """One function's account since the service started; durations in the order of their ends, without initialisation."""

    invocations: int = 0
    errors: int = 0
    throttles: int = 0
    cold_starts: int = 0
    gb_seconds: float = 0.0
    durations_ms: tuple[float, ...] = field(default=(), repr=False)


class Meter:
    """Counts from many threads."""

    def __init__(self, functions: Iterable[Function]) -> None:
        self._lock = threading.Lock()
        self._stats = {function.name: FunctionStats() for function in functions}
        self._durations = {name: deque[float](maxlen=KEPT_DURATIONS) for name in self._stats}

    def count_result(self, function: Function, result: Result) -> None:
        """Counts an invocation."""
        with self._lock:
            old = self._stats[function.name]
            self._durations[function.name].append(result.duration_ms)
            self._stats[function.name] = replace(
                old,
                invocations=old.invocations + 1,
                errors=old.errors + result.is_error,
                cold_starts=old.cold_starts + bool(result.init_ms),
                gb_seconds=old.gb_seconds + bill(function, result),
            )

    def count_throttle(self, function: Function) -> None:
        """Counts an invocation that was refused."""
        with self._lock:
            old = self._stats[function.name]
            self._stats[function.name] = replace(old, throttles=old.throttles + 1)

    def read(self) -> dict[str, FunctionStats]:
        """Each function's account by its name."""
        with self._lock:
            return {
                name: replace(stats, durations_ms=tuple(self._durations[name])) for name, stats in self._stats.items()
            }


def bill(function: Function, result: Result) -> float:
    """GB-seconds as AWS bills them: whole milliseconds, the initialisation included (since August 2025)."""
    milliseconds = math.ceil(result.duration_ms) + math.ceil(result.init_ms)
    return milliseconds / 1000 * function.memory_mb / 1024
