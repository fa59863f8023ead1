"""The values that parameters hold: static, dynamic (a JSONPath), or a placeholder that a deployment fills in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# ${LambdaArn}, {{queue}}, <QUEUE ID>, %%FLOW%%, REPLACE_ME, SELECT CONTACT FLOW
_PLACEHOLDER = re.compile(r"\$\{|\{\{|<%|%[A-Za-z%]|^<.*>$|^[\[{(].*[\])}]$|[A-Z]{2,}[A-Z_ -]*[A-Z]{2,}")
_REFERENCE = re.compile(r"\$(?:\.[A-Za-z_][\w-]*|\[['\"][^'\"]*['\"]\])+")
_EXTERNAL = re.compile(r"\$\.External(?:\.([\w-]+)|\[['\"]([^'\"]+)['\"]\])")
_FLOW_ATTRIBUTE = re.compile(r"\$\.FlowAttributes\.([\w-]+)")
_TAG = re.compile(r"<[^<>]*>")
INVOCATION_ID = "$.LambdaInvocation.InvocationId"


def is_dynamic(value: str) -> bool:
    """Whether Connect looks the value up during the contact."""
    return value.startswith(("$.", "$["))


def is_placeholder(value: str) -> bool:
    """Whether the value looks like one that is filled in when the flow is deployed."""
    return bool(_PLACEHOLDER.search(value))


def find_texts(value: Any) -> Iterator[str]:
    """Every text within a parameter's value; the decoder bounds how deep that is."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from find_texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from find_texts(inner)


def find_external_keys(value: Any) -> set[str]:
    """The keys of a Lambda's result ($.External.key) that the value mentions."""
    texts = (text for text in find_texts(value) if "External" in text)
    return {key or quoted for text in texts for key, quoted in _EXTERNAL.findall(text)}


def find_flow_attributes(value: Any) -> set[str]:
    """The flow attributes ($.FlowAttributes.name) that the value mentions."""
    return {name for text in find_texts(value) for name in _FLOW_ATTRIBUTE.findall(text)}


def mentions_invocation_id(value: Any) -> bool:
    """Whether the value mentions the id of the latest asynchronous Lambda."""
    return any(INVOCATION_ID in text for text in find_texts(value))


def count_spoken(text: str, *, is_ssml: bool) -> int:
    """The characters that are spoken for sure: without SSML's tags and without what is looked up during the contact."""
    plain = _TAG.sub("", text) if is_ssml else text
    return len(_REFERENCE.sub("", plain))


def read_seconds(value: Any) -> int | None:
    """A static whole number, of a text as exported or of a JSON number; None of anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value.strip(), re.ASCII):
        return int(value)
    return None
