"""What the server was asked, for tests and drills that count generations."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

REMEMBERED = 20_000


@dataclass(slots=True)
class Call:
    """One request: `outcome` is open, done, left (the client went away) or an error's code."""

    operation: str
    model: str
    question: str = ""
    fault: str = ""
    outcome: str = "open"
    input_tokens: int = 0
    output_tokens: int = 0
    started_ms: int = 0
    seconds: float = 0.0


class CallLog:
    """The latest calls, the oldest first."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=REMEMBERED)
        self._lock = threading.Lock()

    def open(self, operation: str, *, model: str) -> Call:
        """Begins to remember a call; what becomes of it is written into it."""
        call = Call(operation, model, started_ms=int(time.time() * 1000))
        with self._lock:
            self._calls.append(call)
        return call

    def read(self) -> list[dict[str, Any]]:
        """All remembered calls as plain values."""
        with self._lock:
            return [asdict(call) for call in self._calls]

    def clear(self) -> None:
        """Forgets them all."""
        with self._lock:
            self._calls.clear()
