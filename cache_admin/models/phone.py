"""Calls on the browser phone: the rows by which the page and the call, in whichever process each is, know of each other."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class PhoneCall(models.Model):
    """One call. The page writes what the caller does and when it last looked; the call's process writes all else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    contact_id = models.UUIDField(default=uuid.uuid4)
    began_at = models.DateTimeField()
    looked_at = models.DateTimeField()  # by the page
    ticked_at = models.DateTimeField()  # by the call's process
    ended_at = models.DateTimeField(null=True)
    has_hung_up = models.BooleanField(default=False)
    seconds = models.FloatField(default=0.0)  # on the call's clock

    class Meta:
        """Listed under its right only: who may place calls."""

        verbose_name = _("phone call")
        verbose_name_plural = _("phone")
        default_permissions = ("add",)
        indexes = [models.Index(fields=["ended_at", "ticked_at"], name="phone_running")]

    def __str__(self) -> str:
        return str(self.id)


class PhoneSign(models.Model):
    """Something that the caller does: a key that is pressed, or words that are said."""

    call = models.ForeignKey(PhoneCall, on_delete=models.CASCADE, related_name="signs")
    kind = models.CharField(max_length=10)  # key, say or join
    text = models.CharField(max_length=500)

    class Meta:
        """Nobody is asked for rights to them; in the order in which they were done."""

        default_permissions = ()
        ordering = ["id"]

    def __str__(self) -> str:
        return self.kind


class PhoneEvent(models.Model):
    """Something that happened on the call, as the page shows it."""

    call = models.ForeignKey(PhoneCall, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    body = models.JSONField()

    class Meta:
        """Nobody is asked for rights to them; in order."""

        default_permissions = ()
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["call", "number"], name="one_event_a_number")]

    def __str__(self) -> str:
        return f"{self.number}"
