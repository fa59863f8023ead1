"""Every text of an answer that callers could hear."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from cache_admin.models.answer import CachedAnswer
from cache_admin.models.scoped import ScopedManager


class AnswerVersion(models.Model):
    """One finished text, as the mirror found it; it goes with its answer."""

    answer = models.ForeignKey(CachedAnswer, on_delete=models.CASCADE, related_name="texts")
    run = models.CharField(max_length=64)  # the answer item's token: who wrote this text
    epoch = models.PositiveBigIntegerField(default=0)
    chunks = models.JSONField(default=list)
    source = models.CharField(max_length=10, blank=True, choices=CachedAnswer.Source.choices)
    model = models.CharField(max_length=300, blank=True)
    finished_at = models.DateTimeField(null=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    why = models.CharField(_("why"), max_length=300, blank=True)

    objects = ScopedManager["AnswerVersion"]()
    topic_lookup = "answer__topic"

    class Meta:
        """One row a run; the newest first."""

        verbose_name = _("version of an answer")
        verbose_name_plural = _("versions of answers")
        default_permissions = ()
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["answer", "run"], name="one_version_a_run")]

    def __str__(self) -> str:
        return f"{self.answer_id}/{self.run[:12]}"

    @property
    def text(self) -> str:
        """The whole text, a part a paragraph."""
        return "\n\n".join(self.chunks)
