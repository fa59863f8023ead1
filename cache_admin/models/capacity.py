"""What a model may be asked: the quota of the account, kept by all workers together."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class ModelLimit(models.Model):
    """One Bedrock model's quota; without a row, or with 0, nothing is limited."""

    model_id = models.CharField(
        _("model"), max_length=300, unique=True, help_text=_("As topics name it: a model id or an inference profile.")
    )
    requests_per_minute = models.PositiveIntegerField(
        _("requests per minute"),
        default=0,
        validators=[MaxValueValidator(1_000_000)],
        help_text=_("The quota of the AWS account and region; 0 does not limit."),
    )
    tokens_per_minute = models.PositiveIntegerField(
        _("tokens per minute"),
        default=0,
        validators=[MaxValueValidator(1_000_000_000)],
        help_text=_("The quota of the AWS account and region; 0 does not limit."),
    )
    output_weight = models.PositiveSmallIntegerField(
        _("weight of output tokens"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text=_("How many tokens of the quota one output token counts; 5 for recent Claude models."),
    )
    input_price = models.DecimalField(
        _("price of 1,000 input tokens"),
        max_digits=10,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("In dollars, for estimates of batches; only tokens are shown without it."),
    )
    output_price = models.DecimalField(
        _("price of 1,000 output tokens"),
        max_digits=10,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )

    class Meta:
        """Names."""

        verbose_name = _("model limit")
        verbose_name_plural = _("model limits")
        ordering = ["model_id"]

    def __str__(self) -> str:
        return self.model_id
