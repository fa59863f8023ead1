"""Any filtered list as a file: the same address with `export/csv/`, `export/xlsx/` or `export/json/` before its filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import path
from django.utils import timezone

from cache_admin.admin.keyset import CURSOR
from cache_admin.admin.typed import ModelAdmin
from cache_admin.warming.exporting import FORMATS, Row

M = TypeVar("M", bound=Model)
_AT_ONCE = 1_000


class ExportingAdmin(ModelAdmin[M]):
    """A list that can be taken away as it is filtered, searched and ordered; all of it, not only the page."""

    export_columns: Sequence[str]
    export_rows: Callable[[Iterable[Any]], Iterator[Row]]

    def get_urls(self) -> list[Any]:
        """The export beside the list's own pages."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        own = path("export/<str:kind>/", self.admin_site.admin_view(self.export_view), name=name)
        return [own, *super().get_urls()]

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """The file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.copy()
        asked.pop(CURSOR, None)
        request.GET = asked  # type: ignore[assignment]  # the list reads it from there
        queryset = self.get_changelist_instance(request).queryset
        rows = type(self).export_rows(queryset.iterator(chunk_size=_AT_ONCE))
        return send_export(str(self.opts.model_name), kind, self.export_columns, rows)


def send_export(name: str, kind: str, columns: Sequence[str], rows: Iterable[Row]) -> HttpResponseBase:
    """A file that is written while it is sent; 404 for a format that there is not."""
    if kind not in FORMATS:
        raise Http404(kind)
    content_type, write = FORMATS[kind]
    response: HttpResponse | StreamingHttpResponse = StreamingHttpResponse(
        write(columns, rows), content_type=content_type
    )
    file_name = f"{name}-{timezone.localtime():%Y-%m-%d-%H%M}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
