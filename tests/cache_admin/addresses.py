"""Every address of the site, from Django's own list of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True, slots=True)
class Address:
    """One pattern: its full name, and the names of what has to be filled in."""

    name: str
    parts: tuple[str, ...]


def list_addresses() -> list[Address]:
    """All, in their order, each name once; static files and Django's catch-all, which have no page of ours, are left out."""
    found = {address.name: address for address in _walk(get_resolver().url_patterns, "")}
    return list(found.values())


def _walk(patterns: list[URLPattern | URLResolver], namespace: str) -> Iterator[Address]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, inner)
        elif pattern.name:
            yield Address(f"{namespace}{pattern.name}", tuple(pattern.pattern.regex.groupindex))
