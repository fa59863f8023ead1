"""Lists of a million rows: pages that begin after a row instead of at a number, and nothing counted."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.admin import ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.timezone import is_naive

from cache_admin.admin.typed import ModelAdmin

CURSOR = "cursor"
M = TypeVar("M", bound=Model)


class OnePage(Paginator):  # type: ignore[type-arg]  # takes none at run time
    """What the stock templates ask of a paginator, when only this page is known."""

    def __init__(self, rows: Sequence[Any]) -> None:
        super().__init__(rows, max(1, len(rows)))


class KeysetChangeList(ChangeList):
    """Newer and older pages by (order column, primary key): no page costs more for lying deep, and there is no COUNT.

    The order column must not hold NULL.
    """

    older_link = newer_link = remark = ""

    def __init__(self, request: HttpRequest, *arguments: Any, **named: Any) -> None:
        self._cursor = request.GET.get(CURSOR, "")
        super().__init__(request, *arguments, **named)
        for known in (self.params, self.filter_params):  # another filter or order begins at its first page
            known.pop(CURSOR, None)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """The filters' parameters; the cursor is none."""
        found: dict[str, Any] = super().get_filters_params(params)
        found.pop(CURSOR, None)
        return found

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """One column, and the primary key in the same direction: so the index has it."""
        column = str(super().get_ordering(request, queryset)[0])
        return [column, "-pk" if column.startswith("-") else "pk"]

    def get_results(self, request: HttpRequest) -> None:
        """The page after the cursor, or before it; one row more than is shown tells whether there is a further page."""
        column = str(self.queryset.query.order_by[0])
        is_back, after = self._read_cursor(column)
        rows = self.queryset if after is None else self.queryset.filter(self._beyond(column, is_back, *after))
        found = list((rows.reverse() if is_back else rows)[: self.list_per_page + 1])
        has_more, found = len(found) > self.list_per_page, found[: self.list_per_page]
        found = found[::-1] if is_back else found
        if found and (has_more or is_back):
            self.older_link = self._link(column, False, found[-1])
        if found and (has_more if is_back else after is not None):
            self.newer_link = self._link(column, True, found[0])
        self._show(found)

    def _show(self, rows: list[Any]) -> None:
        self.result_list, self.result_count, self.full_result_count = rows, len(rows), len(rows)
        self.paginator = OnePage(rows)
        self.show_full_result_count, self.can_show_all, self.multi_page = False, False, False
        self.show_admin_actions = True

    @staticmethod
    def _beyond(column: str, is_back: bool, value: Any, pk: int) -> Q:
        name, side = column.lstrip("-"), "lt" if column.startswith("-") != is_back else "gt"
        # the first condition says nothing new, but lets the database enter the index at once
        return Q(**{f"{name}__{side}e": value}) & (Q(**{f"{name}__{side}": value}) | Q(**{f"pk__{side}": pk}))

    def _link(self, column: str, is_back: bool, row: Any) -> str:
        place = [is_back, self._field(column).value_to_string(row), row.pk]
        token = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
        return self.get_query_string({CURSOR: token})

    def _field(self, column: str) -> Any:
        return self.model._meta.get_field(column.lstrip("-"))

    def _read_cursor(self, column: str) -> tuple[bool, tuple[Any, int] | None]:
        """A damaged cursor, or one of another order, leads to the first page."""
        try:
            is_back, text, pk = json.loads(base64.urlsafe_b64decode(self._cursor.encode()))
            value = self._field(column).to_python(text)
            if value is None or (isinstance(value, datetime) and is_naive(value)):
                return False, None
            return bool(is_back), (value, int(pk))
        except (ValueError, TypeError, binascii.Error, ValidationError, OverflowError):
            return False, None


class KeysetAdmin(ModelAdmin[M]):
    """A list over many rows; its filters must not look at the table (no column without choices)."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[ChangeList]:
        """The list that pages by cursor."""
        return KeysetChangeList
