"""Incidents: one text in place of all others for a while, and the record of who had it said."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cache_admin.models.scoped import ScopedManager


class Incident(models.Model):
    """A text for one or several topics, or for some questions of theirs, until a time or until it is switched off."""

    text = models.TextField(_("text"), max_length=2_000)
    questions = models.JSONField(_("questions"), default=list)
    started_at = models.DateTimeField(_("switched on"))
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("by")
    )
    until = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("switched off"), null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("by")
    )

    objects = ScopedManager["Incident"]()
    topic_lookup = "topics__topic"

    class Meta:
        """Seen by all who may; switched by those with a right of its own; never changed or deleted."""

        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-started_at", "-id"]
        default_permissions = ("view",)
        permissions = [("switch_incident", gettext_noop("Can switch incident texts on and off"))]
        indexes = [
            models.Index("ended_at", "until", name="incident_running"),
            models.Index(models.F("started_at").desc(), models.F("id").desc(), name="incident_started"),
        ]

    def __str__(self) -> str:
        return self.text[:80]

    def is_running(self, *, now: datetime) -> bool:
        """Whether callers may hear it now."""
        return self.ended_at is None and now < self.until


class IncidentTopic(models.Model):
    """One topic of an incident. WANTED is written before DynamoDB is, so that nothing can be on without a trace here."""

    class State(models.TextChoices):
        """What callers of the topic hear of it."""

        WANTED = "wanted", _("being switched on")
        ON = "on", _("on")
        FAILED = "failed", _("not on")
        OFF = "off", _("off")

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="topics", verbose_name=_("incident"))
    topic = models.CharField(_("topic"), max_length=40)
    keys = models.JSONField(default=list)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WANTED)

    objects = ScopedManager["IncidentTopic"]()
    topic_lookup = "topic"

    class Meta:
        """A topic has one incident text at a time."""

        verbose_name = _("topic of an incident")
        verbose_name_plural = _("topics of incidents")
        ordering = ["topic"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["topic"], condition=models.Q(state__in=("wanted", "on")), name="one_incident_a_topic"
            )
        ]

    def __str__(self) -> str:
        return self.topic
