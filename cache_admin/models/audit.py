"""The audit trail: what was decided, by whom, and what it changed. Rows are only ever added; the database refuses the rest."""

from __future__ import annotations

import json
from typing import Any

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One decision. `digest` is keyed, and covers everything else in the row, with the entry before it: see audit/chain.py.

    People and objects are kept as text, so that an entry outlives them; `before` and `after` are JSON as it was hashed.
    """

    sequence = models.PositiveBigIntegerField(_("number"), primary_key=True)
    at = models.DateTimeField(_("when"))
    user_pk = models.CharField(max_length=40, blank=True)
    user_name = models.CharField(_("who"), max_length=200, blank=True)
    address = models.CharField(_("from where"), max_length=45, blank=True)
    verb = models.CharField(_("what"), max_length=80)
    kind = models.CharField(_("kind of object"), max_length=100, blank=True)
    object_id = models.CharField(max_length=200, blank=True)
    label = models.CharField(_("object"), max_length=200, blank=True)
    topic = models.CharField(_("topic"), max_length=40, blank=True)
    before = models.TextField(_("before"), default="{}")
    after = models.TextField(_("after"), default="{}")
    why = models.CharField(_("why"), max_length=300, blank=True)
    deed = models.CharField(max_length=32, blank=True)  # what one click did has one name
    undoes = models.PositiveBigIntegerField(_("undoes"), null=True, unique=True)
    key_name = models.CharField(max_length=8)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        """Seen by administrators; each filter of the list has its index."""

        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        ordering = ["-sequence"]
        default_permissions = ("view",)
        indexes = [
            models.Index(F("at").desc(), F("sequence").desc(), name="audit_at"),
            models.Index("verb", F("at").desc(), F("sequence").desc(), name="audit_verb"),
            models.Index("user_pk", F("at").desc(), F("sequence").desc(), name="audit_user"),
            models.Index("topic", F("at").desc(), F("sequence").desc(), name="audit_topic"),
            models.Index("kind", "object_id", F("at").desc(), F("sequence").desc(), name="audit_object"),
            models.Index("deed", name="audit_deed"),
        ]

    def __str__(self) -> str:
        return f"#{self.sequence}"

    @property
    def old(self) -> dict[str, Any]:
        """What was so before, of that which has changed."""
        found: dict[str, Any] = json.loads(self.before)
        return found

    @property
    def new(self) -> dict[str, Any]:
        """What is so since."""
        found: dict[str, Any] = json.loads(self.after)
        return found


class AuditHead(models.Model):
    """The one row that says where the chain ends. Whoever adds an entry holds it, so that there is one chain."""

    sequence = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)

    class Meta:
        """Nobody's to see."""

        default_permissions = ()

    def __str__(self) -> str:
        return str(self.sequence)


class AuditIntent(models.Model):
    """A decision that has begun. It goes when the decision is over; one that stays says that the outcome is not known."""

    deed = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()
    user_pk = models.CharField(max_length=40, blank=True)
    user_name = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=45, blank=True)
    place = models.CharField(max_length=100)  # the page's or the command's name
    object_id = models.CharField(max_length=200, blank=True)

    class Meta:
        """Nobody's to see: what stays is entered in the trail."""

        default_permissions = ()
        indexes = [models.Index("at", name="audit_intent_at")]

    def __str__(self) -> str:
        return self.place
