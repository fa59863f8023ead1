"""Rules on synchronous Lambdas and silence: their time limits, and what they add up to without a prompt."""

from __future__ import annotations

from collections.abc import Iterator

from flows.actions import MAX_LAMBDA_SECONDS, MAX_SILENT_LAMBDA_SECONDS, is_synchronous
from flows.finding import Finding, Severity
from flows.graph import Graph, find_components, find_cycles, find_longest_paths, keep_nodes, trace_cycle
from flows.language import Action
from flows.lint.values import is_placeholder, read_seconds
from flows.lint.view import FlowView, find_known

DEFAULT_SECONDS = 3  # re:Post, "Lambda function failures in Amazon Connect"
# Loop blocks bound a silent cycle, but not to anything that a caller would sit through
HOPELESS_SECONDS = 60


def read_limit(action: Action) -> int:
    """How long the Lambda may take, in seconds; at least 1 where the deployment fills it in."""
    limit = action.parameters.get("InvocationTimeLimitSeconds")
    seconds = read_seconds(limit)
    if seconds is not None:
        return min(max(seconds, 0), MAX_LAMBDA_SECONDS)
    return 1 if isinstance(limit, str) and is_placeholder(limit) else DEFAULT_SECONDS


def is_lambda(action: Action) -> bool:
    """Whether the contact waits for this action's Lambda in silence."""
    return is_synchronous(action.type, action.parameters)


def check_time_limits(view: FlowView) -> Iterator[Finding]:
    """Synchronous Lambdas that are left with the default time limit."""
    for action in filter(is_lambda, view.actions):
        limit = action.parameters.get("InvocationTimeLimitSeconds")
        if limit is None or read_seconds(limit) == DEFAULT_SECONDS:
            message = (
                f"{view.name(action)} has the default time limit of 3 s: a cold start or a slow service may use it up,"
                " and the contact takes the Error branch."
            )
            fix = "Set the timeout to what the function may need, up to 8 s, or keep the function warm."
            yield Finding("LAMBDA_TIMEOUT_DEFAULT_3S", action.identifier, "warning", message, fix)


def check_silence(view: FlowView) -> Iterator[Finding]:
    """Lambdas in a row that may exceed 20 s together, and cycles of Lambdas without a prompt."""
    quiet = keep_nodes(view.graph, lambda node: node in view.reachable and _is_quiet(view.get(node)))
    seconds = {node: read_limit(view.get(node)) if is_lambda(view.get(node)) else 0 for node in quiet}
    joined: dict[str, float] = {}
    lead = {node: component[0] for component in find_components(quiet) for node in component}
    for cycle in find_cycles(quiet):
        total = _measure_cycle(view, quiet, cycle, seconds)
        joined[cycle[0]] = 0 if total > MAX_SILENT_LAMBDA_SECONDS else total
        if total > MAX_SILENT_LAMBDA_SECONDS:
            yield _find_silent_cycle(view, quiet, cycle, total)
    yield from _check_rows(view, quiet, lead, {**seconds, **joined})


def _is_quiet(action: Action) -> bool:
    known = find_known(action)
    return known is not None and not (known.speaks or known.waits or known.is_end)


def _measure_cycle(view: FlowView, quiet: Graph, cycle: list[str], seconds: dict[str, int]) -> float:
    """The most that the Lambdas of a cycle can take: Loop blocks bound how often it is gone through."""
    inside = set(cycle)
    loops = [node for node in cycle if view.get(node).type == "Loop"]
    inside.difference_update(loops)
    once = {node: [other for other in quiet[node] if other in inside] for node in cycle if node in inside}
    if any(seconds[node] for again in find_cycles(once) for node in again):
        return float("inf")
    if find_cycles(once):
        return 0
    rounds = 1 + sum(read_seconds(view.get(node).parameters.get("LoopCount")) or 1 for node in loops)
    return rounds * max((total for total, _ in find_longest_paths(once, seconds.__getitem__).values()), default=0)


def _find_silent_cycle(view: FlowView, quiet: Graph, cycle: list[str], total: float) -> Finding:
    start = next(node for node in cycle if is_lambda(view.get(node)))
    ordinary = {node: [other for other in quiet[node] if other in view.ordinary[node]] for node in cycle}
    is_failing = not find_cycles(ordinary)
    speaks_elsewhere = view.cycle_sizes.get(start, 0) > len(cycle)
    path = [*trace_cycle(quiet, cycle, start), start]
    most = "without end" if total == float("inf") else f"for up to {total:.0f} s"
    message = (
        f"{view.names(path)} is a cycle in which nothing is played: the caller hears silence {most}, and Connect"
        f" allows {MAX_SILENT_LAMBDA_SECONDS} s of Lambdas in a row."
    )
    if is_failing:
        message += " It is gone through only while something fails."
    severity: Severity = "warning" if is_failing or speaks_elsewhere or total <= HOPELESS_SECONDS else "error"
    fix = "Put a Play prompt block into the cycle, and a Loop block that ends it."
    return Finding("POLL_CYCLE_WITHOUT_PROMPT", start, severity, message, fix)


def _check_rows(view: FlowView, quiet: Graph, lead: dict[str, str], weights: dict[str, float]) -> Iterator[Finding]:
    """Longest paths over the cycles' condensation: where one first exceeds the limit."""
    merged: dict[str, list[str]] = {node: [] for node in quiet if lead[node] == node}
    for node, others in quiet.items():
        merged[lead[node]] += [lead[other] for other in others if lead[other] != lead[node]]
    paths = find_longest_paths(merged, lambda node: weights[node])
    for node, (total, before) in paths.items():
        earlier = paths[before][0] if before else 0
        if total > MAX_SILENT_LAMBDA_SECONDS >= earlier and weights[node]:
            row = [node]
            while paths[row[-1]][1]:
                row.append(paths[row[-1]][1])
            chain = [step for step in reversed(row) if weights[step]]
            message = (
                f"{view.names(chain)}: these Lambdas follow each other with no prompt between and may take"
                f" {total:.0f} s together; Connect ends such a row after {MAX_SILENT_LAMBDA_SECONDS} s."
            )
            fix = (
                "Put a Play prompt block between them (the caller hears silence meanwhile), or lower their time limits."
            )
            yield Finding("LAMBDA_SEQ_20S", node, "warning", message, fix)
