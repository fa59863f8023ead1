"""What a generated flow needs to know before it can be downloaded."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from cache_admin.models import Topic
from cache_admin.phone.choices import MODES, ChoiceError, generate_for
from flows.generate import QUEUE
from flows.language import Flow
from flows.rehearsal import EXAMPLE_ARNS

WIDE = forms.TextInput(attrs={"size": 100, "class": "vLargeTextField"})


class ExportForm(forms.Form):
    """A topic, the way to wait, and the instance's ARNs; once it is valid, `flow` is the flow."""

    topic = forms.ModelChoiceField(Topic.objects.all(), to_field_name="name", label=_("Topic"))
    mode = forms.ChoiceField(choices=list(MODES.items()), label=_("How callers wait"))
    language = forms.CharField(
        required=False,
        max_length=20,
        label=_("Language"),
        help_text=_("As in en-US: fixes language and voice. Left empty, each contact's own language is asked in."),
    )
    is_module = forms.BooleanField(
        required=False,
        label=_("As a module"),
        help_text=_("For flows of yours to call, with the question in $.Attributes.question."),
    )
    producer_arn = forms.CharField(
        max_length=300,
        widget=WIDE,
        initial=EXAMPLE_ARNS["producer_arn"],
        label=_("Producer's ARN"),
        help_text=_(
            "What stands here is a placeholder: the linter and the phone take it, Connect does not. The stack's output"
            " ProducerArn has the real one."
        ),
    )
    consumer_arn = forms.CharField(
        max_length=300,
        widget=WIDE,
        required=False,
        label=_("Consumer's ARN"),
        help_text=_("Left empty: the Producer's, with “consumer” for “producer”."),
    )
    queue_arn = forms.CharField(
        max_length=300,
        widget=WIDE,
        required=False,
        initial=EXAMPLE_ARNS["queue_arn"],
        label=_("Queue's ARN"),
        help_text=_("Where callers without an answer are handed over to a person; a placeholder too."),
    )

    flow: Flow

    def clean(self) -> dict[str, Any]:
        """Makes the flow."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        settings = {
            name: cleaned[name] for name in ("language", "is_module", "producer_arn", "consumer_arn", "queue_arn")
        }
        if cleaned["mode"] == QUEUE:
            settings["queue_arn"] = ""  # the caller is in a queue already
        try:
            self.flow = generate_for(cleaned["topic"], mode=cleaned["mode"], **settings)
        except ChoiceError as error:
            raise ValidationError(str(error), code="no_flow") from error
        return cleaned
