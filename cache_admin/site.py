"""The admin site itself."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cache_admin.services.drift import count_drifted
from cache_admin.services.numbers import count_now
from cache_admin.services.parked import count_parked


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
        """The first page; each number is for those who may see what it counts."""
        may = request.user.has_perm
        facts = {
            "numbers": count_now(now=timezone.now()) if may("cache_admin.view_call") else None,
            "parked": count_parked() if may("cache_admin.view_parkedmessage") else None,
            "drifted": count_drifted() if may("cache_admin.view_reconciliation") else None,
        }
        return super().index(request, {**facts, **(extra_context or {})})
