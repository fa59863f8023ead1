"""The supervisors' app, and the admin site that it brings."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class CacheAdminConfig(AppConfig):
    """Topics, answers, calls and wait policies."""

    name = "cache_admin"
    verbose_name = _("Contact centre")
    default = True


class SupervisorsAdminConfig(AdminConfig):
    """Django's admin with our site in place of its own."""

    default_site = "cache_admin.site.SupervisorsSite"
