"""Flows written down briefly (flows/templates/*.yaml), made into what the console would export."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from flows.action_type import NO_CONDITION, NO_ERROR
from flows.designer import describe_action, describe_flow, place_action
from flows.graph import find_reachable
from flows.language import Action, Flow

FOLDER: Final = Path(__file__).parent / "templates"
_PLACEHOLDER = re.compile(r"<<(\w+)>>")
# The designer repeats one branch of a deciding action as its NextAction: this one
_REPEATED: Final = {
    "Compare": NO_CONDITION,
    "Wait": NO_ERROR,
    "Loop": "Equals DoneLooping",
}

Brief = Mapping[str, Any]


@cache
def read_template(name: str) -> Mapping[str, Any]:
    """One file of briefly written actions, or of words."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    # in C, ten times as fast: the first export of a process should not take a tenth of a second
    found: Mapping[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return found


def fill(value: Any, values: Mapping[str, Any]) -> Any:
    """The value with each <<name>> replaced; one that stands alone may become anything. KeyError for unknown names."""
    if isinstance(value, str):
        alone = _PLACEHOLDER.fullmatch(value)
        return values[alone[1]] if alone else _PLACEHOLDER.sub(lambda found: str(values[found[1]]), value)
    if isinstance(value, Mapping):
        return {fill(key, values): fill(inner, values) for key, inner in value.items()}
    return [fill(inner, values) for inner in value] if isinstance(value, list) else value


def make_flow(
    briefs: Mapping[str, Brief], *, start: str, values: Mapping[str, Any], name: str, flow_type: str, description: str
) -> Flow:
    """A flow of those of the actions that the start leads to. ValueError for a branch that leads to no action."""
    needed = find_needed(briefs, start, values)
    actions = [make_action(identifier, fill(briefs[identifier], values)) for identifier in needed]
    metadata = describe_flow(name=name, flow_type=flow_type, description=description)
    metadata["ActionMetadata"] = {
        action.identifier: {**place_action(*briefs[action.identifier]["at"]), **describe_action(action)}
        for action in actions
    }
    return Flow.make(actions, start=start, metadata=metadata)


def find_needed(briefs: Mapping[str, Brief], start: str, values: Mapping[str, Any]) -> list[str]:
    """The actions that the start leads to, in the order in which they are written down."""
    reach: dict[str, list[str]] = {}
    waiting = [start]
    while waiting:
        identifier = waiting.pop()
        if identifier not in reach:
            if identifier not in briefs:
                raise ValueError(f"there is no action {identifier!r}")
            reach[identifier] = list(_find_targets(fill(_ways(briefs[identifier]), values)))
            waiting += reach[identifier]
    return [identifier for identifier in briefs if identifier in find_reachable(reach, [start])]


def _ways(brief: Brief) -> dict[str, Any]:
    return {name: brief[name] for name in ("next", "when", "errors") if name in brief}


def _find_targets(ways: Mapping[str, Any]) -> Iterable[str]:
    if "next" in ways:
        yield ways["next"]
    for name in ("when", "errors"):
        yield from ways.get(name, {}).values()


def make_action(identifier: str, brief: Brief) -> Action:
    """One briefly written action in export spelling."""
    when, errors = brief.get("when", {}), brief.get("errors", {})
    following = brief.get("next") or {**when, **errors}.get(_REPEATED.get(brief["does"], ""), "")
    return Action.make(
        identifier,
        brief["does"],
        parameters=brief.get("with"),
        next_action=following,
        conditions=[(*condition.split(" ", 1), target) for condition, target in when.items()],
        errors=[(error, target) for error, target in errors.items()],
    )
