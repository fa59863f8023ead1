"""The admin site itself."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cache_admin.services.numbers import count_now


class SupervisorsSite(AdminSite):
    """Django's admin under our name, with what matters now on its first page."""

    site_header = _("What callers hear")
    site_title = _("What callers hear")
    index_title = _("Now")
    site_url = None

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What supervisors work with comes first."""
        apps = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: app["app_label"] != "cache_admin")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The first page; the numbers are for those who may see calls."""
        may_look = request.user.has_perm("cache_admin.view_call")
        numbers = count_now(now=timezone.now()) if may_look else None
        return super().index(request, {"numbers": numbers, **(extra_context or {})})
