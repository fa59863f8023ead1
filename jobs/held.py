"""The messages that this worker holds: received, and neither deleted nor handed back yet."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """A received message; `until_seconds` (monotonic clock) is how long it is kept from other workers at most."""

    queue: str
    url: str
    message_id: str
    handle: str
    body: str
    until_seconds: float


@dataclass(slots=True)
class HeldMessages:
    """All of them by receipt handle; safe to use from any thread."""

    _by_handle: dict[str, HeldMessage] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, message: HeldMessage) -> None:
        """Notes that the message is held."""
        with self._lock:
            self._by_handle[message.handle] = message

    def take(self, handle: str) -> HeldMessage | None:
        """The message, which counts as held no longer; None when it does not, so that it is settled only once."""
        with self._lock:
            return self._by_handle.pop(handle, None)

    def find(self) -> list[HeldMessage]:
        """What is held at this moment."""
        with self._lock:
            return list(self._by_handle.values())
