"""Topics: what is saved here is published, and callers hear it from the next question on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cache_admin import gateways
from cache_admin.admin.inlines import PartFormSet, PartInline, kept_forms, kept_rows
from cache_admin.admin.store_first import NotSavedError, StoreFirstAdmin, StoreFirstForm, explain_outages
from cache_admin.admin.topic_console import ConsolePages
from cache_admin.admin.trials import TrialPages
from cache_admin.admin.typed import ModelForm
from cache_admin.models import SourceDocument, Topic, TopicLanguage
from cache_admin.services.documents import MAX_BYTES, DocumentError, DocumentText, keep_document, read_document
from cache_admin.services.topics import invalidate_topic, publish_topic


class LanguageInline(PartInline[TopicLanguage, Topic]):
    """The languages, at least one."""

    model = TopicLanguage
    fields = ("language", "wait_policy", "position")
    extra = 0
    min_num = 1

    def get_formset(self, request: HttpRequest, obj: Topic | None = None, **kwargs: Any) -> Any:
        """A topic without a language could not be asked anything."""
        return super().get_formset(request, obj, validate_min=True, **kwargs)


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


class DocumentFormSet(PartFormSet[SourceDocument, Topic]):
    """A topic's documents; the same text must not be paid for twice."""

    def clean(self) -> None:
        """Refuses a text that the topic has already, under whatever name."""
        super().clean()
        titles: dict[str, str] = {}
        for form in kept_forms(self):
            sha256 = form.found.sha256 if form.found else form.instance.sha256
            if sha256 and sha256 in titles:
                form.add_error("file", gettext("This is the same text as “%s”.") % titles[sha256])
            titles[sha256] = form.cleaned_data.get("title") or str(form.cleaned_data.get("file", ""))


class DocumentInline(PartInline[SourceDocument, Topic]):
    """The documents: uploaded and removed, never changed."""

    model = SourceDocument
    form = DocumentForm
    formset = DocumentFormSet
    fields = ("file", "title", "kind", "words", "uploaded_at", "uploaded_by")
    readonly_fields = ("kind", "words", "uploaded_at", "uploaded_by")
    extra = 1

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Another text is another document."""
        return False


class TopicForm(StoreFirstForm[Topic]):
    """A topic's settings."""

    class Meta:
        """Room to write."""

        widgets = {"instructions": forms.Textarea(attrs={"rows": 8, "cols": 100})}


@admin.register(Topic)
class TopicAdmin(ConsolePages, TrialPages, StoreFirstAdmin[Topic]):
    """Publishes on every save, so whoever may not publish may not save."""

    form = TopicForm
    list_display = ("name", "title", "enabled", "sharing", "model_id", "revision", "published_at")
    list_filter = ("enabled", "sharing")
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("name", "title")
    actions = ("publish_selected", "invalidate_selected")
    inlines = (LanguageInline, DocumentInline)
    readonly_fields = ("revision", "published_at", "estimate_seconds")
    fieldsets = (
        (None, {"fields": ("name", "title", "enabled", "instructions")}),
        (_("Model"), {"fields": ("model_id", "max_tokens", "temperature", "guardrail", "hold_until_checked")}),
        (_("Answers"), {"fields": ("sharing", "ttl_hours", "keep_days")}),
        (_("Review"), {"fields": ("needs_approval", "four_eyes", "verify_days")}),
        (_("Limits"), {"fields": ("fallback_model_id", "asks_per_caller", "asks_per_minute")}),
        (_("Published"), {"fields": ("revision", "published_at", "estimate_seconds")}),
    )

    def get_urls(self) -> list[Any]:
        """Our pages beside Django's."""
        return [*self.trial_urls(), *self.console_urls(), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Topic | None = None) -> Any:
        """The name is part of every answer's key."""
        return (*self.readonly_fields, "name") if obj else self.readonly_fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """To save is to publish."""
        return super().has_add_permission(request) and self.has_publish_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Topic | None = None) -> bool:
        """To save is to publish."""
        return super().has_change_permission(request, obj) and self.has_publish_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Topic | None = None) -> bool:
        """Callers could still ask: a topic is switched off instead."""
        return False

    def has_publish_permission(self, request: HttpRequest) -> bool:
        """For the action of that name."""
        return request.user.has_perm("cache_admin.publish_topic")

    def has_invalidate_permission(self, request: HttpRequest) -> bool:
        """For the action of that name."""
        return request.user.has_perm("cache_admin.invalidate_topic")

    def save_model(self, request: HttpRequest, obj: Topic, form: Any, change: bool) -> None:
        """Left to save_related, which knows the languages and documents."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Stores the uploads, publishes the topic as the form has it, and saves it then."""
        topic, revision = form.instance, form.instance.revision
        with explain_outages():
            keep_uploads(request, formsets)
            publish_topic(
                topic,
                store=gateways.answer_store(),
                now=timezone.now(),
                languages=_in_order(kept_rows(formsets, TopicLanguage)),
                documents=kept_rows(formsets, SourceDocument),
            )
        with transaction.atomic():
            super().save_model(request, topic, form, change)
            super().save_related(request, form, formsets, change)
        if change and topic.revision > revision:
            messages.info(request, gettext("Earlier answers of this topic are not given to callers any more."))

    @admin.action(description=_("Publish selected topics again"), permissions=["publish"])
    def publish_selected(self, request: HttpRequest, queryset: QuerySet[Topic]) -> None:
        """Writes the topics to DynamoDB as they stand here."""
        try:
            with explain_outages():
                count = len([publish_topic(t, store=gateways.answer_store(), now=timezone.now()) for t in queryset])
        except NotSavedError as error:
            return messages.error(request, str(error))
        return messages.success(request, ngettext("%d topic published.", "%d topics published.", count) % count)

    @admin.action(description=_("Invalidate all answers of selected topics"), permissions=["invalidate"])
    def invalidate_selected(self, request: HttpRequest, queryset: QuerySet[Topic]) -> TemplateResponse | None:
        """One write for each topic, after a question: all its answers are generated anew when they are asked for."""
        if "confirmed" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "title": gettext("Invalidate all answers?"),
                "topics": queryset,
                "opts": self.opts,
            }
            return TemplateResponse(request, "admin/cache_admin/topic/invalidate.html", context)
        try:
            with explain_outages():
                for topic in queryset:
                    invalidate_topic(topic, store=gateways.answer_store(), now=timezone.now())
                    self.log_change(request, topic, gettext("Invalidated all answers."))
                    messages.success(request, gettext("All answers of “%s” are invalidated.") % topic)
        except NotSavedError as error:
            messages.error(request, str(error))
        return None


def _in_order(rows: list[TopicLanguage] | None) -> list[TopicLanguage] | None:
    return rows if rows is None else sorted(rows, key=lambda row: row.position)


def keep_uploads(request: HttpRequest, formsets: Sequence[Any]) -> None:
    """Puts new documents and their texts into the bucket; in the topic they come after the old ones."""
    forms_ = [form for formset in formsets if formset.model is SourceDocument for form in kept_forms(formset)]
    position = 1 + max((form.instance.position for form in forms_ if form.instance.pk), default=-1)
    for form in forms_:
        if form.found is not None:
            name = form.cleaned_data["file"].name
            keep_document(form.instance, form.found, form.content, name=name, storage=gateways.file_storage())
            form.instance.uploaded_by, form.instance.position = request.user, position
            position += 1
