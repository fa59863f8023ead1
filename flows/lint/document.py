"""Rules on the flow as a document: its size, its identifiers, its start, and what leads nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flows.actions import (
    ACTIONS,
    MAX_ACTIONS,
    MAX_CONTENT,
    MAX_IDENTIFIER,
    REFUSED_IN_IDENTIFIERS,
    REFUSED_TYPES,
    RESERVED_IDENTIFIERS,
)
from flows.finding import Finding, Severity
from flows.flow_types import WORDS
from flows.language import VERSION, Action, Transition
from flows.lint.view import FlowView, find_known


def check_document(view: FlowView) -> Iterator[Finding]:
    """Version, repeated keys, size, number of actions."""
    version = view.flow.content.get("Version")
    if version != VERSION:
        message = f"Version is {version!r}; Connect reads only {VERSION!r}."
        yield Finding("VERSION", "", "error", message, f'Write "Version": "{VERSION}".')
    for key in dict.fromkeys(view.flow.repeated_keys):
        message = f"An object in the file holds {key!r} twice; only the last one counts."
        yield Finding("REPEATED_KEY", "", "warning", message, "Remove the one that is not meant.")
    yield from _check_size(view)
    count = len(view.flow.actions)
    if count > MAX_ACTIONS:
        message = f"The flow has {count} actions; Connect takes at most {MAX_ACTIONS}."
        fix = "Move a part of it into a flow module (Invoke module) or another flow (Transfer to flow)."
        yield Finding("TOO_MANY_ACTIONS", "", "error", message, fix)


def _check_size(view: FlowView) -> Iterator[Finding]:
    shortest = len(view.flow.to_json())
    fix = "Move a part of it into a flow module or another flow."
    if shortest > MAX_CONTENT:
        message = f"The content has {shortest:,} characters without any white space; Connect takes at most 256,000."
        yield Finding("CONTENT_OVER_256000", "", "error", message, fix)
    elif view.flow.length > MAX_CONTENT:
        message = f"The content has {view.flow.length:,} characters; Connect takes at most 256,000."
        fix = f"Write it without white space: it then has {shortest:,}."
        yield Finding("CONTENT_OVER_256000", "", "warning", message, fix)


def check_identifiers(view: FlowView) -> Iterator[Finding]:
    """Identifiers that are shared, or that Connect refuses."""
    counts = Counter(action.identifier for action in view.flow.actions)
    for identifier, count in counts.items():
        if count > 1:
            message = f"{count} actions share the identifier {identifier!r}; branches cannot tell them apart."
            fix = "Give each action an identifier of its own."
            yield Finding("DUPLICATE_IDENTIFIER", identifier, "error", message, fix)
        fault = _find_fault(identifier)
        if fault:
            fix = f"Rename it, in the branches that lead to it too: at most {MAX_IDENTIFIER} letters, digits, - and _."
            yield Finding("BAD_IDENTIFIER", identifier, "error", f"The identifier {identifier!r} {fault}.", fix)


def _find_fault(identifier: str) -> str:
    refused = sorted(REFUSED_IN_IDENTIFIERS.intersection(identifier))
    if not identifier:
        return "is empty"
    if len(identifier) > MAX_IDENTIFIER:
        return f"has {len(identifier)} characters; Connect takes at most {MAX_IDENTIFIER}"
    if identifier in RESERVED_IDENTIFIERS:
        return "is reserved"
    return f"has {' '.join(refused)}, which Connect refuses in identifiers" if refused else ""


def check_targets(view: FlowView) -> Iterator[Finding]:
    """A start or a branch that leads to no action, and actions that nothing leads to."""
    if view.flow.start not in view.flow.by_id:
        named = (
            f"StartAction names {view.flow.start!r}, which is no action of the flow"
            if view.flow.start
            else "StartAction is absent"
        )
        fix = "Write the identifier of the action with which the flow begins."
        yield Finding("MISSING_START_ACTION", "", "error", f"{named}.", fix)
    for action in view.actions:
        for way in action.transitions:
            if way.target not in view.flow.by_id and not (way.kind == "next" and not way.target):
                yield _find_dangling(view, action, way)
    if view.flow.start in view.flow.by_id:
        for action in view.actions:
            if action.identifier not in view.reachable:
                message = f"Nothing leads from the start of the flow to {view.name(action)}."
                fix = "Connect it, or delete it."
                yield Finding("UNREACHABLE_ACTION", action.identifier, "warning", message, fix)


def _find_dangling(view: FlowView, action: Action, way: Transition) -> Finding:
    branch = way.error or (f"{way.operator} {way.operand}".strip() if way.kind == "condition" else "next")
    where = f"to {way.target!r}, which is no action of the flow" if way.target else "nowhere"
    alike = view.spellings.get(way.target.lower(), "")
    fix = f"It may mean {alike!r}: case matters." if alike else "Connect the branch to an action of the flow."
    return Finding(
        "DANGLING_TARGET", action.identifier, "error", f"The {branch} branch of {view.name(action)} leads {where}.", fix
    )


def check_types(view: FlowView) -> Iterator[Finding]:
    """Types of action that Connect refuses, that the linter does not know, or that this type of flow cannot hold."""
    for action in view.actions:
        known = find_known(action)
        if action.type in REFUSED_TYPES:
            message = f"Connect has no action type {action.type!r} ({view.name(action)})."
            fix = f"Use {REFUSED_TYPES[action.type]}."
            yield Finding("REFUSED_ACTION_TYPE", action.identifier, "error", message, fix)
        elif known is None:
            alike = next((name for name in ACTIONS if name.lower() == action.type.lower()), "")
            message = f"The linter does not know the action type {action.type!r}: its parameters are not checked."
            fix = f"If it is a slip, write {alike!r}." if alike else "If Connect exported it, nothing has to be done."
            yield Finding("UNKNOWN_ACTION", action.identifier, "info", message, fix)
        elif known.flow_types and view.type and view.type not in known.flow_types:
            message = f"{view.name(action)} is not supported in {WORDS[view.type]}."
            fix = f"It belongs into {', '.join(sorted(WORDS[kind] for kind in known.flow_types))}."
            severity: Severity = "error" if view.is_type_sure else "warning"
            yield Finding("WRONG_FLOW_TYPE", action.identifier, severity, message, fix)
