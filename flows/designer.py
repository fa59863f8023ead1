"""What Connect's designer keeps beside a flow's actions: where it draws them, and how it shows their values."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from flows.language import Action
from flows.runner.lambdas import find_function_name

# A block is drawn some 200 pixels wide and, with its branches, up to 200 high
COLUMN: Final = 260
ROW: Final = 240
_NAMESPACE: Final = uuid.UUID("8b0f3a52-5d3c-4f8e-9a51-6a3f0a1d7c11")
# How the console spells the types of flow
CONSOLE_TYPES: Final = {"CONTACT_FLOW": "contactFlow", "CUSTOMER_QUEUE": "customerQueue", "MODULE": "contactFlowModule"}


def describe_flow(*, name: str, flow_type: str, description: str) -> dict[str, Any]:
    """A flow's metadata, without its actions'."""
    return {
        "entryPointPosition": {"x": 40, "y": 40},
        "ActionMetadata": {},
        "Annotations": [],
        "name": name,
        "description": description,
        "type": CONSOLE_TYPES[flow_type],
        "status": "PUBLISHED",
        "hash": {},
    }


def place_action(column: int, row: int) -> dict[str, Any]:
    """Where an action is drawn."""
    return {"position": {"x": 220 + column * COLUMN, "y": 40 + row * ROW}, "isFriendlyName": True}


def describe_action(action: Action) -> dict[str, Any]:
    """How the designer shows an action's values; empty where it needs no telling."""
    describe = _DESCRIBE.get(action.type)
    return describe(action) if describe else {}


def _describe_lambda(action: Action) -> dict[str, Any]:
    arn, given = action.parameters["LambdaFunctionARN"], action.parameters["LambdaInvocationAttributes"]
    shown = {"LambdaFunctionARN": {"displayName": find_function_name(arn)}}
    return {"parameters": shown, "dynamicMetadata": {name: _is_dynamic(value) for name, value in given.items()}}


def _describe_attributes(action: Action) -> dict[str, Any]:
    dynamic = [name for name, value in action.parameters["Attributes"].items() if _is_dynamic(value)]
    return {"parameters": {"Attributes": {name: {"useDynamic": True} for name in dynamic}}, "dynamicParams": dynamic}


def _describe_queue(action: Action) -> dict[str, Any]:
    name = action.parameters["QueueId"].rpartition("/")[2]
    return {"parameters": {"QueueId": {"displayName": name}}, "queue": {"text": name}}


def _describe_message(action: Action) -> dict[str, Any]:
    dynamic = [name for name in ("Text", "SSML") if _is_dynamic(action.parameters.get(name))]
    return {"parameters": {name: {"useDynamic": True} for name in dynamic}, "useDynamic": True} if dynamic else {}


def _describe_wait(action: Action) -> dict[str, Any]:
    timed = ("TimeLimitSeconds", "MinimumWaitTimeSeconds")
    shown = {name: {"unit": 1} for name in timed if name in action.parameters}
    return {"parameters": shown, "timeoutUnit": {"display": "Seconds", "value": "second"}}


def _describe_conditions(action: Action) -> dict[str, Any]:
    equals = {"name": "Equals", "value": "Equals", "shortDisplay": "="}
    shown = [
        {
            "id": str(uuid.uuid5(_NAMESPACE, f"{action.identifier} {way.operand}")),
            "operator": equals,
            "value": way.operand,
        }
        for way in action.conditions
    ]
    return {"conditions": [], "conditionMetadata": shown}


def _is_dynamic(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$.")


_DESCRIBE: Final[Mapping[str, Callable[[Action], dict[str, Any]]]] = {
    "InvokeLambdaFunction": _describe_lambda,
    "UpdateContactAttributes": _describe_attributes,
    "UpdateContactTargetQueue": _describe_queue,
    "MessageParticipant": _describe_message,
    "Wait": _describe_wait,
    "Compare": _describe_conditions,
}
