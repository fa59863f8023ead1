"""Parked questions: what lies in the dead-letter queue, sent back or discarded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cache_admin import gateways
from cache_admin.admin.answer_list import show_state
from cache_admin.admin.filters import TopicFilter
from cache_admin.admin.keyset import KeysetAdmin, KeysetChangeList
from cache_admin.admin.parked_decisions import DISCARD, OUTAGE, REPLAY, read_history, record_decision, tell_outcome
from cache_admin.admin.parked_words import REASONS, explain_reason, name_reason
from cache_admin.models import CachedAnswer, ParkedLook, ParkedMessage
from cache_admin.services.parked import Settled, discard_messages, look, replay_messages
from connectgenai.wire.queue import QueueUnavailableError

AT_ONCE = 1_000  # a supervisor waits for it
SHOWN = 20
STALE = timedelta(minutes=20)  # housekeeping looks every quarter of an hour at least
_FILTERS = ("topic", "reason")
_SERVICES: dict[str, Callable[..., Settled]] = {REPLAY: replay_messages, DISCARD: discard_messages}


class ReasonFilter(admin.SimpleListFilter):
    """By reason."""

    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """The words that workers have for it, with ours where two of them mean the same."""
        return [(word, f"{name} ({word})") for word, (name, _more) in REASONS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What was parked for this reason."""
        return queryset.filter(reason=self.value()) if self.value() else queryset


class ParkedChangeList(KeysetChangeList):
    """Parked messages with the answers that they ask for: one query more for the whole page."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's messages, each with its answer."""
        super().get_results(request)
        answers = CachedAnswer.objects.in_bulk([row.key for row in self.result_list if row.key], field_name="key")
        for row in self.result_list:
            row.asked_answer = answers.get(row.key)


@admin.register(ParkedMessage)
class ParkedAdmin(KeysetAdmin[ParkedMessage]):
    """The table that housekeeping keeps of the dead-letter queue; what is decided is done in the queue itself."""

    list_display = ("what", "topic", "language", "why", "deliveries", "answer_state", "parked_at")
    list_display_links = ("why",)  # the question leads to its answer
    list_filter = (TopicFilter, ReasonFilter)
    sortable_by = ("parked_at",)
    ordering = ("-parked_at",)
    list_per_page = 100
    actions = ("replay_selected", "discard_selected")
    readonly_fields = (
        "what", "why", "advice", "answer_state", "topic", "language", "queue", "deliveries", "parked_at", "message_id", "beginning",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("what", "why", "advice", "answer_state", "beginning")}),
        (_("About"), {"fields": ("topic", "language", "queue", "deliveries", "parked_at", "message_id")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Workers park."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ParkedMessage | None = None) -> bool:
        """A message is sent back as it is, or not at all."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ParkedMessage | None = None) -> bool:
        """To delete the row would leave the message: see discarding."""
        return False

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """For the action of that name."""
        return request.user.has_perm("cache_admin.replay_parkedmessage")

    def has_discard_permission(self, request: HttpRequest) -> bool:
        """For the action of that name."""
        return request.user.has_perm("cache_admin.discard_parkedmessage")

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[ChangeList]:
        """The list that knows the answers."""
        return ParkedChangeList

    def get_urls(self) -> list[Any]:
        """Our three pages beside Django's."""
        view, name = self.admin_site.admin_view, "cache_admin_parkedmessage"
        return [
            path("replay/", view(self.replay_view), name=f"{name}_replay"),
            path("discard/", view(self.discard_view), name=f"{name}_discard"),
            path("look/", view(self.look_view), name=f"{name}_look"),
            *super().get_urls(),
        ]

    # -- columns and facts

    @admin.display(description=_("question"))
    def what(self, row: ParkedMessage) -> SafeString | str:
        """The question, with a way to its answer; or the beginning of a message that is none."""
        answer = self._find_answer(row)
        if answer is not None:
            url = reverse("admin:cache_admin_cachedanswer_change", args=[answer.pk])
            return format_html('<a href="{}">{}</a>', url, answer.question or gettext("erased"))
        if row.question or row.key:
            return row.question or gettext("A question that is not known any more")
        return format_html('<code class="quiet">{}</code>', row.excerpt[:80] or gettext("empty"))

    @admin.display(description=_("why it is here"))
    def why(self, row: ParkedMessage) -> str:
        """The reason in a few words; in the list it leads to the message's page."""
        return name_reason(row.reason)

    @admin.display(description=_("what that means"))
    def advice(self, row: ParkedMessage) -> str:
        """The reason in a sentence, with the worker's own word, which logs have too."""
        return f"{explain_reason(row.reason)} ({row.reason})".strip()

    @admin.display(description=_("its answer now"))
    def answer_state(self, row: ParkedMessage) -> SafeString | str:
        """Whether it still matters: much that is parked has been answered since."""
        answer = self._find_answer(row)
        return show_state(answer) if answer else "-"

    @admin.display(description=_("the message"))
    def beginning(self, row: ParkedMessage) -> SafeString | str:
        """How a message begins that is no request."""
        return format_html('<pre class="excerpt">{}</pre>', row.excerpt) if row.excerpt else gettext("A request.")

    @staticmethod
    def _find_answer(row: ParkedMessage) -> CachedAnswer | None:
        if not hasattr(row, "asked_answer"):  # on the message's own page
            row.asked_answer = CachedAnswer.objects.filter(key=row.key).first() if row.key else None  # type: ignore[attr-defined]
        found: CachedAnswer | None = row.asked_answer  # type: ignore[attr-defined]
        return found

    # -- the list

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, and how fresh it is."""
        last = ParkedLook.objects.filter(pk=1).first()
        is_stale = last is None or last.looked_at is None or last.looked_at < timezone.now() - STALE
        chosen = "&".join(f"{name}={request.GET[name]}" for name in _FILTERS if request.GET.get(name))
        facts = {
            "last": last,
            "is_stale": is_stale,
            "chosen": chosen,
            "noted": self._count(request),
            "history": read_history(),
            "may_replay": self.has_replay_permission(request),
            "may_discard": self.has_discard_permission(request),
            "title": gettext("Parked questions"),
        }
        return super().changelist_view(request, {**facts, **(extra_context or {})})

    def _count(self, request: HttpRequest) -> int:
        return self._filter(request).count()

    @staticmethod
    def _filter(request: HttpRequest) -> QuerySet[ParkedMessage]:
        wanted = {name: request.GET[name] for name in _FILTERS if request.GET.get(name)}
        return ParkedMessage.objects.filter(**wanted).order_by("-parked_at", "-pk")

    def look_view(self, request: HttpRequest) -> HttpResponse:
        """Looks at the queue now, instead of at the next housekeeping."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            try:
                if not look(gateways.dead_letters(), now=timezone.now()):
                    messages.warning(request, gettext("Housekeeping is looking already; wait a moment."))
            except QueueUnavailableError as error:
                messages.error(request, OUTAGE % error)
        return redirect("admin:cache_admin_parkedmessage_changelist")

    # -- deciding

    @admin.action(description=_("Send selected messages back to the workers"), permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[ParkedMessage]) -> HttpResponse:
        """Asks first."""
        return self._ask(REPLAY, queryset)

    @admin.action(description=_("Discard selected messages"), permissions=["discard"])
    def discard_selected(self, request: HttpRequest, queryset: QuerySet[ParkedMessage]) -> HttpResponse:
        """Asks first."""
        return self._ask(DISCARD, queryset)

    def _ask(self, wish: str, queryset: QuerySet[ParkedMessage]) -> HttpResponse:
        query = "&".join(f"pk={pk}" for pk in queryset.order_by().values_list("pk", flat=True)[: self.list_per_page])
        return HttpResponseRedirect(f"{reverse(f'admin:cache_admin_parkedmessage_{wish}')}?{query}")

    def replay_view(self, request: HttpRequest) -> HttpResponse:
        """Sends some messages back, or all that match a filter, after a question."""
        if not self.has_replay_permission(request):
            raise PermissionDenied
        return self._decide(request, REPLAY, gettext("Send parked questions back?"))

    def discard_view(self, request: HttpRequest) -> HttpResponse:
        """Discards some messages, or all that match a filter, after a question."""
        if not self.has_discard_permission(request):
            raise PermissionDenied
        return self._decide(request, DISCARD, gettext("Discard parked questions?"))

    def _decide(self, request: HttpRequest, wish: str, title: str) -> HttpResponse:
        rows = self._choose(request)
        if request.method == "POST" and rows:
            settled = _SERVICES[wish](
                [row.message_id for row in rows], letters=gateways.dead_letters(), now=timezone.now()
            )
            record_decision(request, rows, settled.done, wish)
            tell_outcome(request, settled, wish)
            return redirect("admin:cache_admin_parkedmessage_changelist")
        shown = rows[:SHOWN]
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "rows": [(self.what(row), name_reason(row.reason)) for row in shown],
            "count": len(rows),
            "more": len(rows) - len(shown),
            "wish": wish,
        }
        return TemplateResponse(request, "admin/cache_admin/parkedmessage/decide.html", context)

    def _choose(self, request: HttpRequest) -> list[ParkedMessage]:
        """The rows that were ticked, or else the newest that match the filter."""
        ticked = [pk for pk in request.GET.getlist("pk") if pk.isascii() and pk.isdigit()][: self.list_per_page]
        rows = ParkedMessage.objects.filter(pk__in=ticked) if "pk" in request.GET else self._filter(request)
        return list(rows[:AT_ONCE])
