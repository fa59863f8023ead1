"""Filters of the review queue and of the list of approved answers: each has its index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

from cache_admin.models import ReviewItem


class _WithDefault(admin.SimpleListFilter):
    """One of the choices holds while nobody has chosen; there is no "all" beside them."""

    default = ""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """All choices, and which of them holds."""
        for value, title in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": self.wish == str(value), "query_string": query, "display": title}

    @property
    def wish(self) -> str:
        """What was chosen, or the default."""
        return self.value() or self.default


class StateFilter(_WithDefault):
    """What waits for a decision, unless something else is chosen."""

    title = _("state")
    parameter_name = "state"
    default = ReviewItem.State.IN_REVIEW

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The states, and all of them."""
        return [*ReviewItem.State.choices, ("all", _("All"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the state."""
        return queryset if self.wish == "all" else queryset.filter(state=self.wish)


class OwnerFilter(admin.SimpleListFilter):
    """Mine, or nobody's."""

    title = _("owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Two that matter."""
        return [("me", _("mine")), ("nobody", _("nobody's"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of whoever looks, or those without an owner."""
        if self.value() == "me":
            return queryset.filter(owner=request.user.pk)
        return queryset.filter(owner=None) if self.value() == "nobody" else queryset


class DueFilter(_WithDefault):
    """What is due, unless something else is chosen."""

    title = _("due")
    parameter_name = "due"
    default = "now"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """By date."""
        return [("now", _("due")), ("later", _("later")), ("all", _("every date"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows whose day has come, or has not."""
        today = localdate(timezone.now())
        if self.wish == "now":
            return queryset.filter(verify_by__lte=today)
        return queryset.filter(verify_by__gt=today) if self.wish == "later" else queryset
