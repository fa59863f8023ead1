"""What supervisors look at: their topics and wait policies, and mirrors of DynamoDB's answers and calls.

The rules are in services; these are shapes. Only the mirror service writes CachedAnswer and Call.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Index
from django.utils.translation import gettext_lazy as _

TOPIC_NAME = RegexValidator(r"^[a-z0-9][a-z0-9-]{0,39}\Z", _("Lower-case letters, digits and hyphens, at most 40."))
LANGUAGE = RegexValidator(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z", _("A language such as en-US or de-DE."))


class WaitPolicy(models.Model):
    """How callers are kept while an answer is made; all times in seconds."""

    name = models.SlugField(_("name"), max_length=60, unique=True)
    hold_seconds = models.FloatField(
        _("hold"), default=2.0, help_text=_("How long one poll may wait in silence, 0 to 7.")
    )
    first_prompt_after_seconds = models.FloatField(
        _("first prompt after"), default=3.0, help_text=_("No prompt is spoken when the answer comes sooner.")
    )
    interval_seconds = models.FloatField(
        _("interval"), default=8.0, help_text=_("From the beginning of one prompt to the beginning of the next.")
    )
    max_wait_seconds = models.FloatField(
        _("longest wait"), default=90.0, help_text=_("Then the caller is handed to a person.")
    )
    max_silence_seconds = models.FloatField(
        _("longest silence"), default=2.5, help_text=_("What this policy promises.")
    )
    comfort_audio = models.FileField(
        _("comfort audio"),
        upload_to="audio/",
        blank=True,
        max_length=300,
        help_text=_("8 kHz mono mu-law WAV, played between prompts."),
    )
    comfort_seconds = models.FloatField(_("comfort audio's length"), default=0.0, editable=False)
    say_estimate = models.BooleanField(_("say how long it usually takes"), default=False)
    estimate_text = models.CharField(
        _("estimate"), max_length=300, blank=True, help_text=_("{seconds} stands for the number.")
    )
    apology = models.CharField(
        _("apology"),
        max_length=500,
        blank=True,
        help_text=_("Said when there is no answer, before a person takes over."),
    )
    patience_text = models.CharField(_("when patience ends"), max_length=500, blank=True)
    restart_text = models.CharField(_("when an answer starts over"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("wait policy")
        verbose_name_plural = _("wait policies")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class WaitPrompt(models.Model):
    """One variant of what is said while a caller waits: text, SSML, or a recording."""

    policy = models.ForeignKey(WaitPolicy, models.CASCADE, related_name="prompts", verbose_name=_("policy"))
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    text = models.CharField(_("text"), max_length=1_000, blank=True)
    ssml = models.CharField("SSML", max_length=2_000, blank=True)
    audio = models.FileField(_("recording"), upload_to="audio/", blank=True, max_length=300)

    class Meta:
        verbose_name = _("wait prompt")
        verbose_name_plural = _("wait prompts")
        ordering = ("policy", "position", "pk")

    def __str__(self) -> str:
        return self.text or self.ssml or self.audio.name or ""


class Topic(models.Model):
    """What callers may ask about, and how it is answered."""

    class Sharing(models.TextChoices):
        """Who may hear an answer that was made for somebody else."""

        EVERYONE = "everyone", _("everyone")
        CALLER = "caller", _("the same caller only")
        NOBODY = "nobody", _("nobody: nothing is kept beyond the call")

    name = models.CharField(
        _("name"),
        max_length=40,
        unique=True,
        validators=[TOPIC_NAME],
        help_text=_("What the flow names it; fixed once saved."),
    )
    title = models.CharField(_("title"), max_length=200)
    enabled = models.BooleanField(_("callers may ask"), default=True)
    instructions = models.TextField(_("instructions"), help_text=_("What the model is told about its task and tone."))
    model_id = models.CharField(_("model"), max_length=200, help_text=_("A Bedrock model or inference profile id."))
    max_tokens = models.PositiveIntegerField(
        _("longest answer (tokens)"), default=600, validators=[MinValueValidator(1), MaxValueValidator(64_000)]
    )
    temperature = models.DecimalField(
        _("temperature"),
        max_digits=3,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )
    sharing = models.CharField(_("answers are shared with"), max_length=10, choices=Sharing, default=Sharing.CALLER)
    ttl_hours = models.PositiveIntegerField(
        _("answers live for (hours)"), default=168, validators=[MinValueValidator(1), MaxValueValidator(87_600)]
    )
    hold_until_checked = models.BooleanField(
        _("speak only when complete"),
        default=False,
        help_text=_("Callers hear nothing until the whole answer is there."),
    )
    guardrail = models.CharField(
        _("guardrail"), max_length=200, blank=True, help_text=_("identifier:version of a Bedrock guardrail.")
    )
    revision = models.PositiveIntegerField(_("revision"), default=0, editable=False)
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    published_at = models.DateTimeField(_("published"), null=True, editable=False)

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ("name",)
        permissions = [
            ("publish_topic", _("Can publish topics")),
            ("invalidate_topic", _("Can invalidate all answers of a topic")),
        ]

    def __str__(self) -> str:
        return self.title


class TopicLanguage(models.Model):
    """A language in which callers may ask, and how they are kept waiting in it."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="languages", verbose_name=_("topic"))
    language = models.CharField(_("language"), max_length=20, validators=[LANGUAGE])
    wait_policy = models.ForeignKey(
        WaitPolicy, models.PROTECT, related_name="topic_languages", verbose_name=_("wait policy")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=1)

    class Meta:
        verbose_name = _("language")
        verbose_name_plural = _("languages")
        ordering = ("topic", "position", "pk")
        constraints = [models.UniqueConstraint(fields=("topic", "language"), name="one_policy_for_a_language")]

    def __str__(self) -> str:
        return self.language


class SourceDocument(models.Model):
    """A document that a topic's answers are made from; its extracted text lies in the bucket under `sha256`."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="documents", verbose_name=_("topic"))
    title = models.CharField(_("title"), max_length=200, blank=True)
    file = models.FileField(
        _("file"),
        upload_to="documents/original/",
        max_length=300,
        help_text=_("Text, Markdown, PDF or Word, at most 20 MB."),
    )
    sha256 = models.CharField(max_length=64, editable=False, blank=True)
    words = models.PositiveIntegerField(_("words"), default=0, editable=False)
    uploaded_at = models.DateTimeField(_("uploaded"), auto_now_add=True)

    class Meta:
        verbose_name = _("source document")
        verbose_name_plural = _("source documents")
        ordering = ("topic", "pk")

    def __str__(self) -> str:
        return self.title or self.file.name


class CachedAnswer(models.Model):
    """The mirror of one answer item."""

    class State(models.TextChoices):
        """The states of an answer."""

        PENDING = "PENDING", _("being made")
        READY = "READY", _("ready")
        FAILED = "FAILED", _("failed")
        INVALID = "INVALID", _("withdrawn")

    class Source(models.TextChoices):
        """Where a text comes from."""

        GENERATED = "generated", _("generated")
        CURATED = "curated", _("written by a person")

    key = models.CharField(_("key"), max_length=200, unique=True)
    topic = models.CharField(_("topic"), max_length=40)
    language = models.CharField(_("language"), max_length=20)
    scope = models.CharField(_("scope"), max_length=300)
    question = models.TextField(_("question"))
    words = models.TextField(_("normalised question"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State)
    source = models.CharField(_("source"), max_length=12, choices=Source, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    chunks = models.JSONField(_("parts"), default=list)
    epoch = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=0)
    revision = models.PositiveIntegerField(_("topic revision"), default=0)
    pinned = models.BooleanField(_("pinned"), default=False)
    model = models.CharField(_("model"), max_length=200, blank=True)
    input_tokens = models.PositiveIntegerField(_("input tokens"), default=0)
    output_tokens = models.PositiveIntegerField(_("output tokens"), default=0)
    asked_at = models.DateTimeField(_("asked"), null=True)
    first_chunk_at = models.DateTimeField(_("first part"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    expires_at = models.DateTimeField(_("expires"), null=True)
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ("-changed_at", "-pk")
        permissions = [
            ("invalidate_cachedanswer", _("Can invalidate answers")),
            ("prewarm_cachedanswer", _("Can pre-warm questions")),
        ]
        indexes = [
            Index(F("changed_at").desc(), F("id").desc(), name="answer_newest"),
            Index("topic", F("changed_at").desc(), F("id").desc(), name="answer_by_topic"),
            Index("state", F("changed_at").desc(), F("id").desc(), name="answer_by_state"),
            Index("source", F("changed_at").desc(), F("id").desc(), name="answer_by_source"),
            Index("language", F("changed_at").desc(), F("id").desc(), name="answer_by_language"),
        ]

    def __str__(self) -> str:
        return self.question

    @property
    def text(self) -> str:
        """What callers hear, as far as it is written."""
        return " ".join(self.chunks)


class Call(models.Model):
    """The mirror of one call item: a contact's wait for one answer."""

    class Outcome(models.TextChoices):
        """How it ended, or has come so far."""

        WAITING = "waiting", _("waiting")
        LISTENING = "listening", _("listening")
        ANSWERED = "answered", _("answered")
        ABANDONED = "abandoned", _("hung up while waiting")
        LEFT = "left", _("hung up while listening")
        TIMED_OUT = "timed_out", _("patience spent")
        FAILED = "failed", _("no answer")

    contact_id = models.CharField(_("contact"), max_length=256)
    key = models.CharField(_("question key"), max_length=200)
    initial_contact_id = models.CharField(_("initial contact"), max_length=256, blank=True)
    topic = models.CharField(_("topic"), max_length=40)
    language = models.CharField(_("language"), max_length=20)
    channel = models.CharField(_("channel"), max_length=20, blank=True)
    caller = models.CharField(_("caller (hash)"), max_length=100, blank=True)
    epoch = models.PositiveIntegerField(default=0)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)
    source = models.CharField(_("source"), max_length=12, blank=True)
    reason = models.CharField(_("reason"), max_length=100, blank=True)
    asked_at = models.DateTimeField(_("asked"), null=True)
    first_words_at = models.DateTimeField(_("first words"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True)
    polls = models.PositiveIntegerField(_("Lambda calls"), default=0)
    prompts = models.PositiveIntegerField(_("prompts"), default=0)
    parts = models.PositiveIntegerField(_("parts"), default=0)
    events = models.JSONField(_("events"), default=list)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ("-asked_at", "-pk")
        constraints = [models.UniqueConstraint(fields=("contact_id", "key"), name="one_call_for_a_question")]
        indexes = [
            Index(F("asked_at").desc(), F("id").desc(), name="call_newest"),
            Index("topic", F("asked_at").desc(), F("id").desc(), name="call_by_topic"),
            Index("outcome", F("asked_at").desc(), F("id").desc(), name="call_by_outcome"),
            Index("source", F("asked_at").desc(), F("id").desc(), name="call_by_source"),
            Index("outcome", "last_seen_at", name="call_open"),
            Index("key", F("asked_at").desc(), name="call_by_answer"),
            Index("initial_contact_id", name="call_by_initial"),
        ]

    def __str__(self) -> str:
        return self.contact_id
