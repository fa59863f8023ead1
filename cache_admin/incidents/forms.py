"""What is asked before an incident text is switched on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cache_admin.incidents.questions import UnreachableError, find_keys, read_lines
from cache_admin.incidents.switching import find_taken, make_chunks
from cache_admin.models import Topic

OTHER: Final = "other"
MINUTES: Final = (
    ("15", gettext_lazy("15 minutes")),
    ("30", gettext_lazy("30 minutes")),
    ("60", gettext_lazy("1 hour")),
    ("120", gettext_lazy("2 hours")),
    ("240", gettext_lazy("4 hours")),
    ("720", gettext_lazy("12 hours")),
)
LASTS: Final = (*MINUTES, (OTHER, gettext_lazy("until …")))
MOST_QUESTIONS: Final = 100
LONGEST: Final = timedelta(days=31)


class IncidentForm(forms.Form):
    """A text, where it is said, and for how long; once it is valid, `keys` holds the questions' keys by topic."""

    text = forms.CharField(
        label=gettext_lazy("What callers hear"),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Plain sentences, as a person would say them. It is said in place of every answer."),
    )
    topics = forms.ModelMultipleChoiceField(
        Topic.objects.filter(published_at__isnull=False).prefetch_related("languages"),
        to_field_name="name",
        label=gettext_lazy("Topics"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one topic.")},
    )
    questions = forms.CharField(
        required=False,
        strip=False,
        max_length=100_000,
        label=gettext_lazy("Only these questions"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One a line, in a caller's words. Left empty, the text stands in for every answer."),
    )
    lasts = forms.ChoiceField(choices=LASTS, initial="60", label=gettext_lazy("For how long"), widget=forms.RadioSelect)
    until = forms.DateTimeField(
        required=False,
        label=gettext_lazy("Until"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"],
    )

    keys: dict[str, list[str]]

    def clean_text(self) -> str:
        """Something that can be heard."""
        text: str = self.cleaned_data["text"]
        if not make_chunks(text):
            raise ValidationError(_("Nothing of this can be spoken."), code="mute")
        return text

    def clean_topics(self) -> Any:
        """Topics that no other text holds."""
        topics = self.cleaned_data["topics"]
        now = timezone.now()
        taken = [row for row in find_taken(topic.name for topic in topics) if row.incident.until > now]
        if taken:
            titles = {topic.name: str(topic) for topic in topics}
            names = ", ".join(titles.get(row.topic, row.topic) for row in taken)
            raise ValidationError(_("Another incident text is on here, switch it off first: %s") % names, code="taken")
        return topics

    def clean_questions(self) -> list[str]:
        """Each line once."""
        lines = read_lines(self.cleaned_data["questions"])
        if len(lines) > MOST_QUESTIONS:
            raise ValidationError(_("At most %d questions: choose the whole topic.") % MOST_QUESTIONS, code="many")
        return lines

    def clean(self) -> dict[str, Any]:
        """Finds the end, and the questions' keys."""
        cleaned = super().clean() or self.cleaned_data
        self._find_end(cleaned)
        if "topics" in cleaned and "questions" in cleaned:
            try:
                self.keys = {topic.name: find_keys(topic, cleaned["questions"]) for topic in cleaned["topics"]}
            except UnreachableError as error:
                self.add_error("questions", str(error))
        return cleaned

    def _find_end(self, cleaned: dict[str, Any]) -> None:
        now = timezone.now()
        if cleaned.get("lasts") != OTHER:
            cleaned["until"] = now + timedelta(minutes=int(cleaned.get("lasts") or 0))
        elif not isinstance(cleaned.get("until"), datetime):
            if "until" not in self.errors:
                self.add_error("until", _("Say until when."))
        elif not now < cleaned["until"] <= now + LONGEST:
            self.add_error("until", _("Choose a time that is to come, within a month."))


class ProlongForm(forms.Form):
    """Another end, counted from now."""

    minutes = forms.TypedChoiceField(choices=MINUTES, coerce=int, label=gettext_lazy("Lasts from now on"))
