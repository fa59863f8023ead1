"""Rules on an action's parameters: those it must have, must not have, and what they can hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flows.action_type import UNBOUNDED, ActionType, Parameter
from flows.actions import (
    MAX_ASYNC_LAMBDA_SECONDS,
    MAX_LAMBDA_ARN,
    MAX_LAMBDA_SECONDS,
    MESSAGES,
    is_synchronous,
)
from flows.finding import Finding, Severity
from flows.language import Action
from flows.lint.values import is_dynamic, is_placeholder, read_seconds
from flows.lint.view import FlowView, find_known

RULE_OF_RANGE = {"LoopCount": "LOOP_COUNT", "InvocationTimeLimitSeconds": "LAMBDA_TIMEOUT"}
JSON_NAMES = {str: "a text", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}
EXPECTED = {"map": dict, "object": dict, "list": list}


def check_parameters(view: FlowView) -> Iterator[Finding]:
    """Every parameter against what the table says of the action's type."""
    for action in view.actions:
        known = find_known(action)
        if known:
            yield from _check_names(view, action, known)
            yield from _check_choices(view, action, known)
            for name, value in action.parameters.items():
                yield from _check_value(view, action, name, value, known.parameters.get(name))
            yield from _check_special(view, action)


def _check_names(view: FlowView, action: Action, known: ActionType) -> Iterator[Finding]:
    for name in action.parameters:
        if name in known.refused:
            message = f"{view.name(action)} has the parameter {name!r}, which Connect refuses on it."
            yield Finding("REFUSED_PARAMETER", action.identifier, "error", message, f"Use {known.refused[name]}.")
        elif not known.takes_parameters:
            message = f"{view.name(action)} has the parameter {name!r}; this type of action takes none."
            yield Finding("REFUSED_PARAMETER", action.identifier, "error", message, 'Write "Parameters": {}.')
    for name, parameter in known.parameters.items():
        if parameter.required and name not in action.parameters:
            yield _missing(view, action, name)


def _check_choices(view: FlowView, action: Action, known: ActionType) -> Iterator[Finding]:
    present = [name for name in known.one_of if name in action.parameters]
    if known.one_of and not present:
        yield _missing(view, action, " or ".join(known.one_of))
    for names in (known.one_of, *known.one_at_most):
        given = [name for name in names if name in action.parameters]
        if len(given) > 1:
            message = f"{view.name(action)} has {' and '.join(given)}; Connect takes only one of them."
            yield Finding(
                "CONFLICTING_PARAMETERS", action.identifier, "error", message, f"Keep one: {', '.join(given)}."
            )


def _missing(view: FlowView, action: Action, name: str, *, severity: Severity = "error") -> Finding:
    message = f"{view.name(action)} lacks the parameter {name}."
    return Finding("MISSING_PARAMETER", action.identifier, severity, message, f"Fill in {name} in the block.")


def _check_value(
    view: FlowView, action: Action, name: str, value: Any, parameter: Parameter | None
) -> Iterator[Finding]:
    if parameter is None:
        if isinstance(value, bool | int | float):
            yield _wrong_type(view, action, name, value, severity="warning")
    elif parameter.kind in EXPECTED:
        if not isinstance(value, EXPECTED[parameter.kind]):
            yield _wrong_type(view, action, name, value, expected=JSON_NAMES[EXPECTED[parameter.kind]])
        elif parameter.kind == "map":
            yield from _check_map(view, action, name, value)
    elif not isinstance(value, str):
        # Connect took a Loop's count as a JSON number in a live check; no such check is known of the others
        lenient = name == "LoopCount" and isinstance(value, int) and not isinstance(value, bool)
        yield _wrong_type(view, action, name, value, severity="warning" if lenient else "error")
        if parameter.kind == "integer" and isinstance(value, int):
            yield from _check_range(view, action, name, value, parameter)
    else:
        yield from _check_text(view, action, name, value, parameter)


def _check_map(view: FlowView, action: Action, name: str, value: dict[str, Any]) -> Iterator[Finding]:
    for key, inner in value.items():
        if not isinstance(inner, str):
            yield _wrong_type(view, action, f"{name}.{key}", inner)


def _wrong_type(
    view: FlowView, action: Action, name: str, value: Any, *, expected: str = "a text", severity: Severity = "error"
) -> Finding:
    message = (
        f"{name} of {view.name(action)} is {JSON_NAMES.get(type(value), 'null')}; the flow language has {expected}."
    )
    written = str(value).lower() if isinstance(value, bool) else value
    fix = (
        f'Write "{written}".'
        if expected == "a text" and isinstance(value, bool | int | float)
        else f"Write {expected}."
    )
    return Finding("WRONG_PARAMETER_TYPE", action.identifier, severity, message, fix)


def _check_text(view: FlowView, action: Action, name: str, value: str, parameter: Parameter) -> Iterator[Finding]:
    if is_dynamic(value) and parameter.dynamic:
        return
    if is_placeholder(value) or parameter.kind == "text":
        return
    if parameter.kind == "path":
        message = f"{name} of {view.name(action)} is {value!r}; Connect takes only a reference there."
        yield _bad_value(action, name, message, "Write one, such as $.Attributes.name or $.External.name.")
    elif parameter.kind == "choice" and value not in parameter.choices:
        message = f"{name} of {view.name(action)} is {value!r}, which is none of its values."
        yield _bad_value(action, name, message, f"Write {' or '.join(parameter.choices)}; case matters.")
    elif parameter.kind == "integer":
        number = read_seconds(value)
        if number is None:
            message = f"{name} of {view.name(action)} is {value!r}, not a whole number."
            yield _bad_value(action, name, message, f"Write a number from {parameter.low} on, as a text.")
        else:
            yield from _check_range(view, action, name, number, parameter)


def _check_range(view: FlowView, action: Action, name: str, number: int, parameter: Parameter) -> Iterator[Finding]:
    high = parameter.high
    if name == "InvocationTimeLimitSeconds" and high == MAX_ASYNC_LAMBDA_SECONDS:
        high = MAX_LAMBDA_SECONDS if is_synchronous(action.type, action.parameters) else high
    if not parameter.low <= number <= high:
        severity: Severity = "warning" if parameter.is_soft and number > high else "error"
        who = "the designer" if severity == "warning" else "Connect"
        bounds = f"from {parameter.low} on" if high == UNBOUNDED else f"from {parameter.low} to {high}"
        message = f"{name} of {view.name(action)} is {number}; {who} takes numbers {bounds}."
        fix = f"Write a number {bounds}."
        yield _bad_value(action, name, message, fix, severity=severity)


def _bad_value(action: Action, name: str, message: str, fix: str, *, severity: Severity = "error") -> Finding:
    return Finding(RULE_OF_RANGE.get(name, "BAD_PARAMETER_VALUE"), action.identifier, severity, message, fix)


def _check_special(view: FlowView, action: Action) -> Iterator[Finding]:
    match action.type:
        case "MessageParticipant":
            yield from _check_message(view, action)
        case "ConnectParticipantWithLexBot" if not {*MESSAGES, "LexInitializationData"} & action.parameters.keys():
            yield _missing(view, action, "Text, SSML, PromptId, Media or LexInitializationData")
        case "GetParticipantInput":
            if action.parameters.get("StoreInput") == "True" and "InputValidation" not in action.parameters:
                yield _missing(view, action, "InputValidation (which StoreInput True needs)")
        case "UpdateFlowAttributes":
            yield from _check_flow_attributes(view, action)
        case "InvokeLambdaFunction":
            yield from _check_arn(view, action)


def _check_message(view: FlowView, action: Action) -> Iterator[Finding]:
    for name in ("Text", "SSML", "PromptId"):
        if action.parameters.get(name) == "":
            message = f"{view.name(action)} has nothing to say: its {name} is empty."
            yield _bad_value(action, name, message, "Write what the contact should hear.", severity="warning")


def _check_flow_attributes(view: FlowView, action: Action) -> Iterator[Finding]:
    attributes = action.parameters.get("FlowAttributes")
    for key, inner in attributes.items() if isinstance(attributes, dict) else ():
        if not (isinstance(inner, dict) and isinstance(inner.get("Value"), str)):
            message = f'The flow attribute {key!r} of {view.name(action)} is not of the form {{"Value": "text"}}.'
            fix = f'Write "{key}": {{"Value": "..."}}; Connect refuses anything else.'
            yield Finding("WRONG_PARAMETER_TYPE", action.identifier, "error", message, fix)


def _check_arn(view: FlowView, action: Action) -> Iterator[Finding]:
    arn = action.parameters.get("LambdaFunctionARN")
    if isinstance(arn, str) and re.fullmatch(r"arn:[\w:./$-]+", arn) and len(arn) > MAX_LAMBDA_ARN:
        message = (
            f"The ARN of {view.name(action)} has {len(arn)} characters; Connect associates Lambdas of at most"
            f" {MAX_LAMBDA_ARN}."
        )
        fix = "Give the function, or its alias, a shorter name."
        yield Finding("ALIAS_ARN_OVER_140", action.identifier, "error", message, fix)
