"""Wait policies as they were, so that each can be had back."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class WaitPolicyVersion(models.Model):
    """A policy with its prompts as it was saved once; `content` is what services/policy_versions.py makes of it."""

    policy = models.ForeignKey(
        "cache_admin.WaitPolicy", on_delete=models.CASCADE, related_name="versions", verbose_name=_("policy")
    )
    number = models.PositiveIntegerField(_("version"))
    content = models.JSONField(_("content"))
    saved_at = models.DateTimeField(_("saved"))
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("by")
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        """Numbers count from 1 within a policy."""

        verbose_name = _("version of a wait policy")
        verbose_name_plural = _("versions of wait policies")
        ordering = ["-number"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["policy", "number"], name="one_number_a_policy_version")]

    def __str__(self) -> str:
        return f"{self.policy} {self.number}"
