"""The supervisors' app, and the admin site that it brings."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CacheAdminConfig(AppConfig):
    """Topics, answers, calls and wait policies."""

    name = "cache_admin"
    verbose_name = _("Contact centre")
    default = True

    def ready(self) -> None:
        """After every migration, the groups that an installation begins with; who comes in is noted in the audit trail."""
        from axes.signals import user_locked_out  # noqa: PLC0415 - as below

        from cache_admin.audit import signing_in  # noqa: PLC0415 - models are not ready before
        from cache_admin.roles import make_missing_roles  # noqa: PLC0415 - as above

        signing_in.listen()
        user_locked_out.connect(signing_in.note_lock_out, dispatch_uid="audit")
        post_migrate.connect(make_missing_roles, sender=self)


class SupervisorsAdminConfig(AdminConfig):
    """Django's admin with our site in place of its own."""

    default_site = "cache_admin.site.SupervisorsSite"
