"""An entry's before and after, side by side, as a page shows them: in words, and with texts that the trail itself does not hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cache_admin.audit.describing import NOT_KEPT, read_text
from cache_admin.models import AuditEntry, CachedAnswer
from cache_admin.services.versions import Piece, compare_texts

_NAMES = {
    "text": gettext_lazy("text"),
    "run": gettext_lazy("text"),
    "questions": gettext_lazy("questions"),
    "topics": gettext_lazy("topics"),
    "page": gettext_lazy("page"),
    "outcome": gettext_lazy("outcome"),
    "filters": gettext_lazy("filters"),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One field: what only the old value has is marked `gone`, what only the new one has `new`."""

    name: str
    left: list[Piece]
    right: list[Piece]


def compare_entry(entry: AuditEntry) -> list[Compared]:
    """Field by field, what callers hear first; texts of answers for as long as they are kept."""
    old, new = _with_texts(entry, entry.old), _with_texts(entry, entry.new)
    return [
        Compared(name_field(entry.kind, name), *compare_texts(_show(old.get(name)), _show(new.get(name))))
        for name in sorted({**old, **new}, key=lambda name: name != "text")
    ]


def _with_texts(entry: AuditEntry, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The run that wrote an answer's text gives way to that text; what only undoing needs is left out."""
    plain = {name: value for name, value in facts.items() if name not in ("run", "candidate", "shared", "first")}
    run = facts.get("run")
    answer = CachedAnswer.objects.filter(pk=entry.object_id).first() if run and "text" not in plain else None
    if run and "text" not in plain:
        version = read_text(str(run), answer=answer) if answer else None
        plain["text"] = version.text if version else _("(not kept any more)")
    return plain


def name_field(kind: str, name: str) -> str:
    """As forms call it; rows of a table by their kind and what they say."""
    if name in _NAMES:
        return str(_NAMES[name])
    first, _blank, rest = name.partition(" ")
    try:
        if rest:
            return f"{apps.get_model('cache_admin', first)._meta.verbose_name}: {rest}"
        return str(getattr(apps.get_model(kind)._meta.get_field(name), "verbose_name", name))
    except (LookupError, ValueError, FieldDoesNotExist):
        return name


def _show(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_show(part)}" for name, part in value.items() if part not in (None, ""))
    if isinstance(value, list):
        return ", ".join(map(_show, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return _show_text(str(value))


def _show_text(text: str) -> str:
    """A moment in the reader's own zone and words."""
    if text == NOT_KEPT:
        return _("(not kept here)")
    try:
        when = parse_datetime(text) if text[:2] == "20" and len(text) < 40 else None
    except ValueError:
        when = None
    return date_format(localtime(when), "DATETIME_FORMAT") if when is not None and when.tzinfo else text
