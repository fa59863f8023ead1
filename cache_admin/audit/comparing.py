"""An entry's before and after, side by side, as a page shows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cache_admin.models import AuditEntry
from cache_admin.services.versions import Piece, compare_texts


@dataclass(frozen=True, slots=True)
class Compared:
    """One field: what only the old value has is marked `gone`, what only the new one has `new`."""

    name: str
    left: list[Piece]
    right: list[Piece]


def compare_entry(entry: AuditEntry) -> list[Compared]:
    """Field by field, in the order in which they were entered."""
    old, new = entry.old, entry.new
    return [Compared(name, *compare_texts(_show(old.get(name)), _show(new.get(name)))) for name in {**old, **new}]


def _show(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_show(part)}" for name, part in value.items() if part not in (None, ""))
    if isinstance(value, list):
        return ", ".join(map(_show, value))
    return value if isinstance(value, str) else json.dumps(value)
