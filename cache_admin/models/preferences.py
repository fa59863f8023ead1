"""In which language and time zone somebody works."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Preferences(models.Model):
    """One person's choice; what is left empty follows the browser, or the installation."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="preferences"
    )
    language = models.CharField(max_length=10, blank=True)  # one of settings.LANGUAGES
    time_zone = models.CharField(max_length=64, blank=True)  # a name of the IANA data base

    class Meta:
        """Everybody's own: nobody is asked for rights to it."""

        verbose_name = verbose_name_plural = _("language and time zone")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.language or '-'}, {self.time_zone or '-'}"
