"""What makes every page of the admin leave its entry: Django asks each ModelAdmin to log what was done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest

from cache_admin.audit.changes import find_changes
from cache_admin.audit.recording import record_decisions
from cache_admin.audit.verbs import ADDED, CHANGED, DELETED


class AuditedPages:
    """For every ModelAdmin, before Django's own class: the trail first, Django's history after."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Django asks for its message once the form is saved: then its changes are noted for the trail."""
        request.audit_changes = find_changes(form, formsets, add=add)  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)  # type: ignore[misc]

    def log_addition(self, request: HttpRequest, obj: Model, message: Any, **facts: Any) -> Any:
        """Something is new."""
        record_decisions(request, [obj], ADDED, **facts)
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Model, message: Any, **facts: Any) -> Any:
        """Something has changed; `before`, `after` and `why` may be given where the page knows better."""
        record_decisions(request, [obj], CHANGED, **facts)
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        """Something is about to go."""
        rows = list(queryset)
        record_decisions(request, rows, DELETED)
        return super().log_deletions(request, rows)  # type: ignore[misc]


def make_audited(admin_class: type[ModelAdmin[Any]]) -> type[ModelAdmin[Any]]:
    """The class, or one made of it, whose pages leave entries: other apps' classes do not know of the trail."""
    if issubclass(admin_class, AuditedPages):
        return admin_class
    return type(f"Audited{admin_class.__name__}", (AuditedPages, admin_class), {"__module__": __name__})
