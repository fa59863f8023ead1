"""The parts of a topic and of a policy, edited on its page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import Model
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest
from django.utils.translation import gettext

from cache_admin.admin.typed import BaseInlineFormSet, TabularInline

C = TypeVar("C", bound=Model)
P = TypeVar("P", bound=Model)


class PartFormSet(BaseInlineFormSet[C, P, Any]):
    """The forms of an inline table."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """The box that deletes a row has no label in the table either."""
        super().add_fields(form, index)
        if DELETION_FIELD_NAME in form.fields:
            form.fields[DELETION_FIELD_NAME].widget.attrs["aria-label"] = gettext("Delete")


class PartInline(TabularInline[C, P]):
    """Who may change the whole may change its parts, and who may look at it sees them."""

    formset: Any = PartFormSet

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for the whole."""
        return self._may(request, "view") or self.has_add_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for the whole."""
        return self._may(request, "change") or self._may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for the whole."""
        return self.has_add_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for the whole."""
        return self.has_add_permission(request, obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """In a table the column's head is the label; a screen reader needs it at each field."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            getattr(field.widget, "widget", field.widget).attrs["aria-label"] = str(field.label)
        return field

    def _may(self, request: HttpRequest, action: str) -> bool:
        return request.user.has_perm(f"cache_admin.{action}_{self.parent_model._meta.model_name}")


def kept_forms(formset: Any) -> list[Any]:
    """The valid forms that stay: neither marked for deletion nor left empty."""
    return [
        form
        for form in formset.forms
        if hasattr(form, "cleaned_data")
        and not formset._should_delete_form(form)
        and (form.instance.pk or form.has_changed())
    ]


def kept_rows(formsets: Sequence[Any], model: type[Any]) -> list[Any] | None:
    """The rows that a model's formset will leave, saved or not, the old ones first; None when the page has no such formset."""
    for formset in formsets:
        if formset.model is model:
            return [form.instance for form in kept_forms(formset)]
    return None
