"""Virtual time passes only while everybody waits, in one order; real time passes as it does, or faster between Lambdas."""

from __future__ import annotations

import math
import threading
import time

import pytest

from flows.runner.clock import RealClock
from flows.runner.virtual_clock import START_MS, StuckError, VirtualClock


def test_sleeping_takes_no_real_time() -> None:
    began = time.monotonic()
    with VirtualClock() as clock:
        clock.sleep(86_400.0)
        assert clock.now_ms() == START_MS + 86_400_000
    assert time.monotonic() - began < 5.0


def test_pieces_of_work_take_turns_in_the_order_of_time() -> None:
    seen: list[str] = []

    def work(name: str, seconds: float) -> None:
        clock.sleep(seconds)
        seen.append(f"{name} {clock.now() - START_MS / 1000:g}")

    with VirtualClock() as clock:
        for name, seconds in (("late", 3.0), ("early", 1.0), ("middle", 2.0)):
            clock.start(lambda name=name, seconds=seconds: work(name, seconds))  # type: ignore[misc]
        clock.at(1.5, lambda: seen.append("timer"))
        clock.sleep(10)
    assert seen == ["early 1", "timer", "middle 2", "late 3"]


def test_who_waits_for_something_goes_on_when_it_happens() -> None:
    done: list[int] = []
    with VirtualClock() as clock:
        clock.at(4.0, lambda: done.append(1))
        clock.wait(60.0, until=lambda: bool(done))
        assert clock.now_ms() == START_MS + 4_000
        clock.wait(5.0, until=lambda: len(done) > 1)
        assert clock.now_ms() == START_MS + 9_000


def test_waiting_for_what_never_happens_is_an_error_not_a_standstill() -> None:
    with VirtualClock() as clock, pytest.raises(StuckError):
        clock.wait(math.inf, until=lambda: False)


def test_a_fault_in_work_beside_is_raised_where_it_is_seen() -> None:
    def fail() -> None:
        raise ValueError("broken")

    with VirtualClock() as clock:
        clock.start(fail)
        with pytest.raises(ValueError, match="broken"):
            clock.sleep(1.0)


def test_no_thread_is_left_when_the_clock_is_closed() -> None:
    before = threading.active_count()
    with VirtualClock() as clock:
        for _ in range(5):
            clock.start(lambda: clock.sleep(100.0))
        clock.sleep(1.0)
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_a_real_clock_keeps_real_time() -> None:
    clock = RealClock()
    began = clock.now()
    assert abs(began - time.time()) < 1.0
    clock.sleep(0.05)
    assert 0.05 <= clock.now() - began < 5.0


def test_a_faster_clock_sleeps_shorter() -> None:
    clock, began, real = RealClock(speed=100.0), time.monotonic(), 0.0
    at = clock.now()
    clock.sleep(30.0)
    real = time.monotonic() - began
    assert clock.now() - at >= 30.0
    assert real < 20.0


def wait_for(event: threading.Event) -> None:
    assert event.wait(20)


def test_but_goes_at_this_machines_pace_while_a_lambda_runs() -> None:
    clock = RealClock(speed=1_000.0)
    go_on = threading.Event()
    clock.start(lambda: wait_for(go_on))
    at, began = clock.now(), time.monotonic()
    time.sleep(0.05)
    passed = clock.now() - at
    assert passed <= time.monotonic() - began + 0.01
    go_on.set()


def test_a_real_clock_wakes_who_waits_for_work_and_rings_timers() -> None:
    clock = RealClock(speed=10.0)
    done: list[str] = []
    clock.at(1.0, lambda: done.append("rung"))
    clock.wait(100.0, until=lambda: bool(done))
    clock.start(lambda: done.append("worked"))
    clock.wait(100.0, until=lambda: len(done) == 2)
    assert done == ["rung", "worked"]
