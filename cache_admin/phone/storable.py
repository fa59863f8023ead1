"""Texts out of a customer's file, as any database takes them."""

from __future__ import annotations

from typing import Any


def make_storable(value: Any) -> Any:
    """The JSON value without NUL and halves of surrogate pairs, which PostgreSQL refuses in texts and in JSON."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {make_storable(key): make_storable(inner) for key, inner in value.items()}
    return [make_storable(inner) for inner in value] if isinstance(value, list | tuple) else value
