"""Scenarios: who calls, what is asked, how the model behaves, and what must be heard by when. docs/flows.md explains the format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import yaml

from connectgenai.wire.waiting import WaitPolicy
from flows.runner.contact import Turn
from flows.stage import Model

T = TypeVar("T")
Plain = Mapping[str, Any]


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

    end: str = ""
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
    channel: str = "VOICE"
    caller: str = "+15550123"
    language: str = "en-US"
    attributes: Mapping[str, str] = field(default_factory=dict)
    hang_up_after: float | None = None
    keys: tuple[tuple[float, str], ...] = ()
    says: tuple[Turn, ...] = ()
    returns: tuple[float, ...] = ()
    known: tuple[str, ...] = ()
    models: tuple[Model, ...] = ()
    lambdas: Mapping[str, Any] = field(default_factory=dict)
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
        plain = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ScenarioError(f"this is not YAML: {error}") from error
    shared = plain.get("defaults", {}) if isinstance(plain, dict) else {}
    plain = {name: value for name, value in plain.items() if name != "defaults"} if isinstance(plain, dict) else plain
    if isinstance(plain, dict) and isinstance(plain.get("scenarios"), list):
        plain["scenarios"] = [{**shared, **one} if isinstance(one, dict) else one for one in plain["scenarios"]]
    found = _build(ScenarioFile, plain, "the file", policy=_read_policy, scenarios=_list_of(_read_scenario))
    names = [scenario.name for scenario in found.scenarios]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ScenarioError(f"two scenarios are called {sorted(repeated)[0]!r}")
    return found


Reader = Callable[[Any, str], Any]


def _build(kind: type[T], plain: Any, place: str, **readers: Reader) -> T:
    """An object of a class from a map of its fields, each read by its reader or taken as it is."""
    if not isinstance(plain, dict):
        raise ScenarioError(f"{place}: a map was expected, not {type(plain).__name__}")
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    for name in plain:
        if name not in known:
            raise ScenarioError(f"{place}: {name!r} is not known here; known are {', '.join(sorted(known))}")
    values = {n: readers[n](value, f"{place}, {n}") if n in readers else value for n, value in plain.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ScenarioError(f"{place}: {str(error).partition(') ')[2] or error}") from error


def _list_of(read: Reader) -> Reader:
    def read_list(plain: Any, place: str) -> tuple[Any, ...]:
        listed = plain if isinstance(plain, list) else [plain]
        return tuple(read(one, f"{place} {number}") for number, one in enumerate(listed, start=1))

    return read_list


def _read_scenario(plain: Any, place: str) -> Scenario:
    place = f"scenario {plain['name']!r}" if isinstance(plain, dict) and "name" in plain else place
    return _build(
        Scenario,
        plain,
        place,
        expect=_read_expected,
        keys=_list_of(_read_key),
        known=_list_of(_read_text),
        models=_list_of(_read_model),
        says=_list_of(lambda one, at: _build(Turn, one, at)),
        returns=_list_of(_read_number),
        hang_up_after=_read_number,
        agent_after=_read_number,
        attributes=_map_of(_read_text),
        faults=_map_of(_list_of(_read_text)),
        lambdas=_map_of(_list_of(_read_step)),
    )


def _read_expected(plain: Any, place: str) -> Expected:
    return _build(
        Expected,
        plain,
        place,
        heard=_list_of(_read_heard),
        not_heard=_list_of(_read_text),
        passes=_list_of(_read_text),
        avoids=_list_of(_read_text),
        attributes=_map_of(_read_text),
        max_silence=_read_number,
        max_seconds=_read_number,
        max_lambda_calls=_read_number,
    )


def _read_heard(plain: Any, place: str) -> Heard:
    return Heard(plain) if isinstance(plain, str) else _build(Heard, plain, place, by=_read_number, after=_read_number)


def _read_model(plain: Any, place: str) -> Model:
    return _build(
        Model, plain, place, chunks=_list_of(_read_text), first_chunk=_read_number, every=_read_number, fails=_read_text
    )


def _read_step(plain: Any, place: str) -> Plain:
    if not isinstance(plain, dict) or not plain.keys() <= {"seconds", "error", "reply", "times"}:
        raise ScenarioError(f"{place}: a step has seconds, error or reply, perhaps times, and nothing else")
    return plain


def _read_key(plain: Any, place: str) -> tuple[float, str]:
    if not isinstance(plain, list) or len(plain) != 2:
        raise ScenarioError(f"{place}: a key is a pair of seconds and key, such as [3.5, 1]")
    return _read_number(plain[0], place), str(plain[1])


def _map_of(read: Reader) -> Reader:
    def read_map(plain: Any, place: str) -> dict[str, Any]:
        if not isinstance(plain, dict):
            raise ScenarioError(f"{place}: a map was expected, not {type(plain).__name__}")
        return {str(name): read(value, f"{place}, {name}") for name, value in plain.items()}

    return read_map


def _read_text(plain: Any, place: str) -> str:
    if isinstance(plain, dict | list) or plain is None:
        raise ScenarioError(f"{place}: a text was expected, not {type(plain).__name__}")
    return str(plain)


def _read_number(plain: Any, place: str) -> float:
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        raise ScenarioError(f"{place}: a number of seconds was expected, not {plain!r}")
    return float(plain)


def _read_policy(plain: Any, place: str) -> WaitPolicy:
    if not isinstance(plain, dict) or not plain.keys() <= {f.name for f in fields(WaitPolicy)}:
        raise ScenarioError(f"{place}: known are {', '.join(f.name for f in fields(WaitPolicy))}")
    prompts = [{"text": one} if isinstance(one, str) else one for one in plain.get("prompts", ())]
    try:
        return WaitPolicy.from_dict({**plain, "prompts": prompts})
    except TypeError as error:
        raise ScenarioError(f"{place}, prompts: {error}") from error
