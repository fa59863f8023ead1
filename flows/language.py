"""The flow language: an exported Amazon Connect flow read into typed actions, and written back as it was.

What was read stays whole in `content` and `body`: nothing is lost that these classes do not know.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from flows.decoding import decode_json
from flows.flow_error import FlowError
from flows.flow_types import MODULE, read_flow_type
from flows.shapes import Envelope, open_envelope

__all__ = ["Action", "Flow", "FlowError", "Transition", "parse_flow"]

VERSION = "2019-10-30"
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Transition:
    """One way out of an action. `error` is the ErrorType of an error; `operator` and `operands` are a condition's."""

    kind: Literal["next", "condition", "error"]
    target: str
    error: str = ""
    operator: str = ""
    operands: tuple[Any, ...] = ()
    condition: Any = None  # as exported, with whatever is nested in it

    @property
    def operand(self) -> str:
        """What a condition compares with; "" where it compares with nothing."""
        return str(self.operands[0]) if self.operands else ""


@dataclass(frozen=True)
class Action:
    """One block of a flow. `body` is the action as exported; the other fields are read from it."""

    identifier: str
    type: str
    parameters: Json
    transitions: tuple[Transition, ...]
    body: Json = field(repr=False)

    @classmethod
    def make(
        cls,
        identifier: str,
        kind: str,
        *,
        parameters: Json | None = None,
        next_action: str = "",
        conditions: Sequence[tuple[str, str, str]] = (),
        errors: Sequence[tuple[str, str]] = (),
    ) -> Action:
        """A new action in export spelling; conditions are (operator, operand, target), errors (ErrorType, target)."""
        ways: dict[str, Any] = {"NextAction": next_action} if next_action else {}
        if next_action or conditions or errors:
            ways["Errors"] = [{"NextAction": target, "ErrorType": error} for error, target in errors]
            ways["Conditions"] = [
                {"NextAction": target, "Condition": {"Operator": operator, "Operands": [operand]}}
                for operator, operand, target in conditions
            ]
        body = {"Parameters": dict(parameters or {}), "Identifier": identifier, "Type": kind, "Transitions": ways}
        return read_action(body, place=identifier)

    @property
    def next(self) -> str:
        """Where the action goes when nothing else applies; "" where it goes nowhere."""
        return next((way.target for way in self.transitions if way.kind == "next"), "")

    @property
    def conditions(self) -> tuple[Transition, ...]:
        """Its conditions, in the order in which Connect tries them."""
        return tuple(way for way in self.transitions if way.kind == "condition")

    @property
    def errors(self) -> tuple[Transition, ...]:
        """Its error branches."""
        return tuple(way for way in self.transitions if way.kind == "error")

    def target_of_error(self, error: str) -> str:
        """Where the branch of this ErrorType goes; "" where there is none."""
        return next((way.target for way in self.errors if way.error == error), "")


@dataclass(frozen=True)
class Flow:
    """A flow. `content` is the flow as exported; the other fields are read from it and from the file around it."""

    start: str
    actions: tuple[Action, ...]
    content: Json = field(repr=False)
    name: str = ""
    type: str = ""  # one of flows.flow_types, "" where the file does not say
    declared_type: str = ""  # the type that describe output declares; the designer's own metadata may be stale
    settings: Any = None  # a module's inputs, outputs and transitions
    length: int = 0  # of the Content, in characters, where the file holds it as one text
    repeated_keys: tuple[str, ...] = ()

    @classmethod
    def make(
        cls, actions: Iterable[Action], *, start: str, metadata: Json | None = None, settings: Json | None = None
    ) -> Flow:
        """A new flow of these actions; `settings` makes it a module."""
        content: dict[str, Any] = {"Version": VERSION, "StartAction": start, "Metadata": dict(metadata or {})}
        content["Actions"] = [action.body for action in actions]
        if settings is not None:
            content["Settings"] = dict(settings)
        return _read_flow(Envelope(content))

    @cached_property
    def by_id(self) -> dict[str, Action]:
        """The actions by identifier; the first, where two share one."""
        return {action.identifier: action for action in reversed(self.actions)}

    @property
    def metadata(self) -> Json:
        """The designer's metadata; empty where there is none."""
        return _as_object(self.content.get("Metadata"))

    @property
    def is_module(self) -> bool:
        """Whether this is a flow module, called by flows."""
        return self.type == MODULE

    def find_position(self, identifier: str = "") -> tuple[float, float] | None:
        """Where the designer draws the action (the entry point, without one): x and y in pixels."""
        if not identifier:
            return _read_position(self.metadata, "entryPointPosition", "EntryPointPosition")
        actions = _as_object(self.metadata.get("ActionMetadata"))
        return _read_position(_as_object(actions.get(identifier)), "position", "Position")

    def to_json(self, *, indent: int | None = None) -> str:
        """The content as JSON, equal as data to what was read; Connect takes at most 256,000 characters of it."""
        separators = (",", ":") if indent is None else (",", ": ")
        text = json.dumps(self.content, ensure_ascii=False, indent=indent, separators=separators)
        if text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text):
            return text
        # half a surrogate pair cannot be written as UTF-8, but can be escaped
        return json.dumps(self.content, indent=indent, separators=separators)


def parse_flow(source: bytes | str) -> Flow:
    """The flow in an exported file, in any of its shapes; raises FlowError naming the place and what to do."""
    return _read_flow(open_envelope(decode_json(source)))


def _read_flow(envelope: Envelope) -> Flow:
    content = envelope.content
    actions = tuple(read_action(body, place=f"Actions[{index}]") for index, body in enumerate(content["Actions"]))
    settings = content.get("Settings", envelope.settings)
    metadata = _as_object(content.get("Metadata"))
    is_module = settings is not None or any(action.type == "EndFlowModuleExecution" for action in actions)
    declared = envelope.declared_type or (MODULE if settings is not None else "")
    guessed = MODULE if is_module else read_flow_type(metadata.get("type", metadata.get("Type")))
    start, name = content.get("StartAction"), metadata.get("name", metadata.get("Name"))
    return Flow(
        start=start if isinstance(start, str) else "",
        actions=actions,
        content=content,
        name=envelope.name or (name if isinstance(name, str) else ""),
        type=declared or guessed,
        declared_type=declared,
        settings=settings,
        length=envelope.length,
        repeated_keys=envelope.repeated_keys,
    )


def read_action(body: Any, *, place: str) -> Action:
    """One action of a flow; raises FlowError where it is not shaped as one."""
    if not isinstance(body, dict):
        raise _malformed("An action is an object with Identifier, Type, Parameters and Transitions.", place=place)
    identifier, kind = body.get("Identifier"), body.get("Type")
    if not isinstance(identifier, str):
        raise _malformed("The action has no Identifier (a text).", place=f"{place}.Identifier")
    if not isinstance(kind, str):
        raise _malformed("The action has no Type (a text).", place=f"{place}.Type", action=identifier)
    parameters = body.get("Parameters")
    if not isinstance(parameters, dict | None):
        raise _malformed("Parameters is an object.", place=f"{place}.Parameters", action=identifier)
    ways = tuple(_read_transitions(body.get("Transitions"), place=f"{place}.Transitions", action=identifier))
    return Action(identifier=identifier, type=kind, parameters=parameters or {}, transitions=ways, body=body)


def _read_transitions(ways: Any, *, place: str, action: str) -> Iterable[Transition]:
    if ways is None:
        return
    if not isinstance(ways, dict):
        raise _malformed("Transitions is an object.", place=place, action=action)
    if ways.get("NextAction") is not None:
        yield Transition("next", _read_target(ways, place=place, action=action))
    for index, branch in enumerate(_read_list(ways, "Conditions", place=place, action=action)):
        yield _read_condition(branch, place=f"{place}.Conditions[{index}]", action=action)
    for index, branch in enumerate(_read_list(ways, "Errors", place=place, action=action)):
        at = f"{place}.Errors[{index}]"
        target = _read_target(branch, place=at, action=action)
        if not isinstance(branch.get("ErrorType"), str):
            raise _malformed("The error branch has no ErrorType (a text).", place=f"{at}.ErrorType", action=action)
        yield Transition("error", target, error=branch["ErrorType"])


def _read_condition(branch: Any, *, place: str, action: str) -> Transition:
    target = _read_target(branch, place=place, action=action)
    condition = branch.get("Condition")
    if not isinstance(condition, dict):
        raise _malformed("The branch has no Condition (an object).", place=f"{place}.Condition", action=action)
    operator, operands = condition.get("Operator"), condition.get("Operands")
    return Transition(
        "condition",
        target,
        operator=operator if isinstance(operator, str) else "",
        operands=tuple(operands) if isinstance(operands, list) else (),
        condition=condition,
    )


def _read_target(branch: Any, *, place: str, action: str) -> str:
    if not isinstance(branch, dict):
        raise _malformed("A branch is an object with NextAction.", place=place, action=action)
    target = branch.get("NextAction")
    if not isinstance(target, str):
        raise _malformed(
            "NextAction is the Identifier of an action (a text).", place=f"{place}.NextAction", action=action
        )
    return target


def _read_list(ways: dict[str, Any], key: str, *, place: str, action: str) -> list[Any]:
    found = ways.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        raise _malformed(f"{key} is a list.", place=f"{place}.{key}", action=action)
    return found


def _read_position(around: Json, *spellings: str) -> tuple[float, float] | None:
    for spelling in spellings:
        point = around.get(spelling)
        if isinstance(point, dict) and all(isinstance(point.get(axis), int | float) for axis in ("x", "y")):
            return float(point["x"]), float(point["y"])
    return None


def _as_object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _malformed(message: str, *, place: str, action: str = "") -> FlowError:
    advice = "Export the flow again, or write this part as the flow language has it."
    return FlowError(message, rule="MALFORMED_ACTION", place=place, action=action, advice=advice)
