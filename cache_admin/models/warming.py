"""Batches: questions to be answered before anybody asks them, and ready answers that come in a file."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cache_admin.models.answer import CachedAnswer
from cache_admin.models.scoped import ScopedManager


class WarmBatch(models.Model):
    """Some rows of one file, or as typed: read and previewed first, then worked off a few at a time."""

    class Kind(models.TextChoices):
        """What its rows come to."""

        PREWARM = "prewarm", _("questions to pre-warm")
        ANSWERS = "answers", _("ready answers")
        RENEWAL = "renewal", _("answers to renew")

    class State(models.TextChoices):
        """How far it is; housekeeping moves it from READING to PREVIEW and from RUNNING to DONE, people do the rest."""

        READING = "reading", _("being read")
        UNREADABLE = "unreadable", _("cannot be read")
        PREVIEW = "preview", _("to be confirmed")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        CANCELLED = "cancelled", _("cancelled")
        DONE = "done", _("done")

    kind = models.CharField(_("what it is"), max_length=10, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.READING)
    name = models.CharField(_("name"), max_length=200)
    file = models.FileField(_("file"), max_length=300, upload_to="imports/", blank=True)
    topic = models.CharField(_("topic"), max_length=40, blank=True)  # of rows that name none
    language = models.CharField(_("language"), max_length=20, blank=True)
    read_rows = models.PositiveIntegerField(_("rows read"), default=0)
    expected_rows = models.PositiveIntegerField(default=0)
    problem = models.CharField(_("problem"), max_length=300, blank=True)
    leased_until = models.DateTimeField(null=True)  # by the worker that is at it
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("made"))
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = ScopedManager["WarmBatch"]()
    topic_lookup = "topic"
    maker_lookup = "created_by"

    class Meta:
        """Found by those who work them off, and listed newest first."""

        verbose_name = _("batch")
        verbose_name_plural = _("pre-warm and import")
        default_permissions = ("view",)
        permissions = [("import_warmbatch", gettext_noop("Can import ready answers"))]
        indexes = [
            models.Index("state", "created_at", name="batch_state"),
            models.Index(F("created_at").desc(), F("id").desc(), name="batch_created"),
        ]

    def __str__(self) -> str:
        return self.name


class WarmRow(models.Model):
    """One row of a batch: what it says, what was found out about it, and how far it is."""

    class Verdict(models.TextChoices):
        """What the preview found."""

        NEW = "new", _("new")
        SAME = "same", _("known and good")
        CONFLICT = "conflict", _("conflicting")
        INVALID = "invalid", _("invalid")

    class State(models.TextChoices):
        """WAITING -> SENT -> DONE or FAILED; ready answers go from WAITING to the end at once."""

        PLANNED = "planned", _("not confirmed")
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("under way")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    batch = models.ForeignKey(WarmBatch, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(_("row"))
    question = models.TextField(_("question"))
    answer = models.TextField(_("answer"), blank=True)
    topic = models.CharField(_("topic"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=100, blank=True)
    valid_from = models.DateTimeField(_("valid from"), null=True)
    valid_until = models.DateTimeField(_("valid until"), null=True)
    key = models.CharField(max_length=100, blank=True)
    verdict = models.CharField(_("found"), max_length=10, choices=Verdict.choices)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    seen_version = models.PositiveBigIntegerField(default=0)
    chosen = models.BooleanField(_("take it"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PLANNED)
    epoch = models.PositiveBigIntegerField(default=0)
    failure = models.CharField(_("failure"), max_length=300, blank=True)
    input_tokens = models.PositiveIntegerField(_("tokens read"), default=0)
    output_tokens = models.PositiveIntegerField(_("tokens written"), default=0)
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = ScopedManager["WarmRow"]()
    topic_lookup = "topic"
    maker_lookup = "batch__created_by"

    class Meta:
        """Each number once, so that reading on after a stop doubles nothing."""

        verbose_name = _("row of a batch")
        verbose_name_plural = _("rows of batches")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="one_row_a_number")]
        indexes = [
            models.Index("batch", "verdict", "number", name="row_verdict"),
            models.Index("batch", "state", "number", name="row_state"),
            models.Index("batch", "key", name="row_key"),
            models.Index("batch", "verdict", "chosen", name="row_chosen"),
        ]

    def __str__(self) -> str:
        return self.question


class MissedQuestion(CachedAnswer):
    """A question on which callers waited, gave up or were handed over; the page counts its calls."""

    class Meta:
        """Only a place in the admin."""

        proxy = True
        default_permissions = ("view",)
        verbose_name = _("missed question")
        verbose_name_plural = _("missed questions")


class WarmSchedule(models.Model):
    """A batch that is made and begun by itself, of the questions that a topic's callers ask most."""

    class When(models.TextChoices):
        """What makes it due."""

        DAILY = "daily", _("at a time of day")
        ENDED = "ended", _("as soon as answers' time ends")
        ENDING = "ending", _("before answers' time ends")

    class Days(models.TextChoices):
        """On which days, for a time of day."""

        ALL = "1234567", _("every day")
        WORKDAYS = "12345", _("Monday to Friday")
        WITH_SATURDAY = "123456", _("Monday to Saturday")

    topic = models.ForeignKey(
        "cache_admin.Topic", on_delete=models.CASCADE, related_name="schedules", verbose_name=_("topic")
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    when = models.CharField(_("when"), max_length=10, choices=When.choices, default=When.DAILY)
    at = models.TimeField(
        _("time of day"),
        null=True,
        blank=True,
        help_text=_("In the site's time zone: at night, or early enough before you open. For “at a time of day” only."),
    )
    days = models.CharField(_("days"), max_length=7, choices=Days.choices, default=Days.ALL)
    most_asked = models.PositiveIntegerField(
        _("how many questions"),
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(2_000)],
        help_text=_("Those asked most often. What has a good answer is left alone, and costs nothing."),
    )
    hours_ahead = models.PositiveIntegerField(
        _("how many hours before"),
        default=12,
        validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text=_(
            "For “before answers' time ends” only; at most half of the hours for which the topic's answers are good. Callers"
            " hear the earlier text until the new one is there."
        ),
    )
    last_run_at = models.DateTimeField(_("last looked"), null=True, editable=False)

    objects = ScopedManager["WarmSchedule"]()
    topic_lookup = "topic__name"

    class Meta:
        """Names."""

        verbose_name = _("pre-warm schedule")
        verbose_name_plural = _("pre-warm schedules")
        ordering = ["topic__name", "id"]

    def __str__(self) -> str:
        return f"{self.topic}: {self.get_when_display()}"
