"""What happens around the callers: workers die and freeze, supervisors withdraw and edit, messages get lost and doubled."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from benchmarks.chaos.callers import Board
from benchmarks.chaos.judge import Withdrawal
from benchmarks.chaos.plan import DOUBLE_SENDS, LOST_SENDS, ON_THE_LINE, Plan
from benchmarks.chaos.workers import Crew


class Supervisor(Protocol):
    """What a design lets supervisors do about a case that has been asked."""

    def withdraw(self, case: str) -> Withdrawal | None:
        """Nobody may hear the present text any more."""

    def edit(self, case: str) -> Withdrawal | None:
        """Another text in its place; None when somebody else was quicker."""


@contextmanager
def trouble(plan: Plan, crew: Crew, supervisor: Supervisor, board: Board) -> Iterator[list[Withdrawal]]:
    """All of it, for as long as the `with` statement lasts; what was withdrawn. Raises at its end what a meddler raised."""
    over, withdrawals, chance = threading.Event(), list[Withdrawal](), random.Random(plan.seed)

    def meddle() -> None:
        act = supervisor.withdraw if chance.random() < 0.6 else supervisor.edit
        case = choose_case(board, chance)
        with suppress(KeyError):  # the ask for it is still on its way
            if case and (done := act(case)):
                withdrawals.append(done)

    jobs: list[tuple[float, Callable[[], Any]]] = [
        (plan.kill_every, crew.kill_one),
        (plan.stop_every, lambda: crew.stop_one(over)),
        (plan.meddle_every, meddle),
    ]
    with ThreadPoolExecutor(len(jobs), thread_name_prefix="meddler") as pool:
        meddling = [pool.submit(_repeat, every, act, over) for every, act in jobs if every]
        try:
            yield withdrawals
        finally:
            over.set()
    for done in meddling:
        done.result()


def choose_case(board: Board, chance: random.Random) -> str:
    """Mostly a case whose answer is being made or heard at this moment, now and then any that was asked; "" before the first."""
    now, ever = list(board.on_the_line), list(board.asked)
    cases = now if now and chance.random() < ON_THE_LINE else ever
    return chance.choice(cases) if cases else ""


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
