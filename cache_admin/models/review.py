"""Answers on their way to every caller: what is to be approved, and who looks after what was."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cache_admin.models.answer import CachedAnswer
from cache_admin.models.scoped import ScopedManager


class ReviewItem(models.Model):
    """One shared key's candidate: the text that everybody would hear, if somebody approves it."""

    class State(models.TextChoices):
        """How far it is."""

        DRAFT = "draft", _("draft")
        IN_REVIEW = "in_review", _("in review")
        PUBLISHED = "published", _("published")
        REJECTED = "rejected", _("rejected")

    class Source(models.TextChoices):
        """Where the candidate came from."""

        CALLER = "caller", _("a caller's answer")
        PREWARM = "prewarm", _("generated in advance")
        EDIT = "edit", _("a supervisor")
        IMPORT = "import", _("an import")

    key = models.CharField(max_length=100, unique=True)  # of the answer that everyone shares
    topic = models.CharField(_("topic"), max_length=40)
    language = models.CharField(_("language"), max_length=20)
    words = models.TextField(_("normalised words"))
    question = models.TextField(_("question"))
    phrasings = models.JSONField(_("phrasings"), default=list)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.IN_REVIEW)
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    chunks = models.JSONField(_("candidate"), default=list)
    run = models.CharField(max_length=64, blank=True)  # of its row among the texts
    model = models.CharField(_("model"), max_length=300, blank=True)
    revision = models.PositiveIntegerField(_("revision"), default=0)
    valid_until = models.DateTimeField(_("good until"), null=True)
    pinned = models.BooleanField(_("pinned"), default=False)
    version = models.PositiveIntegerField(default=1)  # +1 whenever the candidate or the state changes
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("written by")
    )
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("sent in by")
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("decided by")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("owner")
    )
    opened_at = models.DateTimeField(_("opened"))
    changed_at = models.DateTimeField(_("changed"))
    decided_at = models.DateTimeField(_("decided"), null=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    callers = models.PositiveIntegerField(_("callers affected"), default=0)
    rank = models.BigIntegerField(default=0)  # callers, then the oldest: one column, so that one index has the order

    objects = ScopedManager["ReviewItem"]()
    topic_lookup = "topic"

    class Meta:
        """Every filter of the queue has an index that ends in its order."""

        verbose_name = _("answer to be approved")
        verbose_name_plural = _("review queue")
        default_permissions = ("view", "change")
        permissions = [("approve_reviewitem", gettext_noop("Can approve answers for every caller"))]
        indexes = [
            models.Index(F("rank").desc(), F("id").desc(), name="review_rank"),
            models.Index("state", F("rank").desc(), F("id").desc(), name="review_state"),
            models.Index("topic", "state", F("rank").desc(), F("id").desc(), name="review_topic"),
            models.Index("language", "state", F("rank").desc(), F("id").desc(), name="review_language"),
            models.Index("source", "state", F("rank").desc(), F("id").desc(), name="review_source"),
            models.Index("owner", "state", F("rank").desc(), F("id").desc(), name="review_owner"),
            models.Index("state", "topic", "changed_at", name="review_changed"),
        ]

    def __str__(self) -> str:
        return self.question

    @property
    def text(self) -> str:
        """The candidate, a part a paragraph."""
        return "\n\n".join(self.chunks)

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided yet."""
        return self.state in (self.State.DRAFT, self.State.IN_REVIEW)


class ReviewText(models.Model):
    """One text that was or is a candidate; it goes with the answer it came from."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="texts")
    answer = models.ForeignKey(CachedAnswer, on_delete=models.CASCADE, null=True, related_name="+")
    run = models.CharField(max_length=64)
    chunks = models.JSONField(default=list)
    source = models.CharField(max_length=10, choices=ReviewItem.Source.choices)
    model = models.CharField(max_length=300, blank=True)
    revision = models.PositiveIntegerField(default=0)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField()
    is_rejected = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True)

    objects = ScopedManager["ReviewText"]()
    topic_lookup = "item__topic"

    class Meta:
        """One row a run; the newest first."""

        verbose_name = _("candidate")
        verbose_name_plural = _("candidates")
        default_permissions = ()
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["item", "run"], name="one_candidate_a_run")]

    def __str__(self) -> str:
        return f"{self.item_id}/{self.run[:12]}"

    @property
    def text(self) -> str:
        """The whole text, a part a paragraph."""
        return "\n\n".join(self.chunks)


class ReviewCaller(models.Model):
    """One caller's own answer to an item's question: who waits for the approval, without who that is."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="heard_by")
    answer = models.ForeignKey(CachedAnswer, on_delete=models.CASCADE, related_name="+")

    objects = ScopedManager["ReviewCaller"]()
    topic_lookup = "item__topic"

    class Meta:
        """Each caller counts once."""

        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["item", "answer"], name="one_review_a_caller")]

    def __str__(self) -> str:
        return f"{self.item_id}/{self.answer_id}"


class ApprovedAnswer(models.Model):
    """Who looks after a shared text that a person wrote or approved, and until when it counts as right.

    `question` to `pinned` are what the mirror saw of that text, so that the lists need no other table.
    """

    answer = models.OneToOneField(CachedAnswer, on_delete=models.CASCADE, related_name="approved")
    topic = models.CharField(_("topic"), max_length=40)
    language = models.CharField(_("language"), max_length=20)
    question = models.TextField(_("question"))
    revision = models.PositiveIntegerField(_("revision"), default=0)
    pinned = models.BooleanField(_("pinned"), default=False)
    expires_at = models.DateTimeField(_("good until"), null=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("owner")
    )
    verify_by = models.DateField(_("to be verified by"), null=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("verified by")
    )
    verified_at = models.DateTimeField(_("verified"), null=True)

    objects = ScopedManager["ApprovedAnswer"]()
    topic_lookup = "topic"

    class Meta:
        """The lists: by date, by owner, and what callers do not hear any more."""

        verbose_name = _("approved answer")
        verbose_name_plural = _("approved answers")
        default_permissions = ("view", "change")
        indexes = [
            models.Index("verify_by", "id", name="approved_verify"),
            models.Index("owner", "verify_by", "id", name="approved_owner"),
            models.Index("topic", "verify_by", "id", name="approved_topic"),
            models.Index("language", "verify_by", "id", name="approved_language"),
            models.Index("expires_at", name="approved_expires"),
            models.Index("topic", "revision", name="approved_revision"),
        ]

    def __str__(self) -> str:
        return self.question
