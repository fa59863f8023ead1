"""What happens around the callers: workers die and freeze, supervisors withdraw and edit, messages get lost and doubled."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from benchmarks.chaos.judge import Withdrawal
from benchmarks.chaos.plan import DOUBLE_SENDS, LOST_SENDS, Plan
from benchmarks.chaos.workers import Crew


class Supervisor(Protocol):
    """What a design lets supervisors do about a case that has been asked."""

    def withdraw(self, case: str) -> Withdrawal | None:
        """Nobody may hear the present text any more."""

    def edit(self, case: str) -> Withdrawal | None:
        """Another text in its place; None when somebody else was quicker."""


@contextmanager
def trouble(plan: Plan, crew: Crew, supervisor: Supervisor, cases: Sequence[str]) -> Iterator[list[Withdrawal]]:
    """All of it, for as long as the `with` statement lasts; what was withdrawn."""
    over, withdrawals, chance = threading.Event(), list[Withdrawal](), random.Random(plan.seed)

    def meddle() -> None:
        act = supervisor.withdraw if chance.random() < 0.6 else supervisor.edit
        with suppress(KeyError):  # nobody has asked it yet
            if done := act(chance.choice(cases)):
                withdrawals.append(done)

    jobs: list[tuple[float, Callable[[], Any]]] = [
        (plan.kill_every, crew.kill_one),
        (plan.stop_every, lambda: crew.stop_one(over)),
        (plan.meddle_every, meddle),
    ]
    threads = [threading.Thread(target=_repeat, args=(every, act, over)) for every, act in jobs if every]
    for thread in threads:
        thread.start()
    try:
        yield withdrawals
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _repeat(every: float, act: Callable[[], Any], over: threading.Event) -> None:
    while not over.wait(every):
        act()


def make_lossy(send: Callable[[Any], None], counts: dict[str, int], *, seed: int) -> Callable[[Any], None]:
    """A sender that now and then does not send, or sends twice, and says nothing of either."""
    chance, lock = random.Random(seed), threading.Lock()

    def send_or_not(request: Any) -> None:
        with lock:
            drawn = chance.random()
            kind = "lost" if drawn < LOST_SENDS else "doubled" if drawn < LOST_SENDS + DOUBLE_SENDS else ""
            if kind:
                counts[kind] = counts.get(kind, 0) + 1
        for _ in range({"lost": 0, "doubled": 2}.get(kind, 1)):
            send(request)

    return send_or_not


def timed(case: str, act: Callable[[], tuple[str, int] | None]) -> Withdrawal:
    """A withdrawal with the moments around it."""
    began = time.time()
    by = act()
    return Withdrawal(case, began, time.time(), by)
