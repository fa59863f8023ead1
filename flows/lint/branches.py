"""Rules on an action's ways out: NextAction, error branches and conditions, as its type has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flows.action_type import NO_CONDITION, ActionType
from flows.actions import (
    MAX_CONDITION_DEPTH,
    MAX_SUBCONDITIONS,
    OPERATORS,
    find_required_errors,
    find_required_results,
)
from flows.finding import Finding, Severity
from flows.language import Action, Transition
from flows.lint.view import FlowView, find_known

KEYS = frozenset("0123456789*#")
INPUT_BRANCHES = {"False": ("InvalidPhoneNumber",), "True": ("InputTimeLimitExceeded", NO_CONDITION)}


def check_branches(view: FlowView) -> Iterator[Finding]:
    """NextAction and error branches that an action must have, or must not."""
    for action in view.actions:
        known = find_known(action)
        if known and known.is_end:
            yield from _check_end(view, action)
        elif known:
            yield from _check_next(view, action, known)
            yield from _check_errors(view, action, known)


def _check_end(view: FlowView, action: Action) -> Iterator[Finding]:
    if any(way.target or way.kind != "next" for way in action.transitions):
        message = f"{view.name(action)} ends the flow: Connect refuses branches on it."
        yield Finding("END_WITH_TRANSITIONS", action.identifier, "error", message, 'Write "Transitions": {}.')


def _check_next(view: FlowView, action: Action, known: ActionType) -> Iterator[Finding]:
    if known.next == "required" and not action.next:
        message = f"{view.name(action)} has no NextAction: Connect refuses it."
        mirrored = next((way.target for way in action.errors if way.target), "")
        fix = "Connect it to the action that follows"
        fix += (
            f"; the designer repeats a branch here, such as {mirrored!r}."
            if known.conditions != "none" and mirrored
            else "."
        )
        yield Finding("MISSING_NEXT_ACTION", action.identifier, "error", message, fix)


def _check_errors(view: FlowView, action: Action, known: ActionType) -> Iterator[Finding]:
    present = {way.error for way in action.errors}
    for error in find_required_errors(action.type, action.parameters):
        if error not in present:
            message = f"{view.name(action)} has no {error} branch: Connect refuses it."
            fix = f"Add the error branch {error} and lead it to what the contact should then hear."
            yield Finding("MISSING_ERROR_BRANCH", action.identifier, "error", message, fix)
    allowed = {*known.errors, *known.optional_errors}
    refused = (
        INPUT_BRANCHES.get(str(action.parameters.get("StoreInput")), ()) if action.type == "GetParticipantInput" else ()
    )
    for error in sorted(present):
        if error in refused or (known.is_closed and error not in allowed):
            message = f"{view.name(action)} has a {error} branch, which Connect refuses on it."
            takes = ", ".join(sorted(allowed.difference(refused))) or "no error branch"
            yield Finding("UNKNOWN_ERROR_BRANCH", action.identifier, "error", message, f"Remove it: it takes {takes}.")


def check_conditions(view: FlowView) -> Iterator[Finding]:
    """Conditions that an action must have, or must not, or that are no conditions."""
    for action in view.actions:
        for way in action.conditions:
            yield from _check_condition(view, action, way)
        known = find_known(action)
        if known:
            yield from _check_results(view, action, known)
            yield from _check_required(view, action)


def _check_condition(view: FlowView, action: Action, way: Transition) -> Iterator[Finding]:
    depth, nested = _measure(way.condition)
    if depth > MAX_CONDITION_DEPTH or nested > MAX_SUBCONDITIONS:
        message = f"A condition of {view.name(action)} nests {depth} deep and holds {nested} conditions."
        fix = f"Connect takes at most {MAX_CONDITION_DEPTH} levels and {MAX_SUBCONDITIONS} conditions: split it."
        yield Finding("BAD_CONDITION", action.identifier, "error", message, fix)
    elif not nested and way.operator not in OPERATORS:
        message = f"A condition of {view.name(action)} has the operator {way.operator!r}, which Connect does not know."
        yield Finding(
            "BAD_CONDITION", action.identifier, "error", message, f"Use one of {', '.join(sorted(OPERATORS))}."
        )
    elif not nested and len(way.operands) != 1:
        message = f"A condition of {view.name(action)} has {len(way.operands)} operands; Connect takes exactly one."
        fix = 'Write "Operands": ["value"], and one condition for each value.'
        yield Finding("BAD_CONDITION", action.identifier, "error", message, fix)
    elif not nested and not isinstance(way.operands[0], str):
        operand = str(way.operands[0]).lower() if isinstance(way.operands[0], bool) else way.operands[0]
        message = f"{view.name(action)} compares with {operand!r} instead of a text; all that a flow reads is text."
        fix = f'Write "Operands": ["{operand}"].'
        yield Finding("NON_STRING_STATUS_COMPARE", action.identifier, "warning", message, fix)


def _measure(condition: Any) -> tuple[int, int]:
    """How deep a condition nests (1 without any inside), and how many conditions are inside it."""
    depth, nested, level = 0, 0, [condition]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for operand in (outer.get("Operands") if isinstance(outer.get("Operands"), list) else [])
            for inner in [operand.get("Condition", operand) if isinstance(operand, dict) else None]
            if isinstance(inner, dict)
        ]
        nested += len(level)
    return depth, nested


def _check_results(view: FlowView, action: Action, known: ActionType) -> Iterator[Finding]:
    for way in action.conditions:
        fault = _find_fault(action, known, way)
        if fault:
            severity: Severity = "warning" if action.type == "Wait" else "error"
            message = f"{view.name(action)} has a condition on {way.operand!r}: {fault}."
            yield Finding("UNKNOWN_CONDITION", action.identifier, severity, message, "Remove the condition.")


def _find_fault(action: Action, known: ActionType, way: Transition) -> str:
    results, digits = known.conditions == "results", known.conditions == "digits"
    events = find_required_results(action.type, action.parameters)
    faults = {
        "this type of action takes no conditions": known.conditions == "none" and not known.is_end,
        f"it can only be {' or '.join(known.results)}": results and way.operand not in known.results,
        "only Equals is possible here": (results or digits) and way.operator in OPERATORS and way.operator != "Equals",
        "input that is stored (StoreInput True) is not compared here": (
            digits and action.parameters.get("StoreInput") == "True"
        ),
        "it can only be one key, 0 to 9, * or #": digits and way.operand not in KEYS,
        "the block waits for no such event": action.type == "Wait" and way.operand not in events,
    }
    return next((fault for fault, applies in faults.items() if applies), "")


def _check_required(view: FlowView, action: Action) -> Iterator[Finding]:
    present = {way.operand for way in action.conditions}
    events = action.parameters.get("InterruptibleEvents")
    undocumented = {"Continue", *(events if isinstance(events, dict) else ())}
    for result in dict.fromkeys(find_required_results(action.type, action.parameters)):
        if result not in present:
            message = f"{view.name(action)} has no condition Equals {result}, which Connect asks of it."
            severity: Severity = "warning" if result in undocumented else "error"
            fix = f"Add the condition Equals {result} and say where it leads."
            yield Finding("MISSING_CONDITION", action.identifier, severity, message, fix)
    if action.type == "CheckMetricData" and not action.conditions:
        message = f"{view.name(action)} has no condition; Connect asks at least one of it."
        yield Finding("MISSING_CONDITION", action.identifier, "error", message, "Say what the figure is compared with.")
