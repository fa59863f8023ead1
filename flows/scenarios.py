"""Scenarios: who calls, what is asked, how the model behaves, and what must be heard by when. docs/flows.md explains the format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from connectgenai.wire.waiting import WaitPolicy, WaitPrompt
from flows.reading import ReadingError, read_as
from flows.runner.contact import Turn
from flows.stage import Model, Step

Channel = Literal["VOICE", "CHAT", "TASK", "EMAIL"]
End = Literal["", "hung_up", "disconnected", "queue", "agent", "transferred", "flow_ended", "module_returned", "held"]


class ScenarioError(ValueError):
    """A file of scenarios cannot be read: where, and why."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Words that must be heard (or read), begun not before `after` and not later than `by`, in seconds."""

    text: str
    by: float | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What must have come of a call; whatever is not said is not checked. Times in seconds."""

    end: End = ""
    queue: str = ""
    heard: tuple[Heard, ...] = ()
    not_heard: tuple[str, ...] = ()
    max_silence: float | None = None
    max_seconds: float | None = None
    max_lambda_calls: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    passes: tuple[str, ...] = ()  # actions that the contact comes to
    avoids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One call. `known` is an answer that is there already; `models` serve one request after another, the last all others.

    `lambdas` are steps for functions by name, `faults` the errors or results that actions come to instead of doing their
    work, visit by visit. Times in seconds since the call began.
    """

    name: str
    question: str = "When do you open?"
    channel: Channel = "VOICE"
    caller: str = "+15550123"
    language: str = "en-US"
    attributes: Mapping[str, str] = field(default_factory=dict)
    hang_up_after: float | None = None
    keys: tuple[tuple[float, str], ...] = ()
    says: tuple[Turn, ...] = ()
    returns: tuple[float, ...] = ()
    known: tuple[str, ...] = ()
    models: tuple[Model, ...] = ()
    lambdas: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    faults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hours: Mapping[str, bool] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    queue_full: bool = False
    agent_after: float | None = None
    expect: Expected = field(default_factory=Expected)


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A file's scenarios, and what they share: `flow` says for which flow they are written (mode, module, path)."""

    scenarios: tuple[Scenario, ...]
    policy: WaitPolicy = field(default_factory=WaitPolicy)
    topic: str = "store-faq"
    flow: Mapping[str, Any] = field(default_factory=dict)


def read_scenarios(text: str) -> ScenarioFile:
    """The scenarios in a YAML text; ScenarioError names the place that cannot be read."""
    try:
        plain = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ScenarioError(f"this is not YAML: {error}") from error
    try:
        found = read_as(ScenarioFile, _spread_defaults(plain), shorthands={Heard: "text", WaitPrompt: "text"})
    except ReadingError as error:
        raise ScenarioError(str(error)) from error
    names = [scenario.name for scenario in found.scenarios]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ScenarioError(f"two scenarios are called {sorted(repeated)[0]!r}")
    return found


def _spread_defaults(plain: Any) -> Any:
    """The file with its defaults put into every scenario that does not say otherwise."""
    if not isinstance(plain, dict) or "defaults" not in plain:
        return plain
    rest = {name: value for name, value in plain.items() if name != "defaults"}
    if not isinstance(plain["defaults"], dict):
        raise ReadingError("defaults: a map was expected")
    if isinstance(rest.get("scenarios"), list):
        spread = [{**plain["defaults"], **one} if isinstance(one, dict) else one for one in rest["scenarios"]]
        rest["scenarios"] = spread
    return rest
