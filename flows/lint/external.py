"""The rule on Lambdas' results: each Lambda replaces $.External, and what the one before gave is gone.

What a Lambda gives is not in a flow. So the rule goes by what the flow itself shows: a key counts as a Lambda's where
it is read and that Lambda was certainly the last to run. Lambdas that share a key answer in one format.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flows.actions import is_asynchronous
from flows.finding import Finding
from flows.graph import find_components
from flows.language import Action
from flows.lint.timing import is_lambda
from flows.lint.values import find_external_keys
from flows.lint.view import FlowView

# Who wrote $.External: no Lambda of this flow, or one that cannot be told
NOBODY, SOMEBODY = "", "?"
Writers = frozenset[str]
MOST = 20  # functions that are compared with each other, where ways of hundreds meet
# Keys that many functions answer with, each its own
_COMMON_KEYS = frozenset(
    {
        "answer",
        "body",
        "code",
        "data",
        "error",
        "errormessage",
        "errortype",
        "found",
        "message",
        "msg",
        "output",
        "prompt",
        "reason",
        "response",
        "result",
        "ssml",
        "state",
        "status",
        "statuscode",
        "success",
        "text",
        "type",
        "value",
    }
)
# Functions that by their name store or tell something, and so hardly answer with what another one found
_TELLER = re.compile(
    r"(?:^|[-_:/])(?i:log|logger|save|store|put|send|write|notify|record|track|audit|update|publish|report)(?![a-z])"
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the flow shows: who may have written $.External before an action, who gives which keys, who ran before whom."""

    writers: Mapping[str, Writers]
    keys: Mapping[str, set[str]]
    earlier: Mapping[str, set[str]]


def check_external(view: FlowView) -> Iterator[Finding]:
    """Reads of a Lambda's result where another Lambda has certainly, or on one of the ways, replaced it."""
    writers = find_writers(view)
    reads = [(action, key) for action in view.walk() for key in sorted(_find_keys(action))]
    keys: dict[str, set[str]] = defaultdict(set)
    for action, key in reads:
        if len(writers[action.identifier]) == 1:
            keys[next(iter(writers[action.identifier]))].add(key)
    known = _Known(writers, keys, _find_earlier(view, writers))
    for action, key in reads:
        yield from _check_read(view, action, key, known)


def _check_read(view: FlowView, action: Action, key: str, known: _Known) -> Iterator[Finding]:
    writers = known.writers[action.identifier]
    if {NOBODY, SOMEBODY} & writers:
        return
    giver, last = _find_pair(key, writers, known) if len(writers) > 1 else _find_single(action, key, writers, known)
    if giver:
        message = (
            f"{view.name(action)} reads $.External.{key}, which seems to come from {_short(giver)}; on a way to it"
            f" {_short(last)} runs last, and replaces the whole of $.External."
        )
        fix = (
            f"Save the value right after {_short(giver)} (Set contact attributes) and read it from there, or let"
            f" {_short(last)} answer with {key!r} too."
        )
        yield Finding("EXTERNAL_OVERWRITTEN_BEFORE_READ", action.identifier, "warning", message, fix)


def _find_pair(key: str, writers: Writers, known: _Known) -> tuple[str, str]:
    """Ways meet here: who gives the key on one of them, and the last Lambda of another, which gives other keys only."""
    givers = sorted(writer for writer in writers if key in known.keys[writer])[:MOST]
    others = sorted(writer for writer in writers if known.keys[writer] and key not in known.keys[writer])[:MOST]
    pairs = ((giver, last) for last in others for giver in givers if not known.keys[giver] & known.keys[last])
    return next(pairs, ("", ""))


def _find_single(action: Action, key: str, writers: Writers, known: _Known) -> tuple[str, str]:
    """One Lambda is certainly the last: who gave the key before it, where the last one hardly gives it again."""
    (last,) = writers
    tells = bool(_TELLER.search(_short(last)))
    if not tells and (action.type == "Compare" or key.lower() in _COMMON_KEYS):
        return "", ""
    earlier = sorted(other for other in known.earlier[last] - {last, NOBODY, SOMEBODY})
    givers = [other for other in earlier if key in known.keys[other]]
    found = next((giver for giver in givers if not (known.keys[giver] & known.keys[last]) - {key}), "")
    unheard = [other for other in earlier if not known.keys[other] and not _TELLER.search(_short(other))]
    return found or (unheard[0] if tells and unheard else ""), last


def _find_keys(action: Action) -> set[str]:
    operands = [way.operand for way in action.conditions if "External" in way.operand]
    return find_external_keys([action.parameters, operands])


def _short(arn: str) -> str:
    return arn.partition(":function:")[2] or arn


def _find_earlier(view: FlowView, writers: Mapping[str, Writers]) -> dict[str, set[str]]:
    """For each Lambda function, those that may have written $.External before it does."""
    earlier: dict[str, set[str]] = defaultdict(set)
    only = _find_only_asynchronous(view)
    for action in view.walk():
        written = _find_written(action, only)
        if written:
            earlier[written] |= writers[action.identifier]
    return earlier


def find_writers(view: FlowView) -> dict[str, Writers]:
    """For each reachable action the functions that may have been the last to write $.External before it."""
    passed: dict[str, list[str]] = {node: [] for node in view.reachable}
    gained: dict[str, set[str]] = {node: set() for node in view.reachable}
    gained.get(view.flow.start, set()).add(NOBODY)
    only = _find_only_asynchronous(view)
    for action in view.walk():
        written = _find_written(action, only)
        for way in action.transitions:
            if way.target not in view.reachable:
                continue
            # a Lambda that fails gives nothing: what was there before stays
            if written and way.kind != "error":
                gained[way.target].add(written)
            else:
                passed[action.identifier].append(way.target)
    return _spread(passed, gained)


def _spread(passed: dict[str, list[str]], gained: dict[str, set[str]]) -> dict[str, Writers]:
    """What each node has gained itself or is passed by others: all nodes of a cycle the same."""
    found: dict[str, Writers] = {}
    incoming: dict[str, set[str]] = {node: set(gained[node]) for node in passed}
    for component in reversed(find_components(passed)):
        together = frozenset().union(*(incoming[node] for node in component))
        for node in component:
            found[node] = together
            for other in passed[node]:
                incoming[other] |= together
    return found


def _find_written(action: Action, only_asynchronous: str) -> str:
    if is_lambda(action):
        return _find_function(action)
    if action.type == "LoadLambdaFunctionResult":
        return only_asynchronous or SOMEBODY
    return SOMEBODY if action.type in ("InvokeFlowModule", "TransferToFlow") else ""


def _find_only_asynchronous(view: FlowView) -> str:
    functions = {_find_function(a) for a in view.walk() if is_asynchronous(a.type, a.parameters)}
    return functions.pop() if len(functions) == 1 else ""


def _find_function(action: Action) -> str:
    arn = action.parameters.get("LambdaFunctionARN")
    return arn if isinstance(arn, str) and arn and not arn.startswith("$") else SOMEBODY
