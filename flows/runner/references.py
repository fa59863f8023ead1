"""References such as $.External.text: what a flow's parameters say once they are looked up during a contact.

Source: Connect admin guide, "List of available contact attributes and their JSONPath references".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_STEP = r"(?:\.[A-Za-z_][\w-]*|\[['\"][^'\"]*['\"]\])"
_REFERENCE = re.compile(rf"\${_STEP}+")
_STEPS = re.compile(r"\.([A-Za-z_][\w-]*)|\[['\"]([^'\"]*)['\"]\]")


def resolve(value: Any, known: Mapping[str, Any]) -> Any:
    """A parameter's value with every reference in it looked up; what is not known is an empty text."""
    if isinstance(value, str):
        return resolve_text(value, known) if "$" in value else value
    if isinstance(value, Mapping):
        return {key: resolve(inner, known) for key, inner in value.items()}
    return [resolve(inner, known) for inner in value] if isinstance(value, list) else value


def resolve_text(text: str, known: Mapping[str, Any]) -> str:
    """A text with every reference in it replaced by what it refers to."""
    return _REFERENCE.sub(lambda found: to_text(look_up(found[0], known)), text)


def look_up(reference: str, known: Mapping[str, Any]) -> Any:
    """What a reference leads to; None where there is nothing, and for lists, which a flow cannot reach into."""
    found: Any = known
    for dotted, quoted in _STEPS.findall(reference):
        found = found.get(dotted or quoted) if isinstance(found, Mapping) else None
    return None if isinstance(found, list) else found


def to_text(value: Any) -> str:
    """A value as the flow sees it: all that a flow reads is text."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
