"""What time is to a call: the contract that virtual and real time both keep."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

# How often a real clock looks whether what is waited for has happened, unless it is woken: a key, a hang-up, a reply.
LOOK_EVERY_SECONDS = 0.02


class Clock(Protocol):
    """Time in which a call runs. Seconds are those of the call, which need not be those of this machine."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def now_ms(self) -> int:
        """The same in milliseconds, as Lambdas want it."""

    def sleep(self, seconds: float) -> None:
        """Lets time pass."""

    def wait(self, seconds: float, *, until: Callable[[], bool]) -> None:
        """Lets time pass, but no longer than until the condition holds."""

    def start(self, work: Callable[[], None]) -> None:
        """Runs something beside, which may sleep and wait on this clock; it must not raise."""

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Does something short, that many seconds from now; it must neither wait nor raise."""


class RealClock:
    """The time of this machine; at speed 4 what is played takes a quarter of its time.

    While a Lambda runs it goes at this machine's pace at any speed: Lambdas, their limits and their waits are real.
    """

    def __init__(self, *, speed: float = 1.0) -> None:
        self._speed, self._running = speed, 0
        self._now, self._seen = time.time(), time.monotonic()
        self._changed = threading.Condition()

    def now(self) -> float:
        """Seconds since the epoch."""
        with self._changed:
            return self._look()

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return round(self.now() * 1000)

    def _look(self) -> float:
        seen = time.monotonic()
        self._now += (seen - self._seen) * self._pace
        self._seen = seen
        return self._now

    @property
    def _pace(self) -> float:
        return 1.0 if self._running else self._speed

    def sleep(self, seconds: float) -> None:
        """Sleeps, shorter where the clock is faster."""
        self.wait(seconds, until=lambda: False)

    def wait(self, seconds: float, *, until: Callable[[], bool]) -> None:
        """Looks at the condition now and then, and whenever some work has ended."""
        deadline = self.now() + seconds
        with self._changed:
            while not until():
                left = deadline - self._look()
                if left <= 0:
                    return
                self._changed.wait(min(left / self._pace, LOOK_EVERY_SECONDS))

    def start(self, work: Callable[[], None]) -> None:
        """Runs the work in a thread, which does not keep the process alive."""
        self._count(1)
        threading.Thread(target=self._work, args=(work,), daemon=True).start()

    def _work(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        with self._changed:
            self._look()
            self._running += more
            self._changed.notify_all()

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Does it in a thread of its own."""

        def act() -> None:
            self.sleep(seconds)
            action()

        threading.Thread(target=act, daemon=True).start()
