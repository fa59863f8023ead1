"""What callers may ask about, and how it is answered."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from cache_admin.models.scoped import ScopedManager
from connectgenai.wire.answering import TOPIC_NAME

validate_name = RegexValidator(
    rf"\A{TOPIC_NAME.pattern}\Z", _("Use at most 40 lower-case letters, digits and hyphens, as in store-faq.")
)
validate_language = RegexValidator(
    r"\A[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?\Z", _("Write the language as in en-US or de-DE.")
)
validate_guardrail = RegexValidator(
    r"\A\S+:(\d+|DRAFT)\Z", _("Write the guardrail as identifier:version, as in gr8abc12xyz:3.")
)


class Topic(models.Model):
    """A topic as supervisors edit it; callers hear what has been published of it."""

    class Sharing(models.TextChoices):
        """Who may hear an answer again."""

        EVERYONE = "everyone", _("every caller")
        CALLER = "caller", _("the same caller only")
        NOBODY = "nobody", _("nobody")

    name = models.CharField(
        _("name"),
        max_length=40,
        unique=True,
        validators=[validate_name],
        help_text=_("What the flow passes as topic. It cannot be changed later."),
    )
    title = models.CharField(_("title"), max_length=200, blank=True, help_text=_("What supervisors read."))
    enabled = models.BooleanField(_("enabled"), default=True, help_text=_("Whether callers may ask."))
    instructions = models.TextField(
        _("instructions"), help_text=_("How to answer. Ask for short spoken sentences without lists or symbols.")
    )
    model_id = models.CharField(
        _("model"), max_length=300, help_text=_("An Amazon Bedrock model id or inference profile.")
    )
    max_tokens = models.PositiveIntegerField(
        _("longest answer in tokens"),
        default=600,
        validators=[MinValueValidator(16), MaxValueValidator(32_000)],
        help_text=_("An answer that is cut off here is no answer: the caller is handed over to a person."),
    )
    temperature = models.DecimalField(
        _("temperature"),
        max_digits=3,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("0 gives the most repeatable answers."),
    )
    sharing = models.CharField(
        _("who may hear an answer again"),
        max_length=10,
        choices=Sharing.choices,
        default=Sharing.CALLER,
        help_text=_("A question about a caller's own business is never shared, whatever is chosen here."),
    )
    ttl_hours = models.PositiveIntegerField(
        _("hours an answer is good"), default=168, validators=[MinValueValidator(1), MaxValueValidator(87_600)]
    )
    keep_days = models.PositiveIntegerField(
        _("days words are kept"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3_650)],
        help_text=_(
            "After so many days answers and the records of calls are deleted, here and in DynamoDB; no answer is good for longer. "
            "A text that a supervisor wrote is kept as long as it is good, and 30 days more."
        ),
    )
    hold_until_checked = models.BooleanField(
        _("hold until checked"),
        default=False,
        help_text=_("Nothing is spoken before the whole text has been checked; callers wait longer."),
    )
    guardrail = models.CharField(
        _("guardrail"),
        max_length=200,
        blank=True,
        validators=[validate_guardrail],
        help_text=_("A Bedrock guardrail as identifier:version."),
    )
    fallback_model_id = models.CharField(
        _("fallback model"),
        max_length=300,
        blank=True,
        help_text=_("Answers when the model fails or has no room for longer than callers would wait."),
    )
    asks_per_caller = models.PositiveIntegerField(
        _("new questions a caller may ask in an hour"),
        default=60,
        validators=[MaxValueValidator(100_000)],
        help_text=_("Counts questions that cost a generation; 0 does not limit."),
    )
    asks_per_minute = models.PositiveIntegerField(
        _("new questions in a minute"),
        default=0,
        validators=[MaxValueValidator(100_000)],
        help_text=_("Counts questions that cost a generation, of all callers; 0 does not limit."),
    )
    needs_approval = models.BooleanField(
        _("answers need approval"),
        default=False,
        help_text=_(
            "Only texts that a reviewer has approved are shared. Until then an answer that a caller brought about is that caller's."
        ),
    )
    four_eyes = models.BooleanField(
        _("four eyes"), default=False, help_text=_("Nobody may approve a text that they wrote or sent in themselves.")
    )
    verify_days = models.PositiveIntegerField(
        _("days until an approved text is looked at again"),
        default=0,
        validators=[MaxValueValidator(3_650)],
        help_text=_("An approved text is due for verification after so many days; 0 sets no date."),
    )
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    # mirrored from the published item
    revision = models.PositiveIntegerField(_("revision"), default=0, editable=False)
    estimate_seconds = models.PositiveIntegerField(_("usual wait in seconds"), default=0, editable=False)
    mirrored_version = models.PositiveBigIntegerField(default=0, editable=False)
    published_at = models.DateTimeField(_("published"), null=True, editable=False)

    objects = ScopedManager["Topic"]()
    topic_lookup = "name"

    class Meta:
        """Names and rights."""

        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["name"]
        permissions = [
            ("publish_topic", gettext_noop("Can publish topics to callers")),
            ("invalidate_topic", gettext_noop("Can invalidate all answers of a topic")),
        ]

    def __str__(self) -> str:
        return self.title or self.name


class TopicLanguage(models.Model):
    """A language in which callers may ask, and how they are kept waiting in it."""

    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="languages", verbose_name=_("topic"))
    language = models.CharField(_("language"), max_length=20, validators=[validate_language])
    wait_policy = models.ForeignKey(
        "cache_admin.WaitPolicy", on_delete=models.PROTECT, related_name="uses", verbose_name=_("wait policy")
    )
    position = models.PositiveSmallIntegerField(
        _("order"), default=0, help_text=_("The first language is the topic's own.")
    )

    objects = ScopedManager["TopicLanguage"]()
    topic_lookup = "topic__name"

    class Meta:
        """One policy a language."""

        verbose_name = _("language")
        verbose_name_plural = _("languages")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["topic", "language"], name="one_policy_a_language")]

    def __str__(self) -> str:
        return self.language
