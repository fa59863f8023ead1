"""The admin site itself."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.i18n import JavaScriptCatalog

from cache_admin.audit.pages import make_audited
from cache_admin.home.figures import find_topics
from cache_admin.home.page import describe_hours, describe_now
from cache_admin.preferences.page import choose_preferences


class SupervisorsSite(AdminSite):
    """Django's admin under our name, with what matters now on its first page."""

    site_header = _("What callers hear")
    site_title = _("What callers hear")
    index_title = _("Now")
    site_url = None

    def register(
        self, model_or_iterable: Any, admin_class: type[ModelAdmin[Any]] | None = None, **options: Any
    ) -> None:
        """Every page's decisions go into the audit trail, those of other apps' pages too."""
        super().register(model_or_iterable, make_audited(admin_class or ModelAdmin), **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What supervisors work with comes first."""
        apps = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: app["app_label"] != "cache_admin")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Django's, and what the first page asks for while it is open."""
        own = [
            path("now/", self.admin_view(self.now_view), name="now"),
            path("hours/", self.admin_view(self.hours_view), name="hours"),
            path("preferences/", self.admin_view(choose_preferences), name="preferences"),
        ]
        return [*own, *super().get_urls()]

    def i18n_javascript(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # noqa: ARG002 - Django's
        """The words of our scripts beside those of Django's."""
        return JavaScriptCatalog(packages=["django.contrib.admin", "cache_admin"]).get(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ARG002 - Django's
        """Our sign-in in place of Django's."""
        from cache_admin.people.sign_in import sign_in  # noqa: PLC0415 - allauth is slow to load; workers never need it

        return sign_in(request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The first page; each number is for those who may see what it counts."""
        home = describe_now(request.user, now=timezone.now())
        return super().index(request, {"home": home, "topics": find_topics(), **(extra_context or {})})

    def now_view(self, request: HttpRequest) -> JsonResponse:
        """The first page's numbers as they are now."""
        return JsonResponse(describe_now(request.user, now=timezone.now()))

    def hours_view(self, request: HttpRequest) -> JsonResponse:
        """The first page's chart, of all topics or one."""
        return JsonResponse(describe_hours(request.user, now=timezone.now(), topic=request.GET.get("topic", "")))
