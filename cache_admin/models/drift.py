"""Comparisons of the mirror with DynamoDB, and what they found."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class Reconciliation(models.Model):
    """One comparison of every answer and call with its row: wished for, under way, or over."""

    class State(models.TextChoices):
        """How far it is."""

        QUEUED = "queued", _("waiting for a worker")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    class Origin(models.TextChoices):
        """Who wished for it."""

        SCHEDULE = "schedule", _("every night")
        SUPERVISOR = "supervisor", _("a supervisor")
        COMMAND = "command", _("manage.py reconcile")

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    origin = models.CharField(_("origin"), max_length=10, choices=Origin.choices)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, verbose_name=_("asked for by"), related_name="+"
    )
    repair = models.BooleanField(_("repair"), default=False)
    asked_at = models.DateTimeField(_("asked for"))
    started_at = models.DateTimeField(_("started"), null=True)
    touched_at = models.DateTimeField(null=True)  # a worker that died in it touches it no more
    ended_at = models.DateTimeField(_("ended"), null=True)
    expected = models.PositiveIntegerField(default=0)
    compared = models.PositiveIntegerField(_("compared"), default=0)
    missing = models.PositiveIntegerField(_("only in DynamoDB"), default=0)
    outdated = models.PositiveIntegerField(_("older here"), default=0)
    different = models.PositiveIntegerField(_("different"), default=0)
    ahead = models.PositiveIntegerField(_("newer here"), default=0)
    vanished = models.PositiveIntegerField(_("only here"), default=0)
    error = models.CharField(_("error"), max_length=100, blank=True)

    class Meta:
        """Looked at by whoever may, wished for with a right of its own."""

        verbose_name = _("comparison with DynamoDB")
        verbose_name_plural = _("drift")
        permissions = [
            ("run_reconciliation", gettext_noop("Can compare the mirror with DynamoDB")),
            ("repair_reconciliation", gettext_noop("Can repair the mirror")),
        ]
        indexes = [models.Index(fields=["state", "asked_at"], name="reconciliation_state")]

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d %H:%M}"

    @property
    def drifted(self) -> int:
        """How many rows were not as DynamoDB has them."""
        return self.missing + self.outdated + self.different + self.ahead + self.vanished

    @property
    def percent(self) -> int:
        """How far a running comparison is, as well as can be known before; 99 until it is over."""
        return min(99, 100 * self.compared // self.expected) if self.expected else 0


class DriftedRow(models.Model):
    """One of the first rows of each kind that a comparison found wrong."""

    class Verdict(models.TextChoices):
        """What is wrong; the words are those of the comparison's own counts."""

        MISSING = "missing", _("only in DynamoDB")
        OUTDATED = "outdated", _("older here")
        DIFFERENT = "different", _("different")
        AHEAD = "ahead", _("newer here")
        VANISHED = "vanished", _("only here")

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.CASCADE, related_name="rows")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    key = models.CharField(max_length=200)
    contact_id = models.CharField(max_length=256, blank=True)  # of a call; "" for an answer

    class Meta:
        """Shown with their comparison."""

        default_permissions = ()
        ordering = ["id"]

    def __str__(self) -> str:
        return self.key
