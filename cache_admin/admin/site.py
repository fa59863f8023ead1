"""The admin site itself."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _


class SupervisorsSite(AdminSite):
    """Django's admin under our name."""

    site_header = _("What callers hear")
    site_title = _("What callers hear")
    index_title = _("Now")
