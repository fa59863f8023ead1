"""Entering decisions: who, from where, what, with what was before and what is since."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from cache_admin.audit.chain import append
from cache_admin.audit.describing import Facts, describe, find_difference, find_label, find_marks, find_topic
from cache_admin.audit.verbs import ADDED, DELETED, find_verb
from cache_admin.models import AuditEntry

_WHY = ("why", "reason", "comment", "note")  # what a page calls the field in which it asks for it


def record(
    request: HttpRequest | None,
    verb: str,
    obj: Model | None = None,
    *,
    before: Facts | None = None,
    after: Facts | None = None,
    why: str = "",
    **more: Any,
) -> AuditEntry:
    """Enters one decision; DatabaseError when it could not be entered."""
    entry = make_entry(request, verb, obj, before=before, after=after, why=why, **more)
    _keep(request, [entry])
    return entry


def record_decisions(
    request: HttpRequest,
    objects: Iterable[Model],
    how: str,
    *,
    before: Facts | None = None,
    after: Facts | None = None,
    why: str = "",
) -> None:
    """Enters what a page of the admin did to some objects, all or none.

    Unless they are given, before and after are what the form has changed; or else what the object that was loaded says,
    beside its row as it is now.
    """
    entries, chosen = [], list(objects)
    rows = type(chosen[0])._default_manager.in_bulk([obj.pk for obj in chosen]) if chosen else {}
    for obj in chosen:
        old, new = (
            (before or {}, after or {}) if before or after else _find_changes(request, obj, how, rows.get(obj.pk))
        )
        verb = find_verb(request, obj, how)
        entries.append(make_entry(request, verb, obj, before=old, after=new, why=why or _read_why(request)))
    _keep(request, entries)


def _find_changes(request: HttpRequest, obj: Model, how: str, row: Model | None) -> tuple[Facts, Facts]:
    if how == DELETED:
        return describe(obj), {}
    noted: tuple[Facts, Facts] | None = request.__dict__.pop("audit_changes", None)
    marks = find_marks(row) if row else {}
    if noted is not None and obj._meta.model_name != "cachedanswer":
        return noted[0], {**noted[1], **marks}
    found = {} if how == ADDED else describe(obj)
    loaded = noted[0] if noted else {}  # a form has written over it
    found |= {name: loaded[name] for name in found.keys() & loaded.keys()}
    old, new = find_difference(found, describe(row) if row else {})  # the mirror's rows are not what a form saves
    return old, {**new, **marks}


def _read_why(request: HttpRequest) -> str:
    return next((request.POST[name] for name in _WHY if request.POST.get(name)), "")


def make_entry(
    request: HttpRequest | None,
    verb: str,
    obj: Model | None = None,
    *,
    before: Facts | None = None,
    after: Facts | None = None,
    why: str = "",
    **more: Any,
) -> AuditEntry:
    """An entry that is not in the chain yet."""
    about = (
        {"kind": obj._meta.label_lower, "object_id": str(obj.pk), "label": find_label(obj), "topic": find_topic(obj)}
        if obj
        else {}
    )
    texts = {**read_person(request), **about, **more, "why": why, "verb": verb}
    return AuditEntry(
        at=timezone.now(),
        before=_to_json(before),
        after=_to_json(after),
        **{name: fit_text(AuditEntry, name, text) for name, text in texts.items()},
    )


def read_person(request: HttpRequest | None) -> dict[str, str]:
    """Who it is, from where if that is to be kept, and the click that all of it belongs to."""
    user = getattr(request, "user", None)
    return {
        "user_pk": str(getattr(user, "pk", None) or ""),
        "user_name": user.get_username() if user else "",
        "address": read_address(request),
        "deed": name_deed(request),
    }


def read_address(request: HttpRequest | None) -> str:
    """As the proxy next to us has written it: what comes before the last comma may be anybody's word."""
    found = request.META.get(settings.AUDIT_ADDRESS, "") if request and settings.AUDIT_ADDRESS else ""
    return str(found).rpartition(",")[2].strip()


def name_deed(request: HttpRequest | None) -> str:
    """One name for all that a request does."""
    if request is None:
        return uuid.uuid4().hex
    name: str = request.__dict__.setdefault("audit_deed", uuid.uuid4().hex)
    return name


def fit_text(model: type[Model], name: str, text: Any) -> Any:
    """What the column takes on any database: no NUL, no half characters, not too long."""
    if not isinstance(text, str):
        return text
    field: Any = model._meta.get_field(name)
    return text.replace("\0", "").encode("utf-8", "replace").decode()[: field.max_length]


def _to_json(facts: Facts | None) -> str:
    return json.dumps(facts or {}, ensure_ascii=True, default=str)


def _keep(request: HttpRequest | None, entries: Sequence[AuditEntry]) -> None:
    append(entries)
    if request is not None:
        request.__dict__.setdefault("audit_entries", []).extend(entries)
