"""The mirror of the answers that callers hear."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cache_admin.models.scoped import ScopedManager
from connectgenai.wire.items import CURATED, FAILED, GENERATED, INVALID, PENDING, READY
from connectgenai.wire.question import EVERYONE, AskedQuestion


class CachedAnswer(models.Model):
    """Django's copy of an answer item; only the mirror service writes it, and only newer versions over older ones."""

    class State(models.TextChoices):
        """An answer item's states."""

        PENDING = PENDING, _("being generated")
        READY = READY, _("ready")
        FAILED = FAILED, _("failed")
        INVALID = INVALID, _("invalidated")

    class Source(models.TextChoices):
        """Who wrote the text."""

        GENERATED = GENERATED, _("the model")
        CURATED = CURATED, _("a supervisor")

    key = models.CharField(max_length=100, unique=True)
    # names, not foreign keys: the mirror takes what there is, also of a topic that Django does not know
    topic = models.CharField(_("topic"), max_length=40)
    language = models.CharField(_("language"), max_length=20)
    scope = models.CharField(_("scope"), max_length=300)
    question = models.TextField(_("question"))
    words = models.TextField(_("normalised words"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices)
    epoch = models.PositiveBigIntegerField(_("epoch"), default=0)
    version = models.PositiveBigIntegerField(_("version"), default=0)
    token = models.CharField(max_length=64, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    requeues = models.PositiveIntegerField(_("times sent again"), default=0)
    chunks = models.JSONField(_("parts"), default=list)
    complete = models.BooleanField(_("complete"), default=False)
    text_epoch = models.PositiveBigIntegerField(default=0)
    revision = models.PositiveIntegerField(_("revision"), default=0)
    source = models.CharField(_("source"), max_length=10, blank=True, choices=Source.choices)
    model = models.CharField(_("model"), max_length=300, blank=True)
    input_tokens = models.PositiveIntegerField(_("tokens read"), default=0)
    output_tokens = models.PositiveIntegerField(_("tokens written"), default=0)
    pinned = models.BooleanField(_("pinned"), default=False)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    asked_at = models.DateTimeField(_("asked"), null=True)
    started_at = models.DateTimeField(_("started"), null=True)
    first_chunk_at = models.DateTimeField(_("first words"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    failed_until = models.DateTimeField(_("failure remembered until"), null=True)
    expires_at = models.DateTimeField(_("good until"), null=True)
    purge_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(_("changed"))
    calls = models.PositiveIntegerField(_("calls"), default=0)

    objects = ScopedManager["CachedAnswer"]()
    topic_lookup = "topic"

    class Meta:
        """Every order and filter of the list has an index that ends in the list's order (newest first)."""

        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        permissions = [
            ("invalidate_cachedanswer", gettext_noop("Can invalidate answers")),
            ("prewarm_cachedanswer", gettext_noop("Can have answers generated in advance")),
        ]
        indexes = [
            models.Index(F("changed_at").desc(), F("id").desc(), name="answer_changed"),
            models.Index(F("calls").desc(), F("id").desc(), name="answer_calls"),
            models.Index("topic", F("calls").desc(), F("id").desc(), name="answer_topic_calls"),
            models.Index("state", F("changed_at").desc(), F("id").desc(), name="answer_state"),
            models.Index("topic", F("changed_at").desc(), F("id").desc(), name="answer_topic"),
            models.Index("language", F("changed_at").desc(), F("id").desc(), name="answer_language"),
            models.Index("source", F("changed_at").desc(), F("id").desc(), name="answer_source"),
            models.Index("topic", "source", F("finished_at").desc(), name="answer_estimate"),
            models.Index("purge_at", name="answer_purge"),
        ]

    def __str__(self) -> str:
        return self.question

    @property
    def text(self) -> str:
        """The whole answer as far as it is written."""
        return " ".join(self.chunks)

    @property
    def is_shared(self) -> bool:
        """Whether every caller may hear it."""
        return self.scope == EVERYONE

    def find_obstacle(self, *, topic_revision: int, now: datetime) -> str:
        """Why callers do not hear a ready answer after all: "expired", "stale", or "" when they do."""
        if self.state != READY:
            return ""
        if self.expires_at is None or self.expires_at <= now:
            return "expired"
        return "" if self.pinned or self.revision >= topic_revision else "stale"

    def asked(self) -> AskedQuestion:
        """The question's identity, as the store wants it."""
        return AskedQuestion(**{name: getattr(self, name) for name in AskedQuestion.__slots__})
