"""What reviewers fill in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _


def find_people() -> QuerySet[Any]:
    """Who can look after something here."""
    return get_user_model()._default_manager.filter(is_active=True, is_staff=True).order_by("username")


class OwnerForm(forms.Form):
    """Who sees to it."""

    owner: Any = forms.ModelChoiceField(label=_("Owner"), queryset=None, required=False, empty_label=_("nobody"))

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.fields["owner"].queryset = find_people()  # type: ignore[attr-defined]  # people change, the class does not


class CandidateForm(forms.Form):
    """The text to be approved, the reason, and the versions that were on the page."""

    text = forms.CharField(
        label=_("Text"),
        widget=forms.Textarea(attrs={"rows": 8, "cols": 90}),
        max_length=20_000,
        help_text=_("Improve it before you approve it, if need be. Every text before it is kept."),
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=300,
        required=False,
        help_text=_("Why it is right, or what is to be done. Needed to reject, and to send back."),
    )
    seen_version = forms.IntegerField(widget=forms.HiddenInput)
    shared_version = forms.IntegerField(widget=forms.HiddenInput)


class CareForm(OwnerForm):
    """Who looks after a published text, and until when it counts as right."""

    verify_by = forms.DateField(
        label=_("To be verified by"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
    )
