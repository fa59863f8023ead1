"""What is asked before a call begins, and what a caller does while it runs."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cache_admin.models import Topic
from cache_admin.phone.calls import KEY, SAY
from cache_admin.phone.choices import OURS, ChoiceError, Chosen, find_flow, list_choices
from cache_admin.phone.faults import FAULTS
from flows.action_type import CHAT, VOICE

SPEEDS = (
    ("1", gettext_lazy("real time")),
    ("5", gettext_lazy("5 times as fast")),
    ("20", gettext_lazy("20 times as fast")),
)
CHANNELS = ((VOICE, gettext_lazy("Voice")), (CHAT, gettext_lazy("Chat")))
MOST_ATTRIBUTES = 50


class CallForm(forms.Form):
    """A call to be placed; once it is valid, `chosen` is its flow."""

    flow = forms.ChoiceField(label=gettext_lazy("Flow"))
    topic = forms.ModelChoiceField(
        Topic.objects.filter(published_at__isnull=False), to_field_name="name", label=gettext_lazy("Topic")
    )
    language = forms.CharField(max_length=20, label=gettext_lazy("Language"))
    channel = forms.ChoiceField(choices=CHANNELS, label=gettext_lazy("Channel"))
    caller = forms.RegexField(
        r"\A\+?\d{3,15}\Z",
        required=False,
        label=gettext_lazy("Caller's number"),
        error_messages={"invalid": gettext_lazy("Write the number as +15550123, or leave it empty if it is withheld.")},
    )
    question = forms.CharField(required=False, max_length=1000, label=gettext_lazy("Question"))
    attributes = forms.CharField(required=False, max_length=8000, label=gettext_lazy("More contact attributes"))
    agent_after = forms.FloatField(
        required=False, min_value=1, max_value=1800, label=gettext_lazy("An agent is free after")
    )
    speed = forms.TypedChoiceField(choices=SPEEDS, coerce=float, label=gettext_lazy("Clock"))
    fault = forms.ChoiceField(
        choices=[(name, fault.label) for name, fault in FAULTS.items()],
        required=False,
        label=gettext_lazy("What goes wrong"),
    )

    chosen: Chosen

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["flow"].choices = list_choices()  # type: ignore[attr-defined]  # a ChoiceField

    def clean_attributes(self) -> dict[str, str]:
        """Lines of name=value."""
        lines = [line.strip() for line in self.cleaned_data["attributes"].splitlines() if line.strip()]
        pairs = [tuple(part.strip() for part in line.split("=", 1)) for line in lines]
        if len(pairs) > MOST_ATTRIBUTES or not all(len(p) == 2 and re.fullmatch(r"[\w-]{1,127}", p[0]) for p in pairs):
            raise ValidationError(_("Write one name=value a line."), code="malformed")
        return dict(pairs)

    def clean(self) -> dict[str, Any]:
        """Finds the flow."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned["question"] and self._needs_question(cleaned):
            self.add_error("question", ValidationError(_("This field is required."), code="required"))
        if not self.errors:
            try:
                self.chosen = find_flow(cleaned["flow"], topic=cleaned["topic"], language=cleaned["language"])
            except ChoiceError as error:
                raise ValidationError(str(error), code="no_flow") from error
        return cleaned

    def _needs_question(self, cleaned: dict[str, Any]) -> bool:
        """Ours are asked one; a fault of the model is told from others' calls by it. A flow of a customer's own may ask."""
        return cleaned["flow"].startswith(f"{OURS}:") or FAULTS[cleaned["fault"]].is_local


class SignForm(forms.Form):
    """A key, or words."""

    kind = forms.ChoiceField(choices=[(KEY, KEY), (SAY, SAY)])
    text = forms.CharField(max_length=500)

    def clean(self) -> dict[str, Any]:
        """A key is one of those that a telephone has."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("kind") == KEY and not re.fullmatch(r"[0-9*#]", cleaned.get("text", "")):
            raise ValidationError(_("There is no such key."), code="no_key")
        return cleaned
