"""What supervisors fill in to begin a batch."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from cache_admin.models import Topic
from cache_admin.warming.batches import MAX_TYPED
from cache_admin.warming.reading import MAX_BYTES

_SHARED = Topic.objects.filter(sharing=Topic.Sharing.EVERYONE, published_at__isnull=False)
_STARTS = {".xlsx": (b"PK",), ".json": (b"[", b"{", b"\xef\xbb\xbf[", b"\xef\xbb\xbf{")}


class _PlaceForm(forms.Form):
    """Where the questions belong."""

    topic = forms.ModelChoiceField(
        label=_("Topic"),
        queryset=_SHARED,
        to_field_name="name",
        help_text=_("Only topics whose answers every caller may hear can be warmed."),
    )
    language = forms.CharField(
        label=_("Language"), max_length=20, required=False, help_text=_("The topic's own if left empty, as in en-US.")
    )


class TypedForm(_PlaceForm):
    """Questions, one a line."""

    questions = forms.CharField(
        label=_("Questions"),
        max_length=MAX_TYPED * 200,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_("One a line, as callers would say them; at most 2,000 lines."),
    )
    field_order = ("questions", "topic", "language")

    def clean_questions(self) -> list[str]:
        """Not more lines than are planned while somebody waits."""
        lines: list[str] = self.cleaned_data["questions"].splitlines()
        if len(lines) > MAX_TYPED:
            raise ValidationError(_("These are more than 2,000 lines: import a file instead."), code="too_many")
        return lines


class FileForm(_PlaceForm):
    """A file of rows; the topic is for rows that name none."""

    file = forms.FileField(
        label=_("File"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx,.json"}),
        help_text=_(
            "CSV (UTF-8), XLSX or JSON of at most 40 MB and 200,000 rows. The first row names the columns: question, and "
            "for ready answers answer; topic, language, valid_from and valid_until if they are to differ by row."
            " Times are in your time zone unless they name an offset."
        ),
    )
    field_order = ("file", "topic", "language")

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        topic: Any = self.fields["topic"]
        topic.required, topic.help_text = False, _("For rows that do not name one.")
        self.fields["language"].help_text = _("For rows that do not name one; else the topic's own.")

    def clean_file(self) -> UploadedFile[Any]:
        """What may be read at all; what is inside is read later."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        suffix = "." + str(file.name).rpartition(".")[2].lower()
        if suffix not in (".csv", ".xlsx", ".json"):
            raise ValidationError(_("Choose a file that ends in .csv, .xlsx or .json."), code="suffix")
        if (file.size or 0) > MAX_BYTES:
            raise ValidationError(_("The file is larger than 40 MB. Divide it."), code="too_large")
        start = file.read(256).lstrip()
        file.seek(0)
        if suffix in _STARTS and not start.startswith(_STARTS[suffix]):
            raise ValidationError(_("The file does not hold what its name says."), code="content")
        if suffix == ".csv" and start.startswith(b"PK"):
            raise ValidationError(_("This is a workbook: rename it to .xlsx."), code="content")
        return file
