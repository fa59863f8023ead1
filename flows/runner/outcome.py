"""What an action comes to, and how a call can end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flows.action_type import NO_ERROR

HUNG_UP, DISCONNECTED, QUEUE, AGENT = "hung_up", "disconnected", "queue", "agent"
TRANSFERRED, FLOW_ENDED, MODULE_RETURNED = "transferred", "flow_ended", "module_returned"
HELD, FAILED, STUCK = "held", "failed", "stuck"
# How a call ends properly; after the others (a branch that is not there, steps without end) the flow is at fault
PROPER_ENDS = frozenset({HUNG_UP, DISCONNECTED, QUEUE, AGENT, TRANSFERRED, FLOW_ENDED, MODULE_RETURNED, HELD})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an action leaves: on, with a result that its conditions are tried on, or by an error's branch and why."""

    kind: Literal["next", "result", "error"]
    value: str = ""
    why: str = ""


ON = Outcome("next")


def result(value: str) -> Outcome:
    """The action came to this."""
    return Outcome("result", value)


def error(why: str, *, kind: str = NO_ERROR) -> Outcome:
    """The action failed, or does not apply; `kind` is its ErrorType."""
    return Outcome("error", kind, why)


class CallEndedError(Exception):
    """The call is over: how (one of the words above), why in a sentence, and in which queue."""

    def __init__(self, kind: str, why: str = "", *, queue: str = "") -> None:
        super().__init__(kind)
        self.kind, self.why, self.queue = kind, why, queue


class InterruptedByEventError(Exception):
    """What a Wait waits for has happened while its Continue branch was playing."""
