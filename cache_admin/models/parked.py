"""What lies in the dead-letter queue, as the last look found it."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cache_admin.models.scoped import ScopedManager


class ParkedMessage(models.Model):
    """Django's copy of a parked message; the queue alone says whether it is still there. No words of a claimed ticket."""

    message_id = models.CharField(_("message"), max_length=100, unique=True)
    reason = models.CharField(_("reason"), max_length=40)
    queue = models.CharField(_("queue"), max_length=80, blank=True)
    key = models.CharField(max_length=200, blank=True)
    topic = models.CharField(_("topic"), max_length=64, blank=True)
    language = models.CharField(_("language"), max_length=20, blank=True)
    question = models.TextField(
        _("question"), blank=True, help_text=_("Of a question to warm; else the answer has it.")
    )
    excerpt = models.TextField(_("message"), blank=True, help_text=_("How a message begins that is no request."))
    parked_at = models.DateTimeField(_("parked"))
    deliveries = models.PositiveIntegerField(_("times received"), default=1)
    missing_since = models.DateTimeField(null=True)

    objects = ScopedManager["ParkedMessage"]()
    topic_lookup = "topic"

    class Meta:
        """Every order and filter of the list has an index that ends in the list's order (newest first)."""

        verbose_name = _("parked question")
        verbose_name_plural = _("parked questions")
        permissions = [
            ("replay_parkedmessage", gettext_noop("Can send parked questions back to the workers")),
            ("discard_parkedmessage", gettext_noop("Can discard parked questions for good")),
        ]
        indexes = [
            models.Index(F("parked_at").desc(), F("id").desc(), name="parked_parked"),
            models.Index("topic", F("parked_at").desc(), F("id").desc(), name="parked_topic"),
            models.Index("reason", F("parked_at").desc(), F("id").desc(), name="parked_reason"),
        ]

    def __str__(self) -> str:
        return self.message_id  # never words: this goes into the admin's history


class ParkedLook(models.Model):
    """The one row that tells when the queue was last looked at, how much was there, and who is looking now."""

    looked_at = models.DateTimeField(null=True)
    depth = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=100, blank=True)
    busy_until = models.DateTimeField(default=datetime(1970, 1, 1, tzinfo=UTC))

    class Meta:
        """No page of its own, so no rights either."""

        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.depth} at {self.looked_at}"
