"""Virtual time: whoever waits is woken at the right moment, and no real time passes.

Several pieces of work share the clock: a flow, its Lambdas, a model. Each has a thread, but only one runs at any moment:
it goes on until it waits, and then hands over to whoever is due next. So everything happens in one order, always the
same, and a call of 20 s takes as long as its computing does.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from collections.abc import Callable
from types import TracebackType

START_MS = 1_800_000_000_000
# How long, in virtual seconds, work that outlives its call may go on when the clock is closed
CLOSING_SECONDS = 3_600.0
_US = 1_000_000


class StuckError(Exception):
    """Everybody waits, and nothing will ever happen."""


class _Sleeper:
    """Somebody who waits: until when in microseconds, for what, and the gate to open then."""

    __slots__ = ("gate", "is_stuck", "number", "until", "wake_us")

    def __init__(
        self, wake_us: float, number: int, until: Callable[[], bool] | None, gate: threading.Lock | None = None
    ) -> None:
        self.wake_us, self.number, self.until = wake_us, number, until
        self.is_stuck = False
        self.gate = gate or _make_gate()


def _make_gate() -> threading.Lock:
    gate = threading.Lock()
    gate.acquire()
    return gate


class _Worker:
    """A thread that does one piece of work after another, each when its gate is opened; None ends it."""

    def __init__(self, run: Callable[[_Worker], None]) -> None:
        self.gate = _make_gate()
        self.work: Callable[[], None] | None = None
        threading.Thread(target=run, args=(self,), daemon=True).start()


class VirtualClock:
    """A clock that stands still while anybody works. Use it as a context, so that all work on it comes to an end."""

    def __init__(self, *, start_ms: int = START_MS) -> None:
        self._now_us = start_ms * 1000
        self._numbers = itertools.count()
        self._sleepers: list[_Sleeper] = []
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._working = 0
        self._idle: list[_Worker] = []
        self._failures: list[BaseException] = []
        self._owner = threading.get_ident()

    def __enter__(self) -> VirtualClock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wait(CLOSING_SECONDS, until=lambda: not self._working)
        for worker in self._idle:
            worker.work = None
            worker.gate.release()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now_us / _US

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return self._now_us // 1000

    def sleep(self, seconds: float) -> None:
        """Lets virtual time pass."""
        self._pause(_Sleeper(self._now_us + max(0, round(seconds * _US)), next(self._numbers), None))

    def wait(self, seconds: float, *, until: Callable[[], bool]) -> None:
        """Lets virtual time pass, but no longer than until the condition holds; StuckError when it never will."""
        if until():
            return
        wake = math.inf if math.isinf(seconds) else self._now_us + max(0, round(seconds * _US))
        self._pause(_Sleeper(wake, next(self._numbers), until))

    def start(self, work: Callable[[], None]) -> None:
        """Runs the work beside, beginning when whoever runs now waits."""
        worker = self._idle.pop() if self._idle else _Worker(self._work)
        worker.work = work
        self._sleepers.append(_Sleeper(self._now_us, next(self._numbers), None, worker.gate))
        self._working += 1

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Does something that many seconds from now."""
        heapq.heappush(self._timers, (self._now_us + max(0, round(seconds * _US)), next(self._numbers), action))

    def _work(self, worker: _Worker) -> None:
        while True:
            worker.gate.acquire()
            if worker.work is None:
                return
            try:
                worker.work()
            except BaseException as error:  # noqa: BLE001 - it is raised where somebody can see it
                self._failures.append(error)
            self._working -= 1
            self._idle.append(worker)
            self._find_next().gate.release()

    def _pause(self, sleeper: _Sleeper) -> None:
        self._sleepers.append(sleeper)
        following = self._find_next()
        if following is not sleeper:
            following.gate.release()
            sleeper.gate.acquire()
        if self._failures and threading.get_ident() == self._owner:
            raise self._failures.pop(0)
        if sleeper.is_stuck:
            raise StuckError("everybody waits, and nothing will ever happen")

    def _find_next(self) -> _Sleeper:
        """Moves time on until somebody is due, and takes them off the list."""
        while True:
            for sleeper in self._sleepers:
                if sleeper.until is not None and sleeper.until():
                    self._sleepers.remove(sleeper)
                    return sleeper
            first = min(self._sleepers, key=lambda s: (s.wake_us, s.number))
            if self._timers and self._timers[0][:2] < (first.wake_us, first.number):
                self._run_timer()
                continue
            self._sleepers.remove(first)
            if math.isinf(first.wake_us):
                first.is_stuck = True
            else:
                self._now_us = max(self._now_us, int(first.wake_us))
            return first

    def _run_timer(self) -> None:
        due, _, action = heapq.heappop(self._timers)
        self._now_us = max(self._now_us, due)
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody can see it
            self._failures.append(error)
