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
    """The time of this machine, or a multiple of it: at speed 4 a call of 20 s takes 5 s."""

    def __init__(self, *, speed: float = 1.0) -> None:
        self._speed = speed
        self._began, self._zero = time.time(), time.monotonic()
        self._changed = threading.Condition()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._began + (time.monotonic() - self._zero) * self._speed

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return round(self.now() * 1000)

    def sleep(self, seconds: float) -> None:
        """Sleeps, faster where the clock is."""
        time.sleep(max(0.0, seconds) / self._speed)

    def wait(self, seconds: float, *, until: Callable[[], bool]) -> None:
        """Looks at the condition now and then, and whenever some work has ended."""
        deadline = self.now() + seconds
        with self._changed:
            while not until():
                left = deadline - self.now()
                if left <= 0:
                    return
                self._changed.wait(min(left / self._speed, LOOK_EVERY_SECONDS))

    def start(self, work: Callable[[], None]) -> None:
        """Runs the work in a thread, which does not keep the process alive."""
        threading.Thread(target=self._work, args=(work,), daemon=True).start()

    def _work(self, work: Callable[[], None]) -> None:
        work()
        with self._changed:
            self._changed.notify_all()

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Does it in a thread of its own."""
        timer = threading.Timer(max(0.0, seconds) / self._speed, self._work, args=(action,))
        timer.daemon = True
        timer.start()
