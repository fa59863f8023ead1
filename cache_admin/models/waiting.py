"""How callers are kept while an answer is made; all times in seconds."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cache_admin.models.scoped import ScopedManager, looking_with

_positive = [MinValueValidator(0.0), MaxValueValidator(3_600.0)]


class WaitPolicy(models.Model):
    """A policy that topics refer to, for each of their languages."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    hold_seconds = models.FloatField(
        _("hold"), default=2.0, validators=_positive, help_text=_("How long one poll waits in silence; 0 to 7 seconds.")
    )
    first_prompt_after_seconds = models.FloatField(
        _("first prompt after"),
        default=3.0,
        validators=_positive,
        help_text=_("No prompt when the answer comes sooner."),
    )
    interval_seconds = models.FloatField(
        _("interval"), default=8.0, validators=_positive, help_text=_("Between the beginnings of two prompts.")
    )
    max_wait_seconds = models.FloatField(
        _("longest wait"),
        default=90.0,
        validators=_positive,
        help_text=_("Then the caller is handed over to a person."),
    )
    max_silence_seconds = models.FloatField(
        _("longest silence"), default=2.5, validators=_positive, help_text=_("What the policy promises.")
    )
    comfort_audio = models.FileField(
        _("comfort sound"),
        max_length=300,
        blank=True,
        upload_to="sounds/",
        help_text=_("Played between prompts. WAV, 8 kHz, mono, mu-law."),
    )
    comfort_seconds = models.FloatField(_("length of the comfort sound"), default=0.0, editable=False)
    say_estimate = models.BooleanField(
        _("say the usual wait"),
        default=False,
        help_text=_("With the first prompt, once enough answers have been timed."),
    )
    estimate_text = models.CharField(
        _("sentence for the usual wait"),
        max_length=300,
        blank=True,
        help_text=_("With {seconds} where the number goes. Built in if left empty."),
    )
    apology = models.TextField(
        _("when there is no answer"), max_length=1_000, blank=True, help_text=_("Built in if left empty.")
    )
    patience_text = models.TextField(
        _("when the longest wait is over"), max_length=1_000, blank=True, help_text=_("Built in if left empty.")
    )
    restart_text = models.CharField(
        _("when an answer begins again"), max_length=200, blank=True, help_text=_("Built in if left empty.")
    )
    busy_text = models.CharField(
        _("when too many are asking"), max_length=1_000, blank=True, help_text=_("Built in if left empty.")
    )

    objects = ScopedManager["WaitPolicy"]()
    topic_lookup = "uses__topic__name"
    open_rows = Q(uses=None)

    class Meta:
        """Names."""

        verbose_name = _("wait policy")
        verbose_name_plural = _("wait policies")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def validate_unique(self, exclude: Any = None) -> None:
        """Among all names, also those that the person does not see."""
        with looking_with(None):
            super().validate_unique(exclude)


class WaitPrompt(models.Model):
    """One variant of what is said while callers wait; variants take turns."""

    policy = models.ForeignKey(WaitPolicy, on_delete=models.CASCADE, related_name="prompts", verbose_name=_("policy"))
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    text = models.TextField(_("text"), max_length=1_000, blank=True)
    ssml = models.TextField(_("SSML"), max_length=2_000, blank=True)
    audio = models.FileField(_("recording"), max_length=300, blank=True, upload_to="sounds/")

    class Meta:
        """A prompt says one thing."""

        verbose_name = _("wait prompt")
        verbose_name_plural = _("wait prompts")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=(
                    (~models.Q(text="") & models.Q(ssml="", audio=""))
                    | (~models.Q(ssml="") & models.Q(text="", audio=""))
                    | (~models.Q(audio="") & models.Q(text="", ssml=""))
                ),
                name="text_or_ssml_or_recording",
                violation_error_message=_("Give exactly one of text, SSML and recording."),
            )
        ]

    def __str__(self) -> str:
        return self.text or self.ssml or self.audio.name or ""
