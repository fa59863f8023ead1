"""A call while it is running: all that the actions of its flow work on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flows.language import Action, Flow
from flows.runner.contact import Contact, Turn
from flows.runner.instance import Instance
from flows.runner.lambdas import Lambdas
from flows.runner.line import Line
from flows.runner.outcome import Outcome
from flows.runner.transcript import Event, Visit


@dataclass(slots=True)
class Call:
    """One contact in one flow at a time. `run` runs another flow within it, from an action of it on."""

    contact: Contact
    line: Line
    lambdas: Lambdas
    instance: Instance
    flow: Flow
    run: Callable[[Flow, str], None]
    queue: str = ""
    depth: int = 0  # of modules
    is_waiting: bool = False  # in the Continue branch of a Wait
    has_end: bool = True  # whether the contact, or an agent, will end a call that its flow does not end
    steps_left: int = 0
    turns: list[Turn] = field(default_factory=list)
    loops: dict[tuple[str, str], int] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)

    @property
    def flow_type(self) -> str:
        """The type as which the present flow runs."""
        return self.instance.type_of(self.flow)

    def parameter(self, action: Action, name: str) -> str:
        """A parameter as a text, with its references looked up; "" where there is none."""
        return self.contact.text(action.parameters.get(name))

    def seconds(self, action: Action, name: str, default: float) -> float:
        """A parameter as a number; the default for what is none, is negative, or has no end."""
        return to_number(self.parameter(action, name), default=default)

    def tell(self, kind: Any, action: Action, **details: Any) -> None:
        """Puts an event of the action into the transcript."""
        self.line.tell(Event(details.pop("at", self.line.now()), kind, action.identifier, **details))


def to_number(text: str, *, default: float) -> float:
    """The number that a text says; the default where it says none, a negative or an endless one."""
    try:
        number = float(text)
    except ValueError:
        return default
    return number if 0 <= number < math.inf else default


Handler = Callable[[Call, Action], Outcome]
