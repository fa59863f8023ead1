"""Runs scenarios against a flow, in virtual time, and says what was not as it must be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from connectgenai.wire.question import QuestionError
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy
from flows.coverage import Coverage, measure_coverage
from flows.generate import POLL, FlowSettingsError, build_flow
from flows.language import Flow
from flows.runner.contact import Caller
from flows.runner.engine import run_flow
from flows.runner.instance import Instance
from flows.runner.lambdas import Functions
from flows.runner.transcript import Transcript
from flows.runner.virtual_clock import VirtualClock
from flows.scenarios import Expected, Heard, Scenario, ScenarioError, ScenarioFile
from flows.stage import CONSUMER, PRODUCER, Stage, follow_scripts, make_topic

# Placeholders for what an instance has, in flows that are only rehearsed
ACCOUNT: Final = "us-east-1:111122223333"
EXAMPLE_ARNS: Final = {
    "producer_arn": f"arn:aws:lambda:{ACCOUNT}:function:{PRODUCER}:live",
    "consumer_arn": f"arn:aws:lambda:{ACCOUNT}:function:{CONSUMER}:live",
    "queue_arn": f"arn:aws:connect:{ACCOUNT}:instance/example/queue/BasicQueue",
}
RECORDING_SECONDS: Final = 3.0
# What a file may say of its flow, and what build_flow calls it
FLOW_SETTINGS: Final = {
    "mode": "mode",
    "module": "is_module",
    "language": "language",
    "question": "question",
    "hold_prompt_arn": "hold_prompt_arn",
    "interrupt_seconds": "interrupt_seconds",
}


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One scenario's call, what was wrong with it (nothing: it passed), and how long it took really, in seconds."""

    scenario: Scenario
    transcript: Transcript
    faults: tuple[str, ...]
    real_seconds: float


def make_rehearsed_flow(file: ScenarioFile) -> Flow:
    """The generated flow that a file of scenarios is written for: its mode, of its topic and policy.

    ScenarioError for settings that make no flow.
    """
    if unknown := sorted(file.flow.keys() - FLOW_SETTINGS.keys()):
        raise ScenarioError(f"flow: {unknown[0]!r} is not known here; known are {', '.join(FLOW_SETTINGS)}, or path")
    settings = {FLOW_SETTINGS[name]: value for name, value in file.flow.items()}
    mode = str(settings.pop("mode", POLL))
    try:
        return build_flow(mode, topic=file.topic, policy=file.policy, **{**EXAMPLE_ARNS, **settings})
    except FlowSettingsError as error:
        raise ScenarioError(f"flow: {error}") from error


def rehearse_all(
    file: ScenarioFile, flow: Flow, *, make_store: Callable[[], AnswerStore], modules: Mapping[str, Flow] | None = None
) -> tuple[list[Rehearsed], Coverage]:
    """Every scenario of a file, each with a store of its own, and the flow's branches that they took."""
    done = [rehearse(s, flow, file=file, store=make_store(), modules=modules) for s in file.scenarios]
    return done, measure_coverage(flow, [visit for one in done for visit in one.transcript.visits])


def rehearse(
    scenario: Scenario, flow: Flow, *, file: ScenarioFile, store: AnswerStore, modules: Mapping[str, Flow] | None = None
) -> Rehearsed:
    """One scenario's call; ScenarioError where it cannot be set up."""
    began = time.perf_counter()
    with VirtualClock() as clock:
        topic = make_topic(file.policy, name=file.topic, language=scenario.language)
        stage = Stage(store, clock=clock, topic=topic, models=scenario.models)
        if scenario.known:
            _know(stage, scenario)
        transcript = run_flow(
            flow,
            caller=_make_caller(scenario),
            invoke=Functions(follow_scripts(stage.functions(), scenario.lambdas, clock=clock)),
            clock=clock,
            instance=replace(_make_instance(scenario, file.policy), modules=modules or {}),
        )
    faults = tuple(find_faults(scenario.expect, transcript))
    return Rehearsed(scenario, transcript, faults, time.perf_counter() - began)


def _know(stage: Stage, scenario: Scenario) -> None:
    try:
        stage.know(scenario.question, scenario.known, language=scenario.language)
    except QuestionError as error:
        raise ScenarioError(f"scenario {scenario.name!r}: known: no question can be answered: {error}") from error


def _make_caller(scenario: Scenario) -> Caller:
    return Caller(
        address=scenario.caller,
        channel=scenario.channel,
        language=scenario.language,
        contact_id="00000000-0000-4000-8000-000000000001",
        attributes={"question": scenario.question, **scenario.attributes},
        hang_up_after=scenario.hang_up_after,
        keys=scenario.keys,
        turns=scenario.says,
        returns=scenario.returns,
    )


def _make_instance(scenario: Scenario, policy: WaitPolicy) -> Instance:
    lengths = {policy.comfort_audio: policy.comfort_seconds} if policy.comfort_seconds else {}
    return Instance(
        hours=scenario.hours,
        metrics=scenario.metrics,
        is_queue_full=scenario.queue_full,
        agent_after=scenario.agent_after,
        audio_seconds=lambda uri: lengths.get(uri, RECORDING_SECONDS),
        faults=scenario.faults,
    )


def find_faults(expected: Expected, transcript: Transcript) -> Iterator[str]:
    """What was not as it must be, in sentences."""
    found = transcript
    if expected.end and found.end != expected.end:
        yield f"the call ended by {found.end!r}{f' ({found.why})' if found.why else ''}, not by {expected.end!r}"
    if expected.queue and found.queue.rpartition("/")[2] != expected.queue.rpartition("/")[2]:
        yield f"the contact came to the queue {found.queue!r}, not {expected.queue!r}"
    if not found.is_proper:
        yield f"the call did not end properly: {found.end}: {found.why}"
    yield from _find_words(expected, found)
    yield from _find_excess(expected, found)
    for name, value in expected.attributes.items():
        if found.attributes.get(name, "") != value:
            yield f"the attribute {name} is {found.attributes.get(name, '')!r}, not {value!r}"
    passed = {visit.action for visit in found.visits}
    yield from (f"the contact never came to {name}" for name in expected.passes if name not in passed)
    yield from (f"the contact came to {name}" for name in expected.avoids if name in passed)


def _find_words(expected: Expected, found: Transcript) -> Iterator[str]:
    for heard in expected.heard:
        at = _find_time(heard, found)
        if at is None:
            since = f" after {heard.after:g} s" if heard.after is not None else ""
            yield f"{heard.text!r} was never heard{since}"
        elif heard.by is not None and at > heard.by:
            yield f"{heard.text!r} was heard after {at:.2f} s, not by {heard.by:g} s"
    for text in expected.not_heard:
        if (at := found.find_heard(text)) is not None:
            yield f"{text!r} was heard, after {at:.2f} s"


def _find_time(heard: Heard, found: Transcript) -> float | None:
    return found.find_heard(heard.text, after=heard.after or 0.0)


def _find_excess(expected: Expected, found: Transcript) -> Iterator[str]:
    limits: tuple[tuple[str, Any, float], ...] = (
        ("the longest silence was {:.2f} s, more than {:g} s", expected.max_silence, found.longest_silence),
        ("the call took {:.2f} s, more than {:g} s", expected.max_seconds, found.seconds),
        ("there were {:.0f} Lambda calls, more than {:g}", expected.max_lambda_calls, found.lambda_calls),
    )
    for words, most, value in limits:
        if most is not None and value > most + 1e-6:
            yield words.format(value, most)
