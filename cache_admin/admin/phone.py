"""The browser phone's place in the admin: its pages are cache_admin/phone/views.py."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path

from cache_admin.admin.typed import ModelAdmin
from cache_admin.models import PhoneCall
from cache_admin.phone import views


@admin.register(PhoneCall)
class PhoneAdmin(ModelAdmin[PhoneCall]):
    """Shows the phone where other models show their list: calls are placed there, and kept nowhere for long."""

    def get_urls(self) -> list[Any]:
        """The phone's own pages only."""
        view = self.admin_site.admin_view
        return [
            path("", view(views.show_phone), name="cache_admin_phonecall_changelist"),
            path("begin/", view(views.begin), name="phone_begin"),
            path("sound/", view(views.play_sound), name="phone_sound"),
            path("<uuid:call>/events/", view(views.read_events), name="phone_events"),
            path("<uuid:call>/signs/", view(views.give_sign), name="phone_signs"),
            path("<uuid:call>/hang-up/", view(views.hang_up), name="phone_hang_up"),
        ]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may place calls sees the phone."""
        return request.user.has_perm(views.RIGHT)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is no form of Django's for it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was said was said."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Calls go away by themselves."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> HttpResponse:
        """The phone."""
        return views.show_phone(request)
