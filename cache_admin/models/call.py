"""The mirror of callers' waits."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from cache_admin.models.scoped import ScopedManager
from connectgenai.wire.flow import KEEP_WAITING, LAST_PART, MORE_PARTS, NO_ANSWER, PATIENCE_SPENT, TOO_BUSY
from connectgenai.wire.items import CURATED, GENERATED, INCIDENT
from connectgenai.wire.replies import OUTCOMES
from connectgenai.wire.store import HIT, JOIN


class Call(models.Model):
    """Django's copy of one contact's wait for one answer; only the mirror service writes it."""

    class Outcome(models.TextChoices):
        """How far a call has come; the last two are what the mirror makes of a call that is not seen any more."""

        WAITING = OUTCOMES[KEEP_WAITING], _("waiting")
        LISTENING = OUTCOMES[MORE_PARTS], _("listening")
        ANSWERED = OUTCOMES[LAST_PART], _("answered")
        TIMED_OUT = OUTCOMES[PATIENCE_SPENT], _("patience spent")
        FAILED = OUTCOMES[NO_ANSWER], _("failed")
        BUSY = OUTCOMES[TOO_BUSY], _("too busy")
        ABANDONED = "abandoned", _("hung up while waiting")
        LEFT = "left", _("hung up while listening")

    class Source(models.TextChoices):
        """How the ask was met, or whose text was heard."""

        HIT = HIT, _("known answer")
        JOINED = JOIN, _("joined")
        GENERATED = GENERATED, _("generated")
        CURATED = CURATED, _("a supervisor's text")
        INCIDENT = INCIDENT, _("incident answer")

    contact_id = models.CharField(_("contact"), max_length=256)
    key = models.CharField(max_length=100)
    initial_contact_id = models.CharField(_("first contact"), max_length=256, blank=True)
    topic = models.CharField(_("topic"), max_length=40)
    language = models.CharField(_("language"), max_length=20)
    channel = models.CharField(_("channel"), max_length=20, blank=True)
    caller = models.CharField(_("caller's hash"), max_length=100, blank=True)
    epoch = models.PositiveBigIntegerField(default=0)
    run = models.CharField(max_length=64, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    source = models.CharField(_("source"), max_length=10, blank=True, choices=Source.choices)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    asked_at = models.DateTimeField(_("asked"))
    first_words_at = models.DateTimeField(_("first words"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    last_seen_at = models.DateTimeField(_("last seen"))
    polls = models.PositiveIntegerField(_("polls"), default=0)
    prompts = models.PositiveIntegerField(_("prompts"), default=0)
    parts = models.PositiveIntegerField(_("parts"), default=0)
    events = models.JSONField(_("what was played"), default=list)
    version = models.PositiveBigIntegerField(default=0)
    purge_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()

    objects = ScopedManager["Call"]()
    topic_lookup = "topic"

    class Meta:
        """Every order and filter of the list has an index that ends in the list's order (newest first)."""

        verbose_name = _("call")
        verbose_name_plural = _("calls")
        constraints = [models.UniqueConstraint(fields=["contact_id", "key"], name="one_call_a_contact_and_question")]
        indexes = [
            models.Index(F("asked_at").desc(), F("id").desc(), name="call_asked"),
            models.Index("outcome", F("asked_at").desc(), F("id").desc(), name="call_outcome"),
            models.Index("topic", F("asked_at").desc(), F("id").desc(), name="call_topic"),
            models.Index("source", F("asked_at").desc(), F("id").desc(), name="call_source"),
            models.Index("key", F("asked_at").desc(), name="call_key"),
            models.Index("initial_contact_id", name="call_initial_contact"),
            models.Index("outcome", "last_seen_at", name="call_silent"),
            models.Index("purge_at", name="call_purge"),
        ]

    def __str__(self) -> str:
        return self.contact_id
