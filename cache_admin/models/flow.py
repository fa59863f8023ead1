"""Flows that were exported from Connect and uploaded here, to be checked and to be called."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from cache_admin.models.scoped import ScopedManager


class UploadedFlow(models.Model):
    """One exported flow or module, as it was uploaded, and what the linter found in it then."""

    name = models.CharField(
        _("name"), max_length=200, blank=True, help_text=_("Left empty, the name that the file gives.")
    )
    identifier = models.CharField(
        _("id in Connect"),
        max_length=300,
        blank=True,
        help_text=_(
            "For modules, and flows that others lead to: the id or ARN by which they are invoked, if not by name."
        ),
    )
    content = models.BinaryField(_("content"))
    type = models.CharField(_("type"), max_length=20, blank=True)
    actions = models.PositiveIntegerField(_("blocks"), default=0)
    modules = models.JSONField(_("modules it calls"), default=list)  # ids, ARNs or references
    errors = models.PositiveIntegerField(_("errors"), default=0)
    warnings = models.PositiveIntegerField(_("warnings"), default=0)
    infos = models.PositiveIntegerField(_("remarks"), default=0)
    uploaded_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, verbose_name=_("uploaded by")
    )

    objects = ScopedManager["UploadedFlow"]()
    topic_lookup = ""  # a flow asks whatever topic it names

    class Meta:
        """Names and order."""

        verbose_name = _("uploaded flow")
        verbose_name_plural = _("flows")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name
