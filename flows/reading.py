"""Reads plain values, as YAML gives them, into dataclasses by the types of their fields; says the place of what is wrong."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
# Classes that may be given as a text alone, and the field that the text then is
Shorthands = Mapping[type, str]


class ReadingError(ValueError):
    """A value is not what belongs in its place; the message names both."""


def read_as(kind: type[T], plain: Any, *, place: str = "", shorthands: Shorthands | None = None) -> T:
    """An object of the dataclass `kind`; ReadingError for what it does not take, or lacks."""
    found: T = _Reader(shorthands or {}).read(kind, plain, place)
    return found


class _Reader:
    def __init__(self, shorthands: Shorthands) -> None:
        self._shorthands = shorthands

    def read(self, kind: Any, plain: Any, place: str) -> Any:
        origin, inner = get_origin(kind), get_args(kind)
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            return self._read_object(kind, plain, place)
        if origin is Literal:
            return _read_choice(inner, plain, place)
        if origin in (Union, types.UnionType):
            return None if plain is None else self.read(inner[0], plain, place)
        if origin is tuple:
            return self._read_tuple(inner, plain, place)
        if origin in (Mapping, dict) or (isinstance(origin, type) and issubclass(origin, Mapping)):
            return self._read_map(inner[1], plain, place)
        return plain if kind is Any else _read_scalar(kind, plain, place)

    def _read_object(self, kind: type, plain: Any, place: str) -> Any:
        if isinstance(plain, str) and kind in self._shorthands:
            plain = {self._shorthands[kind]: plain}
        _expect_map(plain, place)
        if isinstance(plain.get("name"), str):
            place = f"{kind.__name__.lower()} {plain['name']!r}"
        kinds = get_type_hints(kind)
        for name in plain:
            if name not in kinds:
                raise ReadingError(f"{place or 'the file'}: {name!r} is not known here; known are {', '.join(kinds)}")
        missing = [f.name for f in dataclasses.fields(kind) if _is_required(f) and f.name not in plain]
        if missing:
            raise ReadingError(f"{place or 'the file'}: {missing[0]!r} is missing")
        return kind(**{name: self.read(kinds[name], value, _join(place, name)) for name, value in plain.items()})

    def _read_tuple(self, kinds: tuple[Any, ...], plain: Any, place: str) -> tuple[Any, ...]:
        if kinds[-1] is not Ellipsis:
            if not isinstance(plain, list) or len(plain) != len(kinds):
                raise ReadingError(f"{place}: {len(kinds)} values were expected, such as [3.5, 1], not {plain!r}")
            return tuple(self.read(kind, one, place) for kind, one in zip(kinds, plain, strict=True))
        listed = plain if isinstance(plain, list) else [plain]
        return tuple(self.read(kinds[0], one, f"{place} {number}") for number, one in enumerate(listed, start=1))

    def _read_map(self, kind: Any, plain: Any, place: str) -> dict[str, Any]:
        _expect_map(plain, place)
        return {str(name): self.read(kind, value, _join(place, str(name))) for name, value in plain.items()}


def _join(place: str, name: str) -> str:
    return f"{place}, {name}" if place else name


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _expect_map(plain: Any, place: str) -> None:
    if not isinstance(plain, dict):
        raise ReadingError(f"{place or 'the file'}: a map was expected, not {_name(plain)}")


def _read_choice(choices: tuple[Any, ...], plain: Any, place: str) -> Any:
    if plain not in choices:
        raise ReadingError(f"{place}: one of {', '.join(filter(None, choices))} was expected, not {plain!r}")
    return plain


def _read_scalar(kind: Any, plain: Any, place: str) -> Any:
    is_number = isinstance(plain, int | float) and not isinstance(plain, bool)
    if kind is str and isinstance(plain, str | int | float | bool):
        return str(plain)
    if kind is bool and isinstance(plain, bool):
        return plain
    if kind is int and isinstance(plain, int) and is_number and plain >= 0:
        return plain
    if kind is float and is_number and math.isfinite(plain) and plain >= 0:
        return float(plain)
    words = {str: "a text", bool: "true or false", int: "a whole number", float: "a number, 0 or more,"}
    raise ReadingError(f"{place}: {words[kind]} was expected, not {_name(plain)}")


def _name(plain: Any) -> str:
    if isinstance(plain, dict | list):
        return "a map" if isinstance(plain, dict) else "a list"
    return "nothing" if plain is None else repr(plain)
