"""Rules on cycles: polling that nothing bounds, and going round in no time."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from flows.actions import is_asynchronous
from flows.finding import Finding, Severity
from flows.graph import Graph, find_cycles, keep_nodes, trace_cycle
from flows.language import Action
from flows.lint.view import FlowView, find_known

_COUNTER = re.compile(r"count|attempt|retr|tries|loop|iterat|round|times", re.IGNORECASE)
# Over at once, and with nothing of their own that changes between two visits
_INSTANT = re.compile(r"Compare|CheckHoursOfOperation|Update|TagContact|UntagContact|Load|InvokeLambdaFunction")


def check_polling(view: FlowView) -> Iterator[Finding]:
    """Cycles that call a Lambda and let time pass, and that nothing bounds: no Loop, no counter, no person."""
    free = keep_nodes(view.ordinary, lambda node: node in view.reachable and not _is_bound(view.get(node)))
    for cycle in find_cycles(free):
        start = next((node for node in cycle if view.get(node).type == "InvokeLambdaFunction"), "")
        path = trace_cycle(free, cycle, start) if start else []
        if any(_is_spoken(view.get(node)) for node in path):
            message = (
                f"{view.names([*path, start])} goes round for as long as the Lambda says so: if it never says"
                " otherwise, the caller never leaves."
            )
            fix = "Put a Loop block into the cycle as a backstop, and lead its Complete branch to a person."
            yield Finding("POLL_CYCLE_UNBOUNDED", start, "warning", message, fix)


def _is_spoken(action: Action) -> bool:
    known = find_known(action)
    return known is not None and known.speaks


def _is_bound(action: Action) -> bool:
    """Whether the action bounds a cycle: it counts, lets somebody answer, or passes the contact on."""
    known = find_known(action)
    if action.type == "Wait":  # it ends by itself, or when its Lambda does; only its Events are a person's
        return "Events" in action.parameters
    if known is None or known.asks or known.waits or known.is_end or action.type == "Loop":
        return True
    compared = action.parameters.get("ComparisonValue", "")
    counts = any(way.operator.startswith("Number") for way in action.conditions)
    return action.type == "Compare" and (counts or bool(_COUNTER.search(str(compared))))


def check_instant_cycles(view: FlowView) -> Iterator[Finding]:
    """Cycles of blocks that take no time: Connect ends the contact when it has gone round often enough."""
    nodes = {action.identifier for action in view.walk() if _is_instant(action)}
    always = _cycles_of(view.ordinary, nodes)
    found = {node for cycle in always for node in cycle}
    failing = [cycle for cycle in _cycles_of(view.graph, nodes) if found.isdisjoint(cycle)]
    yield from (_find_instant_cycle(view, cycle, "error", ".") for cycle in always)
    yield from (_find_instant_cycle(view, cycle, "warning", " while something fails.") for cycle in failing)


def _find_instant_cycle(view: FlowView, cycle: list[str], severity: Severity, when: str) -> Finding:
    path = trace_cycle(view.graph, cycle, cycle[0])
    message = f"{view.names([*path, cycle[0]])} goes round without end and without a pause{when}"
    fix = "Lead one of the branches out, or put a Loop block and a Play prompt block into the cycle."
    return Finding("CYCLE_WITHOUT_PROMPT", cycle[0], severity, message, fix)


def _cycles_of(graph: Graph, nodes: Collection[str]) -> list[list[str]]:
    return find_cycles(keep_nodes(graph, lambda node: node in nodes))


def _is_instant(action: Action) -> bool:
    is_slow = action.type == "InvokeLambdaFunction" and not is_asynchronous(action.type, action.parameters)
    return bool(_INSTANT.match(action.type)) and not is_slow
