"""The shapes in which a flow lies on disk, each reduced to the flow's content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flows.decoding import Decoded, decode_json
from flows.flow_error import FlowError
from flows.flow_types import MODULE, read_flow_type

WRAPPERS = ("ContactFlow", "ContactFlowModule")
EXPECTED = (
    "Give an export of the console, the output of 'aws connect describe-contact-flow' (or -module),"
    " or the flow's Content alone."
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A flow's content, and what the file says around it; `length` is the Content's, where it stood as text."""

    content: Mapping[str, Any]
    name: str = ""
    declared_type: str = ""
    settings: Any = None
    length: int = 0
    repeated_keys: tuple[str, ...] = field(default=())


def open_envelope(decoded: Decoded) -> Envelope:
    """The flow content inside a decoded file, in whichever shape; raises FlowError with what it is instead."""
    envelope = _unwrap(decoded.value, Envelope({}, repeated_keys=decoded.repeated_keys), levels=4)
    if not isinstance(envelope.content.get("Actions"), list):
        raise FlowError("'Actions' is no list.", rule="NOT_A_FLOW", place="Actions", advice=EXPECTED)
    return envelope


def _unwrap(value: Any, around: Envelope, *, levels: int) -> Envelope:
    if isinstance(value, str) and levels:
        return _unwrap_text(value, around, levels=levels - 1)
    if not isinstance(value, dict):
        raise FlowError(f"It is {_describe(value)}, not a flow.", rule="NOT_A_FLOW", advice=EXPECTED)
    if "Actions" in value:
        return replace(around, content=value)
    if isinstance(value.get("modules"), list):
        raise _legacy()
    for wrapper in WRAPPERS:
        if isinstance(value.get(wrapper), dict):
            kind = MODULE if wrapper == "ContactFlowModule" else ""
            return _unwrap(value[wrapper], replace(around, declared_type=kind), levels=levels)
    if "Content" in value:
        return _unwrap(value["Content"], _read_label(value, around), levels=levels)
    raise FlowError(f"It holds no flow: {_describe(value)}.", rule="NOT_A_FLOW", advice=EXPECTED)


def _unwrap_text(text: str, around: Envelope, *, levels: int) -> Envelope:
    """Content stands as JSON in a JSON string, in describe output and in `--query ContactFlow.Content`."""
    inner = decode_json(text, within="Content")
    keys = (*around.repeated_keys, *inner.repeated_keys)
    return _unwrap(inner.value, replace(around, length=len(text), repeated_keys=keys), levels=levels)


def _read_label(value: dict[str, Any], around: Envelope) -> Envelope:
    name = value.get("Name")
    return replace(
        around,
        name=name if isinstance(name, str) else "",
        declared_type=around.declared_type or read_flow_type(value.get("Type")),
        settings=value.get("Settings"),
    )


def _legacy() -> FlowError:
    return FlowError(
        "It is an export of the console before 2022 ('modules' with 'branches'), which today's API and this linter"
        " do not read.",
        rule="LEGACY_EXPORT",
        place="modules",
        advice="Import it into Amazon Connect with the console's Import, publish it, and export it again.",
    )


def _describe(value: Any) -> str:
    if isinstance(value, dict):
        if "AWSTemplateFormatVersion" in value or "Resources" in value:
            return "a CloudFormation template (lint the Content of each AWS::Connect::ContactFlow in it)"
        if "ContactFlowSummaryList" in value:
            return "a list of flows' names (describe each flow to get its Content)"
        if "StartAction" in value:
            return "a flow without 'Actions'"
        return f"an object with the keys {', '.join(map(repr, list(value)[:6]))}" if value else "an empty object"
    names = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")
