"""Runs small flows in virtual time, for the tests of the runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flows.language import Flow
from flows.runner.contact import Caller
from flows.runner.engine import run_flow
from flows.runner.instance import Instance
from flows.runner.lambdas import Functions
from flows.runner.transcript import Transcript
from flows.runner.virtual_clock import VirtualClock

Work = Callable[[VirtualClock, dict[str, Any]], Any]


def run(
    flow: Flow, *, lambdas: Mapping[str, Work] | None = None, caller: Caller | None = None, **options: Any
) -> Transcript:
    """A call in virtual time; `lambdas` are given the clock and the event. Options are those of an Instance, or of run_flow."""
    known = {name: options.pop(name) for name in list(options) if name in Instance.__dataclass_fields__}
    with VirtualClock() as clock:
        handlers = {name: lambda event, work=work: work(clock, event) for name, work in (lambdas or {}).items()}
        return run_flow(
            flow,
            caller=caller or Caller(),
            invoke=Functions(handlers),
            clock=clock,
            instance=Instance(**known),
            **options,
        )


def heard(found: Transcript) -> list[str]:
    """What was said or shown, and the names of the recordings."""
    return [event.text or event.audio for event in found.heard]


def passed(found: Transcript) -> list[tuple[str, str]]:
    """Every block that was come to, and the way out that was taken."""
    return [(visit.action, visit.way) for visit in found.visits]


def reasons(found: Transcript) -> list[str]:
    """Why blocks were left by an error branch, and other notes."""
    return [event.text for event in found.events if event.kind in ("step", "note") and event.text]


def reply(seconds: float = 0.0, **values: str) -> Work:
    """A Lambda that takes so long and gives this."""

    def work(clock: VirtualClock, _: dict[str, Any]) -> dict[str, str]:
        clock.sleep(seconds)
        return values

    return work


def fail(seconds: float = 0.0, *, times: int = 1_000, tries: list[float] | None = None) -> Work:
    """A Lambda that takes so long and raises, so many times; `tries` keeps when it was tried."""
    left = [times]

    def work(clock: VirtualClock, _: dict[str, Any]) -> dict[str, str]:
        if tries is not None:
            tries.append(clock.now())
        clock.sleep(seconds)
        left[0] -= 1
        if left[0] >= 0:
            raise RuntimeError("it is down")
        return {"ok": "yes"}

    return work
