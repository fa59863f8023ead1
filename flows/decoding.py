"""Bytes or text into one JSON value, or a FlowError that says where the text stops being JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, NoReturn

from flows.flow_error import FlowError

# No export nests deeper than 20; past this, programs that walk the value by recursion would fail
DEEPEST = 100
ADVICE = "Export the flow again from Amazon Connect, or correct the text at this place."


@dataclass(frozen=True, slots=True)
class Decoded:
    """A JSON value, and the keys that an object in it holds twice (of which JSON keeps only the last)."""

    value: Any
    repeated_keys: tuple[str, ...]


def decode_json(source: bytes | str, *, within: str = "") -> Decoded:
    """The JSON in bytes (UTF-8, UTF-16 or UTF-32, with or without a byte order mark) or text; raises FlowError."""
    text = _decode_text(source) if isinstance(source, bytes) else source.removeprefix("\ufeff")
    if not text.strip():
        raise FlowError("There is nothing in it.", rule="NOT_JSON", place=within, advice=ADVICE)
    repeated: list[str] = []

    def read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            repeated.extend(sorted({name for name in names if names.count(name) > 1}))
        return found

    try:
        value = json.loads(
            text, object_pairs_hook=read_object, parse_constant=_refuse_constant, parse_float=_read_float
        )
    except json.JSONDecodeError as error:
        raise _explain(error, within=within) from error
    except RecursionError as error:
        raise _too_deep(within) from error
    except ValueError as error:
        raise FlowError(f"It holds a number that is none: {error}.", rule="NOT_JSON", place=within) from error
    if _is_deep(value):
        raise _too_deep(within)
    return Decoded(value, tuple(repeated))


def _decode_text(source: bytes) -> str:
    encoding = json.detect_encoding(source)
    try:
        return source.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise FlowError(
            f"It is no {encoding.upper()} text: byte {error.start + 1} belongs to no character.",
            rule="NOT_JSON",
            place=f"byte {error.start + 1}",
            advice="Save the file as UTF-8. (A zip or a picture is no flow; unpack it first.)",
        ) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _read_float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:20]} is too large")
    return value


def _explain(error: json.JSONDecodeError, *, within: str) -> FlowError:
    place = f"line {error.lineno}, column {error.colno}" + (f" of {within}" if within else "")
    near = error.doc[max(0, error.pos - 20) : error.pos + 20].strip()
    if "escape" in error.msg:
        escape = error.doc[error.pos : error.pos + 2]
        return FlowError(
            f"{escape!r} is no escape that JSON knows, near {near!r}.",
            rule="NOT_JSON",
            place=place,
            advice=r"""JSON escapes only \" \\ \/ \b \f \n \r \t and \u with four digits: write ' without a backslash.""",
        )
    return FlowError(f"It is not JSON: {error.msg}, near {near!r}.", rule="NOT_JSON", place=place, advice=ADVICE)


def _too_deep(within: str) -> FlowError:
    return FlowError(
        f"It nests deeper than {DEEPEST} levels, which no flow does.", rule="NOT_A_FLOW", place=within, advice=ADVICE
    )


def _is_deep(value: Any) -> bool:
    """Whether the value nests deeper than DEEPEST, found level by level, without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
