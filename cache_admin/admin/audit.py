"""The audit trail's pages: who decided what, what was before and what is since; and the page that undoes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from cache_admin import gateways
from cache_admin.admin.audit_words import name_verb
from cache_admin.admin.exporting import ExportingAdmin
from cache_admin.admin.filters import TopicFilter
from cache_admin.admin.keyset import KeysetAdmin, KeysetChangeList
from cache_admin.admin.store_first import NotSavedError, explain_outages
from cache_admin.audit.comparing import compare_entry
from cache_admin.audit.offering import undo_deed
from cache_admin.audit.undoing import find_undo
from cache_admin.audit.verbs import list_verbs
from cache_admin.models import AuditEntry, CachedAnswer
from cache_admin.people.scope import visible_topics

COLUMNS = (
    "sequence", "at", "user_name", "verb", "kind", "object_id", "label", "topic", "before", "after", "why", "address", "digest",
)  # fmt: skip
SHOWN = 60
_NAME = "cache_admin_auditentry"


def describe_entries(entries: Iterable[AuditEntry]) -> Iterator[dict[str, Any]]:
    """As the table has them."""
    for entry in entries:
        yield {name: getattr(entry, name) for name in COLUMNS}


class VerbFilter(admin.SimpleListFilter):
    """By what was done."""

    title = _("what")
    parameter_name = "verb"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """The verbs there are, in words."""
        return [(verb, name_verb(verb)) for verb in list_verbs()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The decisions of that kind."""
        return queryset.filter(verb=self.value()) if self.value() else queryset


class PersonFilter(admin.SimpleListFilter):
    """By who did it."""

    title = _("who")
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Those who have a login; who has none any more is found by the number in the address."""
        names = (
            get_user_model()._default_manager.filter(is_staff=True).order_by("username").values_list("pk", "username")
        )
        return [(str(pk), name) for pk, name in names[:500]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The person's decisions."""
        return queryset.filter(user_pk=self.value()) if self.value() else queryset


class ObjectFilter(admin.SimpleListFilter):
    """By one object, as `cache_admin.topic:5`: where an object's own page leads."""

    title = _("object")
    parameter_name = "object"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Only the one that was asked for."""
        asked = request.GET.get(self.parameter_name, "")[:300]
        return [(asked, asked)] if asked else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The object's decisions."""
        kind, _colon, pk = (self.value() or "").partition(":")
        return queryset.filter(kind=kind, object_id=pk) if kind else queryset


def find_questions(entries: Iterable[AuditEntry]) -> dict[int, str]:
    """The answers' questions by their entries' numbers: the trail has none, so they are looked up where they can be erased."""
    about = {entry.sequence: entry.object_id for entry in entries if entry.kind == "cache_admin.cachedanswer"}
    rows = CachedAnswer.objects.filter(pk__in=set(about.values())).values_list("pk", "question") if about else ()
    questions = {str(pk): question for pk, question in rows}
    return {sequence: questions[pk] for sequence, pk in about.items() if pk in questions}


class AuditChangeList(KeysetChangeList):
    """Entries with their answers' questions: one query more for the whole page."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's entries."""
        super().get_results(request)
        questions = find_questions(self.result_list)
        for entry in self.result_list:
            entry.question = questions.get(entry.sequence, entry.label)


@admin.register(AuditEntry)
class AuditAdmin(ExportingAdmin[AuditEntry], KeysetAdmin[AuditEntry]):
    """Only to look at."""

    export_columns = COLUMNS
    export_rows = staticmethod(describe_entries)
    list_display = ("at", "what", "who", "about", "topic", "why")
    list_filter = (VerbFilter, PersonFilter, TopicFilter, ObjectFilter, "at")
    sortable_by = ("at",)
    ordering = ("-at",)
    actions = None
    readonly_fields = ("sequence", "at", "what", "who", "address", "about", "topic", "why", "undoing", "seal")
    fields = readonly_fields
    change_form_template = "admin/cache_admin/auditentry/change_form.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Decisions add."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        """What was, was."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        """The database refuses it, too."""
        return False

    def get_urls(self) -> list[Any]:
        """The page that undoes, for all who decide."""
        undo = self.admin_site.admin_view(require_POST(self.undo_view))
        return [path("undo/<str:deed>/", undo, name=f"{_NAME}_undo"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Who is restricted to topics sees what was decided about these, and the own decisions."""
        topics = visible_topics(request.user)
        mine = Q() if topics is None else Q(topic__in=topics) | Q(user_pk=str(request.user.pk))
        return super().get_queryset(request).filter(mine)

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[ChangeList]:
        """The list that knows the answers."""
        return AuditChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Under its own name: there is nothing to select."""
        return super().changelist_view(request, {"title": gettext("Audit trail"), **(extra_context or {})})

    # -- columns and facts

    @admin.display(description=_("what"))
    def what(self, entry: AuditEntry) -> str:
        """The verb in words."""
        return name_verb(entry.verb)

    @admin.display(description=_("who"))
    def who(self, entry: AuditEntry) -> str:
        """The login's name as it was then."""
        return entry.user_name or gettext("nobody who was signed in")

    @admin.display(description=_("object"))
    def about(self, entry: AuditEntry) -> SafeString | str:
        """What it is called, with a way to its page; an answer by its question, while that is kept."""
        question = getattr(entry, "question", None) or find_questions([entry]).get(entry.sequence, "")
        name = question or entry.label
        short = name if len(name) < SHOWN else f"{name[:SHOWN]}…"
        if not entry.kind or not entry.object_id:
            return short or "-"
        try:
            url = reverse(f"admin:{entry.kind.replace('.', '_')}_change", args=[entry.object_id])
        except NoReverseMatch:
            return short
        return format_html('<a href="{}">{}</a>', url, short)

    @admin.display(description=_("undoes"))
    def undoing(self, entry: AuditEntry) -> SafeString | str:
        """The entry that it took back, or that took it back."""
        other = entry.undoes or AuditEntry.objects.filter(undoes=entry.pk).values_list("pk", flat=True).first()
        if other is None:
            return "-"
        words = gettext("takes back entry %d") if entry.undoes else gettext("taken back by entry %d")
        return format_html('<a href="{}">{}</a>', reverse(f"admin:{_NAME}_change", args=[other]), words % other)

    @admin.display(description=_("seal"))
    def seal(self, entry: AuditEntry) -> SafeString:
        """What ties it to the entry before it."""
        return format_html('<code class="quiet audit-seal">{}</code>', entry.digest)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One entry, before and after side by side."""
        entry = self.get_object(request, object_id)
        facts: dict[str, Any] = {"title": gettext("Audit entry")}
        if entry is not None:
            can_undo = find_undo(entry, user=request.user, now=timezone.now()) is not None
            facts |= {"changes": compare_entry(entry), "undo": {"deed": entry.deed} if can_undo else {}}
        return super().change_view(request, object_id, form_url, {**facts, **(extra_context or {})})

    # -- undoing

    def undo_view(self, request: HttpRequest, deed: str) -> HttpResponse:
        """Undoes what one click did; each part asks for the right that it took."""
        try:
            with explain_outages():
                outcome = undo_deed(request, deed, store=gateways.answer_store())
        except NotSavedError as error:
            messages.error(request, str(error))
        else:
            if outcome.done:
                done = ngettext("%d decision undone.", "%d decisions undone.", outcome.done)
                messages.success(request, done % outcome.done)
            for fault in dict.fromkeys(outcome.refused):
                messages.warning(request, fault)
            if not outcome.done and not outcome.refused:
                messages.warning(request, gettext("This cannot be undone any more."))
        return HttpResponseRedirect(_find_way_back(request))


def _find_way_back(request: HttpRequest) -> str:
    asked = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return asked if asked and is_ours else reverse("admin:index")
