"""Topics: what is saved here is published, and callers hear it from the next question on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cache_admin import gateways
from cache_admin.admin.inlines import PartInline, kept_rows
from cache_admin.admin.store_first import NotSavedError, StoreFirstAdmin, StoreFirstForm, explain_outages
from cache_admin.admin.topic_changes import ChangePages, tell_outdated, warn_before
from cache_admin.admin.topic_console import ConsolePages
from cache_admin.admin.topic_documents import (
    DocumentInline,
    DocumentPages,
    find_removed,
    keep_uploads,
    list_earlier,
)
from cache_admin.admin.trials import GENERATE, TrialPages
from cache_admin.models import SourceDocument, Topic, TopicLanguage
from cache_admin.services.document_history import retire_documents
from cache_admin.services.topics import MADE_FROM, AtLeast, count_given, invalidate_topic, publish_topic


class LanguageInline(PartInline[TopicLanguage, Topic]):
    """The languages, at least one."""

    model = TopicLanguage
    fields = ("language", "wait_policy", "position")
    extra = 0
    min_num = 1

    def get_formset(self, request: HttpRequest, obj: Topic | None = None, **kwargs: Any) -> Any:
        """A topic without a language could not be asked anything."""
        return super().get_formset(request, obj, validate_min=True, **kwargs)


class TopicForm(StoreFirstForm[Topic]):
    """A topic's settings; those from which answers are made say so."""

    class Meta:
        """Room to write."""

        widgets = {"instructions": forms.Textarea(attrs={"rows": 8, "cols": 100})}

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for name in set(MADE_FROM) & set(self.fields):
            field = self.fields[name]
            field.help_text = " ".join(
                filter(None, (str(field.help_text), gettext("A change makes earlier answers outdated.")))
            )


@admin.register(Topic)
class TopicAdmin(ChangePages, ConsolePages, DocumentPages, TrialPages, StoreFirstAdmin[Topic]):
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
        (
            _("Model"),
            {
                "fields": ("model_id", "max_tokens", "temperature", "guardrail", "hold_until_checked"),
                "description": _("Who writes the answers, and how long and how freely."),
            },
        ),
        (
            _("Answers"),
            {
                "fields": ("sharing", "ttl_hours", "keep_days"),
                "description": _("An answer that is shared is made once and heard at once by everybody after."),
            },
        ),
        (
            _("Review"),
            {
                "fields": ("needs_approval", "four_eyes", "verify_days"),
                "description": _("Whether people look at what the model writes before it is shared."),
            },
        ),
        (
            _("Limits"),
            {
                "fields": ("fallback_model_id", "asks_per_caller", "asks_per_minute"),
                "description": _(
                    "What happens when very many ask, or the model is down. Known answers are never limited."
                ),
            },
        ),
        (_("Published"), {"fields": ("revision", "published_at", "estimate_seconds")}),
    )

    def get_urls(self) -> list[Any]:
        """Our pages beside Django's."""
        own = [*self.trial_urls(), *self.console_urls(), *self.change_urls(), *self.document_urls()]
        return [*own, *super().get_urls()]

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
        topic, revision, now = form.instance, form.instance.revision, timezone.now()
        given = count_given(topic, now=now) if change else AtLeast(0)
        with explain_outages():
            replaced = keep_uploads(request, formsets)
            publish_topic(
                topic,
                store=gateways.answer_store(),
                now=now,
                languages=_in_order(kept_rows(formsets, TopicLanguage)),
                documents=_in_order(kept_rows(formsets, SourceDocument), but=replaced),
            )
        with transaction.atomic():
            super().save_model(request, topic, form, change)
            retire_documents([*replaced, *find_removed(formsets)], by=request.user, now=now)
            super().save_related(request, form, formsets, change)
        if change and topic.revision > revision:
            messages.info(request, tell_outdated(topic, given, may_warm=request.user.has_perm(GENERATE)))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The topic's page, with what a change would do, and the documents that it had."""
        topic = self.get_object(request, object_id)
        more: dict[str, Any] = {"made_from": " ".join(MADE_FROM)}
        if topic is not None:
            more["warning"] = warn_before(count_given(topic, now=timezone.now()))
            more["earlier_documents"] = list_earlier(topic)
        return super().change_view(request, object_id, form_url, {**more, **(extra_context or {})})

    @admin.action(description=_("Publish selected topics again"), permissions=["publish"])
    def publish_selected(self, request: HttpRequest, queryset: QuerySet[Topic]) -> None:
        """Writes the topics to DynamoDB as they stand here."""
        topics = list(queryset)
        try:
            with explain_outages():
                for topic in topics:
                    publish_topic(topic, store=gateways.answer_store(), now=timezone.now())
                    self.log_change(request, topic, gettext("Published again."))
        except NotSavedError as error:
            return messages.error(request, str(error))
        count = len(topics)
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


def _in_order(rows: list[Any] | None, *, but: Sequence[Any] = ()) -> list[Any] | None:
    return rows if rows is None else sorted((row for row in rows if row not in but), key=lambda row: row.position)
