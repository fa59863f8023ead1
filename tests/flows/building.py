"""Small flows for the tests of the flow language and the linter, written block by block."""

from __future__ import annotations

import json
from typing import Any

from flows.finding import Finding
from flows.language import Action, Flow, parse_flow
from flows.linter import lint

ARN = "arn:aws:lambda:eu-west-1:111122223333:function:"
END = Action.make("End", "DisconnectParticipant")


def say(name: str, then: str, **parameters: Any) -> Action:
    """A prompt; its failure goes the same way."""
    words = parameters or {"Text": "One moment, please."}
    return Action.make(
        name, "MessageParticipant", parameters=words, next_action=then, errors=[("NoMatchingError", then)]
    )


def call(name: str, then: str, *, failing: str = "End", seconds: str = "8", **parameters: Any) -> Action:
    """A synchronous Lambda of the block's own name, unless the parameters say otherwise."""
    known = {"LambdaFunctionARN": ARN + name, "InvocationTimeLimitSeconds": seconds, **parameters}
    return Action.make(
        name, "InvokeLambdaFunction", parameters=known, next_action=then, errors=[("NoMatchingError", failing)]
    )


def start(name: str, then: str, **parameters: Any) -> Action:
    """An asynchronous Lambda."""
    return call(name, then, seconds="60", InvocationType="ASYNCHRONOUS", **parameters)


def compare(name: str, value: str, otherwise: str, **ways: str) -> Action:
    """A comparison with texts: `yes="Here"` goes to Here if the value is yes."""
    return Action.make(
        name,
        "Compare",
        parameters={"ComparisonValue": value},
        next_action=otherwise,
        conditions=[("Equals", operand, target) for operand, target in ways.items()],
        errors=[("NoMatchingCondition", otherwise)],
    )


def loop(name: str, again: str, done: str, *, count: str = "20") -> Action:
    """A Loop block."""
    ways = [("Equals", "ContinueLooping", again), ("Equals", "DoneLooping", done)]
    return Action.make(name, "Loop", parameters={"LoopCount": count}, next_action=done, conditions=ways)


def save(name: str, then: str, value: str) -> Action:
    """A flow attribute that keeps a value."""
    attributes = {"FlowAttributes": {"kept": {"Value": value}}}
    return Action.make(
        name, "UpdateFlowAttributes", parameters=attributes, next_action=then, errors=[("NoMatchingError", then)]
    )


def wait(
    name: str, returned: str, *, playing: str, late: str = "End", identifier: str = "$.FlowAttributes.kept"
) -> Action:
    """A Wait for an asynchronous Lambda, with a Continue branch."""
    event = {"LambdaReturned": {"AsyncLambdaCompletionEvent": {"Identifier": identifier}}}
    return Action.make(
        name,
        "Wait",
        parameters={"TimeLimitSeconds": "60", "ContinueExecution": "TRUE", "InterruptibleEvents": event},
        next_action=late,
        conditions=[
            ("Equals", "Continue", playing),
            ("Equals", "LambdaReturned", returned),
            ("Equals", "WaitCompleted", late),
        ],
        errors=[("NoMatchingError", late)],
    )


def load(name: str, then: str, *, identifier: str = "$.FlowAttributes.kept") -> Action:
    """The result of an asynchronous Lambda."""
    errors = [("NoMatchingError", "End"), ("InProgress", "End")]
    parameters = {"LambdaInvocationId": identifier}
    return Action.make(name, "LoadLambdaFunctionResult", parameters=parameters, next_action=then, errors=errors)


def ask(name: str, then: str, **parameters: Any) -> Action:
    """A menu with one key."""
    known = {"Text": "Press 1.", "InputTimeLimitSeconds": "5", "StoreInput": "False", **parameters}
    errors = [(error, "End") for error in ("InputTimeLimitExceeded", "NoMatchingCondition", "NoMatchingError")]
    return Action.make(
        name,
        "GetParticipantInput",
        parameters=known,
        next_action="End",
        conditions=[("Equals", "1", then)],
        errors=errors,
    )


def make_flow(*actions: Action, **around: Any) -> Flow:
    """A flow that begins with the first of the actions and may come to End."""
    return Flow.make([*actions, END], start=actions[0].identifier, **around)


def change(action: Action, **body: Any) -> Action:
    """The same action with parts of its body replaced; a part that is None is taken away."""
    changed = {key: value for key, value in {**action.body, **body}.items() if value is not None}
    flow = {"Version": "2019-10-30", "StartAction": action.identifier, "Actions": [changed]}
    return parse_flow(json.dumps(flow)).actions[0]


def describe(flow: Flow, kind: str) -> str:
    """The flow as `aws connect describe-contact-flow` prints one of this type."""
    return json.dumps({"ContactFlow": {"Name": "Support", "Type": kind, "Content": flow.to_json()}})


def find(flow: Flow, **known: Any) -> set[tuple[str, str]]:
    """Which rules the linter finds broken, each with the action."""
    return {(found.rule, found.action) for found in lint(flow, **known)}


def pick(flow: Flow, rule: str, **known: Any) -> Finding:
    """The one finding of a rule."""
    (found,) = [found for found in lint(flow, **known) if found.rule == rule]
    return found
