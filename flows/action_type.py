"""What the table of action types (flows/actions.py) can say of one type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

UNBOUNDED = 2**63 - 1
NO_ERROR = "NoMatchingError"
NO_CONDITION = "NoMatchingCondition"
VOICE, CHAT = "VOICE", "CHAT"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. Every scalar stands as a JSON string; `low` and `high` bound an integer, where it is static."""

    kind: Literal["text", "integer", "path", "choice", "map", "list", "object"] = "text"
    required: bool = False
    low: int = 0
    high: int = UNBOUNDED
    choices: tuple[str, ...] = ()
    dynamic: bool = True  # may be a JSONPath such as $.Attributes.x instead
    is_soft: bool = False  # `high` is what the designer takes; exports with more exist

    def needed(self) -> Parameter:
        """The same, where Connect refuses the action without it."""
        return replace(self, required=True)


TEXT = Parameter()
PATH = Parameter("path")
MAP = Parameter("map")
LIST = Parameter("list")
OBJECT = Parameter("object")


def integer(low: int, high: int = UNBOUNDED, *, dynamic: bool = True, is_soft: bool = False) -> Parameter:
    """A whole number within bounds, both included."""
    return Parameter("integer", low=low, high=high, dynamic=dynamic, is_soft=is_soft)


def choice(*choices: str, dynamic: bool = False) -> Parameter:
    """One of some words; case matters."""
    return Parameter("choice", choices=choices, dynamic=dynamic)


@dataclass(frozen=True, slots=True)
class ActionType:
    """One type of action: what Connect asks of its parameters, its ways out and the flows that hold it."""

    block: str  # its name in the designer
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    # names that Connect refuses here ("Invalid Action property name"), each with what to write instead
    refused: Mapping[str, str] = field(default_factory=dict)
    takes_parameters: bool = True
    one_of: tuple[str, ...] = ()  # exactly one of these parameters
    one_at_most: tuple[tuple[str, ...], ...] = ()
    next: Literal["required", "optional", "none"] = "required"
    errors: tuple[str, ...] = ()  # branches that Connect refuses the action without
    optional_errors: tuple[str, ...] = ()
    is_closed: bool = False  # Connect refuses every other error branch ("Invalid Action error")
    conditions: Literal["none", "results", "digits", "numbers", "any"] = "none"
    results: tuple[str, ...] = ()  # operands that a condition may have, where they are fixed
    required_results: tuple[str, ...] = ()  # operands that must each have a condition
    flow_types: frozenset[str] = frozenset()  # where it may stand; empty: anywhere, or not known for sure
    channels: frozenset[str] = frozenset()  # which contacts it serves; empty: all
    speaks: bool = False  # the contact hears or sees something: the 20 s of Lambdas begin anew
    asks: bool = False  # somebody answers: a cycle through it goes at a person's pace
    waits: bool = False  # time passes, or the contact leaves the flow for a while

    @property
    def is_end(self) -> bool:
        """Whether the flow ends here."""
        return self.next == "none"
