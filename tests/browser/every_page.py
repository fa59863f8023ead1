"""Every page that the site has, found by its addresses, so that a new page cannot be forgotten."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver, reverse

# What an address wants beside the row of its own model
ARGUMENTS: Final[Mapping[str, Any]] = {
    "kind": "csv", "version": 1, "number": 1, "key": "store-faq.x", "deed": "0" * 32, "call": uuid.UUID(int=1), "content_type_id": 1,
    "organization_slug": "company", "provider_id": "oidc", "app_label": "cache_admin",
}  # fmt: skip
# Addresses that speak another name's rows, or other words
OTHERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "cache_admin_topic_document": {"kind": "document"},
    "cache_admin_topic_document_file": {"kind": "document"},
    "people_begin": {"kind": "oidc"},
}
# What is not there unless it is configured, or was begun a moment before; its own tests open it
NOT_HERE: Final = (
    "saml_", "openid_connect_", "people_begin", "socialaccount_", "view_on_site", "account_", "mfa_authenticate", "mfa_reauthenticate",
    "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_deactivate_totp", "phone_", "cache_admin_topic_draft",
    "cache_admin_call_sound", "cache_admin_waitpolicy_sound", "cache_admin_waitpolicy_preview",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """An address with its name; a GET may show a page there."""

    name: str
    path: str


def find_places(rows: Mapping[str, str]) -> list[Place]:
    """All addresses; `rows` has one row of each model, by the beginning of its addresses' names."""
    found = [Place(name, _fill(full, name, parameters, rows)) for full, name, parameters in _walk(get_resolver(), "")]
    return [place for place in found if place.path]


def _walk(resolver: Any, space: str) -> Iterator[tuple[str, str, Iterable[str]]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _walk(entry, f"{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern) and entry.name:
            yield f"{space}{entry.name}", entry.name, _find_parameters(entry.pattern)


def _find_parameters(pattern: Any) -> Iterable[str]:
    return [*pattern.converters, *pattern.regex.groupindex]


def _fill(full: str, name: str, parameters: Iterable[str], rows: Mapping[str, str]) -> str:
    """The address; "" for one of a model that has no row, and whose pages about one row cannot be opened."""
    row = next((pk for model, pk in rows.items() if name.startswith(f"{model}_")), None)
    known = {**ARGUMENTS, **OTHERS.get(name, {})}
    wanted = {parameter: known.get(parameter, row) for parameter in parameters}
    return "" if None in wanted.values() else reverse(full, kwargs=wanted)


def is_here(name: str) -> bool:
    """Whether a plain installation has it."""
    return not name.startswith(NOT_HERE)
