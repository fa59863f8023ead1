"""Calls: what each caller waited for and heard. Only to look at."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import FileResponse, HttpRequest
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from cache_admin.admin.badges import badge
from cache_admin.admin.call_timeline import describe_choice, describe_story
from cache_admin.admin.exporting import ExportingAdmin
from cache_admin.admin.filters import TopicFilter
from cache_admin.admin.keyset import KeysetAdmin, KeysetChangeList
from cache_admin.admin.sounds import open_sound
from cache_admin.amounts import show_seconds
from cache_admin.models import CachedAnswer, Call
from cache_admin.previews.call_story import read_events
from cache_admin.warming.exporting import CALL_COLUMNS, describe_calls


class CallChangeList(KeysetChangeList):
    """Calls with their questions, which the answers hold: one query more for the whole page."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's calls, each with its question."""
        super().get_results(request)
        keys = {call.key for call in self.result_list}
        questions = dict(CachedAnswer.objects.filter(key__in=keys).values_list("key", "question"))
        for call in self.result_list:
            call.asked_question = questions.get(call.key, "")


@admin.register(Call)
class CallAdmin(ExportingAdmin[Call], KeysetAdmin[Call]):
    """The mirror of calls."""

    change_form_template = "admin/cache_admin/call/change_form.html"

    export_columns = CALL_COLUMNS
    export_rows = staticmethod(describe_calls)
    list_display = ("contact", "question", "topic", "outcome_badge", "source", "first_words", "prompts", "asked_at")
    list_filter = (TopicFilter, "outcome", "source", "asked_at")
    search_fields = ("contact_id",)
    search_help_text = _("A whole contact id, or an answer's key.")
    sortable_by = ("asked_at",)
    ordering = ("-asked_at",)
    readonly_fields = (
        "contact_id", "initial_contact_id", "question", "topic", "language", "channel", "outcome_badge", "source", "reason",
        "first_words", "longest_gap", "polls", "prompts", "parts", "asked_at", "first_words_at", "ended_at", "last_seen_at",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("question", "outcome_badge", "reason")}),
        (_("Waiting"), {"fields": ("first_words", "longest_gap", "polls", "prompts", "parts", "source")}),
        (_("Contact"), {"fields": ("contact_id", "initial_contact_id", "topic", "language", "channel")}),
        (_("When"), {"fields": ("asked_at", "first_words_at", "ended_at", "last_seen_at")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Calls are made by callers."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Call | None = None) -> bool:
        """What was, was."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Call | None = None) -> bool:
        """What was, was."""
        return False

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[ChangeList]:
        """The list that knows the questions."""
        return CallChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Call], search_term: str
    ) -> tuple[QuerySet[Call], bool]:
        """Whole ids only: each has an index of its own."""
        term = search_term.strip()
        same = Q(contact_id=term) | Q(initial_contact_id=term) | Q(key=term)
        return queryset.filter(same) if term else queryset, False

    @admin.display(description=_("contact"))
    def contact(self, call: Call) -> str:
        """Enough of the id to tell calls apart."""
        return call.contact_id[:8] if len(call.contact_id) == 36 else call.contact_id

    @admin.display(description=_("question"))
    def question(self, call: Call) -> SafeString | str:
        """What was asked; on the call's page with a way to the answer."""
        if hasattr(call, "asked_question"):
            return str(call.asked_question)
        answer = CachedAnswer.objects.filter(key=call.key).only("pk", "question").first()
        if answer is None:
            return gettext("Not known any more.")
        url = reverse("admin:cache_admin_cachedanswer_change", args=[answer.pk])
        return format_html('<a href="{}">{}</a>', url, answer.question)

    @admin.display(description=_("outcome"))
    def outcome_badge(self, call: Call) -> SafeString:
        """How it ended."""
        return badge(call.outcome, call.get_outcome_display())

    @admin.display(description=_("until the first words"))
    def first_words(self, call: Call) -> str:
        """Seconds from the question to the first words of the answer."""
        if call.first_words_at is None:
            return "-"
        return show_seconds((call.first_words_at - call.asked_at).total_seconds())

    @admin.display(description=_("longest time without anything new"))
    def longest_gap(self, call: Call) -> str:
        """Between two things that began to play."""
        times = [0.0, *(moment.at for moment in read_events(call))]
        return show_seconds(max((b - a for a, b in pairwise(times)), default=0.0))

    # -- the timeline, and who heard which version

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Says in the title whose calls these are, where a link chose one version of an answer."""
        title = describe_choice(request.GET)
        return super().changelist_view(request, {**({"title": title} if title else {}), **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """With what the caller heard, second by second."""
        call = self.get_object(request, object_id)
        story = describe_story(call) if call and self.has_view_permission(request, call) else {}
        return super().change_view(request, object_id, form_url, {**story, **(extra_context or {})})

    def get_urls(self) -> list[Any]:
        """The sounds that were heard, beside Django's own."""
        sound = self.admin_site.admin_view(require_GET(self.play_sound))
        return [path("sound/", sound, name="cache_admin_call_sound"), *super().get_urls()]

    def play_sound(self, request: HttpRequest) -> FileResponse:
        """A recording of ours by its S3 URI; nothing else of the bucket."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return open_sound(request.GET.get("uri", ""))
