"""A topic's documents: uploaded, read, replaced under the same title, and earlier ones put back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cache_admin import gateways
from cache_admin.admin.inlines import PartFormSet, PartInline, kept_forms
from cache_admin.admin.store_first import NotSavedError, explain_outages
from cache_admin.admin.topic_changes import show_at_least
from cache_admin.admin.typed import ModelForm
from cache_admin.models import EarlierDocument, SourceDocument, Topic
from cache_admin.services.document_history import find_same_title, put_back
from cache_admin.services.documents import (
    MAX_BYTES,
    DocumentError,
    DocumentText,
    find_title,
    keep_document,
    read_document,
    read_text,
)
from cache_admin.services.topics import count_given

SHOWN_CHARACTERS = 20_000
SHOWN_EARLIER = 20
_NAME = "cache_admin_topic_document"
_KINDS: dict[str, Any] = {"document": SourceDocument, "earlier": EarlierDocument}


class DocumentForm(ModelForm[SourceDocument]):
    """An upload that is read at once: what is wrong with it is said at its field."""

    found: DocumentText | None = None
    content: bytes = b""

    def clean_file(self) -> Any:
        """The file, if text was found in it."""
        file = self.cleaned_data["file"]
        if isinstance(file, UploadedFile):
            file.seek(0)
            self.content = file.read(MAX_BYTES + 1)
            try:
                self.found = read_document(self.content, name=file.name or "")
            except DocumentError as error:
                raise ValidationError(str(error), code="unreadable") from error
        return file

    def title(self) -> str:
        """As it will be kept: the file's name when none was written."""
        if self.instance.pk:
            return self.instance.title
        return find_title(self.cleaned_data.get("title", ""), name=str(self.cleaned_data.get("file", "")))


class DocumentFormSet(PartFormSet[SourceDocument, Topic]):
    """A topic's documents; the same text must not be paid for twice."""

    def clean(self) -> None:
        """Refuses a text that the topic has already, under whatever name, and two new ones of one title."""
        super().clean()
        texts: dict[str, str] = {}
        titles: set[str] = set()
        for form in kept_forms(self):
            title, sha256 = form.title(), form.found.sha256 if form.found else form.instance.sha256
            if sha256 and sha256 in texts:
                form.add_error("file", gettext("This is the same text as “%s”.") % texts[sha256])
            if form.found and title in titles:
                form.add_error("title", gettext("Another new document has this title."))
            texts[sha256] = title
            titles |= {title} if form.found else set()


class DocumentInline(PartInline[SourceDocument, Topic]):
    """The documents: uploaded, replaced and removed, never changed."""

    model = SourceDocument
    form = DocumentForm
    formset = DocumentFormSet
    fields = ("file", "title", "text", "words", "uploaded")
    readonly_fields = ("text", "words", "uploaded")
    extra = 1

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Another text is another document."""
        return False

    @admin.display(description=_("text"))
    def text(self, document: SourceDocument) -> SafeString | str:
        """The way to what the model reads of it."""
        if not document.pk:
            return "-"
        url = reverse(f"admin:{_NAME}", args=["document", document.pk])
        return format_html('<a href="{}">{}</a>', url, gettext("read"))

    @admin.display(description=_("uploaded"))
    def uploaded(self, document: SourceDocument) -> str:
        """When, and by whom."""
        if not document.pk:
            return "-"
        when = date_format(localtime(document.uploaded_at), "SHORT_DATETIME_FORMAT")
        return f"{when} · {document.uploaded_by}" if document.uploaded_by else when


def keep_uploads(request: HttpRequest, formsets: Sequence[Any]) -> list[SourceDocument]:
    """Puts new documents and their texts into the bucket; those whose place they take.

    A new document comes after the old ones, or stands where the one of its title stood.
    """
    forms = _find_forms(formsets)
    present = [form.instance for form in forms if form.instance.pk]
    position = 1 + max((document.position for document in present), default=-1)
    replaced = []
    for form in forms:
        if form.found is not None:
            name = form.cleaned_data["file"].name
            keep_document(form.instance, form.found, form.content, name=name, storage=gateways.file_storage())
            same = find_same_title(form.instance, present)
            form.instance.uploaded_by = request.user
            form.instance.position = same[0].position if same else position
            position += 1
            replaced += same
    return replaced


def find_removed(formsets: Sequence[Any]) -> list[SourceDocument]:
    """Those that are marked for deletion, as they are in the database: their forms have emptied what was not sent."""
    deleted = [form.instance.pk for f in formsets if f.model is SourceDocument for form in f.deleted_forms]
    return list(SourceDocument.objects.filter(pk__in=deleted))


def _find_forms(formsets: Sequence[Any]) -> list[Any]:
    return [form for formset in formsets if formset.model is SourceDocument for form in kept_forms(formset)]


class DocumentPages:
    """The pages of single documents; for the topics' admin."""

    admin_site: Any
    opts: Any
    log_change: Any
    has_view_permission: Any
    has_change_permission: Any

    def document_urls(self) -> list[Any]:
        """Present and earlier documents alike: the text, and the file as it was uploaded."""
        view = self.admin_site.admin_view
        return [
            path("<str:kind>/<int:pk>/text/", view(self.document_view), name=_NAME),
            path("<str:kind>/<int:pk>/file/", view(self.file_view), name=f"{_NAME}_file"),
        ]

    def _find(self, request: HttpRequest, kind: str, pk: int) -> SourceDocument | EarlierDocument:
        if kind not in _KINDS:
            raise Http404
        found: SourceDocument | EarlierDocument = get_object_or_404(_KINDS[kind], pk=pk)
        if not self.has_view_permission(request, found.topic):
            raise PermissionDenied
        return found

    def document_view(self, request: HttpRequest, kind: str, pk: int) -> HttpResponse:
        """What the model reads of a document; a POST puts an earlier one back."""
        document, fault = self._find(request, kind, pk), ""
        may_put_back = isinstance(document, EarlierDocument) and self.has_change_permission(request, document.topic)
        if request.method == "POST":
            if not may_put_back:
                raise PermissionDenied
            try:
                return self._put_back(request, document)
            except (DocumentError, NotSavedError) as error:
                fault = str(error)
        text, outage = _read(document)
        context = {
            **self.admin_site.each_context(request),
            "title": document.title,
            "opts": self.opts,
            "original": document.topic,
            "document": document,
            "kind": kind,
            "is_earlier": kind == "earlier",
            "text": text[:SHOWN_CHARACTERS],
            "left_out": max(len(text) - SHOWN_CHARACTERS, 0),
            "fault": fault or outage,
            "may_put_back": may_put_back,
            "replaces": find_same_title(document, document.topic.documents.all()),
            "given_count": show_at_least(count_given(document.topic, now=timezone.now())),
        }
        return TemplateResponse(request, "admin/cache_admin/topic/document.html", context, status=409 if fault else 200)

    def _put_back(self, request: HttpRequest, earlier: Any) -> HttpResponse:
        with explain_outages():
            put_back(earlier, by=request.user, store=gateways.answer_store(), now=timezone.now())
        note = gettext("“%s” is a document of the topic again.") % earlier.title
        self.log_change(request, earlier.topic, note)
        messages.success(request, note)
        return redirect("admin:cache_admin_topic_change", earlier.topic_id)

    def file_view(self, request: HttpRequest, kind: str, pk: int) -> HttpResponse | FileResponse:
        """The file as it was uploaded."""
        document = self._find(request, kind, pk)
        name = str(document.file.name)
        try:
            kept = gateways.file_storage().open(name)
            kept.seek(0)
        except (FileNotFoundError, ClientError, BotoCoreError):
            messages.error(request, gettext("The file cannot be had from the bucket at the moment."))
            return redirect(f"admin:{_NAME}", kind, pk)
        return FileResponse(kept, as_attachment=True, filename=PurePath(name).name)


def _read(document: SourceDocument | EarlierDocument) -> tuple[str, str]:
    """The text, or why there is none."""
    try:
        return read_text(document.sha256, storage=gateways.file_storage()), ""
    except FileNotFoundError:
        return "", gettext("The text is not in the bucket any more: upload the document again.")
    except (ClientError, BotoCoreError):
        return "", gettext("S3 does not serve at the moment. Try again.")


def list_earlier(topic: Topic) -> list[EarlierDocument]:
    """The latest that were replaced or removed."""
    found = EarlierDocument.objects.filter(topic=topic).select_related("uploaded_by", "ended_by")
    return list(found[:SHOWN_EARLIER])
