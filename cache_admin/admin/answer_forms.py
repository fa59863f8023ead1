"""What supervisors fill in about answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cache_admin.admin.store_first import StoreFirstForm
from cache_admin.models import CachedAnswer, Topic
from cache_admin.services.answers import AnswerError, make_chunks

PREWARM_OUTCOMES = {
    "miss": _("The answer is being generated."),
    "hit": _("There is a good answer already."),
    "joined": _("The answer is being generated already."),
    "failed": _("The generation failed a moment ago; try again later."),
}
QUESTION_FAULTS = {
    "question_missing": _("Write a question."),
    "question_too_long": _("A question has at most 1,000 characters."),
    "question_unreadable": _("This is no question that a caller could speak."),
}


class AnswerForm(StoreFirstForm[CachedAnswer]):
    """The text, and the version of the answer to which it was an improvement."""

    text = forms.CharField(
        label=_("New text"),
        widget=forms.Textarea(attrs={"rows": 10, "cols": 100}),
        max_length=20_000,
        help_text=_("What you save here is yours: no model replaces it, until the time of the answer is over."),
    )
    pinned = forms.BooleanField(
        label=_("Pinned"),
        required=False,
        help_text=_("Stays good when the topic's instructions, model or documents change."),
    )
    good_until = forms.DateTimeField(
        label=_("Good until"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"],
        help_text=_(
            "From then on callers do not hear it any more. Left empty, it is good for as long as the topic says."
        ),
    )
    why = forms.CharField(
        label=_("Why"), max_length=300, required=False, help_text=_("For those who read the history later.")
    )
    seen_version = forms.IntegerField(widget=forms.HiddenInput, label="")

    class Meta:
        """Nothing of the row itself: the mirror writes that."""

        model = CachedAnswer
        fields: tuple[str, ...] = ()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for name, value in (
            ("text", "\n\n".join(self.instance.chunks)),
            ("pinned", self.instance.pinned),
            ("seen_version", self.instance.version),
        ):
            self.initial.setdefault(name, value)

    def clean_text(self) -> str:
        """A text of which something can be spoken."""
        text: str = self.cleaned_data["text"]
        try:
            make_chunks(text)
        except AnswerError as error:
            raise ValidationError(str(error), code="unspeakable") from error
        return text

    def clean_good_until(self) -> datetime | None:
        """A time that is to come."""
        until: datetime | None = self.cleaned_data["good_until"]
        if until and until <= timezone.now():
            raise ValidationError(_("This time is over. To end the answer now, invalidate it."), code="over")
        return until


class InvalidateForm(forms.Form):
    """Why an answer is withdrawn."""

    reason = forms.CharField(
        label=_("reason"),
        max_length=200,
        widget=forms.TextInput(attrs={"size": 80}),
        help_text=_("For your colleagues."),
    )


class PrewarmForm(forms.Form):
    """A question for which nobody waits yet."""

    topic = forms.ModelChoiceField(
        label=_("topic"), queryset=Topic.objects.filter(sharing=Topic.Sharing.EVERYONE, enabled=True)
    )
    language = forms.CharField(
        label=_("language"), max_length=20, required=False, help_text=_("The topic's own if left empty, as in en-US.")
    )
    question = forms.CharField(
        label=_("question"),
        widget=forms.Textarea(attrs={"rows": 3, "cols": 80}),
        help_text=_("As a caller would say it."),
    )
