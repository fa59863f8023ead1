"""Drift: whether these pages show what DynamoDB holds; compared every night, or when somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cache_admin.admin.badges import badge
from cache_admin.admin.typed import ModelAdmin
from cache_admin.models import CachedAnswer, Call, DriftedRow, Reconciliation
from cache_admin.services.drift import find_open, wish_for_reconciliation
from cache_admin.stored_words import read_stored

State, Verdict = Reconciliation.State, DriftedRow.Verdict
_TONES = {State.DONE: "SUCCESS", State.FAILED: "FAILURE", State.RUNNING: "STARTED", State.QUEUED: "PENDING"}
_EXPLAINED = {
    Verdict.MISSING: _("Only in DynamoDB: callers hear them, and these pages do not show them."),
    Verdict.OUTDATED: _("Older here than in DynamoDB."),
    Verdict.DIFFERENT: _("Of the same version, but with another content: somebody has changed the database by hand."),
    Verdict.AHEAD: _("Newer here than in DynamoDB: the table was restored from a backup."),
    Verdict.VANISHED: _(
        "Only here, before their time: deleted in DynamoDB by hand. A repair keeps them, since they may be all that is left."
    ),
}


@admin.register(Reconciliation)
class DriftAdmin(ModelAdmin[Reconciliation]):
    """The comparisons, newest first."""

    list_display = ("asked_at", "who", "state_badge", "differences", "compared")
    list_display_links = ("asked_at",)
    list_select_related = ("asked_by",)
    list_per_page = 100  # there are never so many
    sortable_by = ()
    ordering = ("-asked_at",)
    actions = None
    show_facets = admin.ShowFacets.NEVER
    readonly_fields = (
        "state_badge", "asked_at", "origin", "asked_by", "repair", "started_at", "ended_at", "compared", "what_failed", "rows_found",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("state_badge", "what_failed", "compared", "rows_found")}),
        (_("Who and when"), {"fields": ("asked_at", "origin", "asked_by", "repair", "started_at", "ended_at")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There are buttons for it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Reconciliation | None = None) -> bool:
        """What was, was."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Reconciliation | None = None) -> bool:
        """Old ones go by themselves."""
        return False

    def get_urls(self) -> list[Any]:
        """Our two pages beside Django's."""
        view, name = self.admin_site.admin_view, "cache_admin_reconciliation"
        return [
            path("compare/", view(self.compare_view), name=f"{name}_compare"),
            path("progress/", view(self.progress_view), name=f"{name}_progress"),
            *super().get_urls(),
        ]

    # -- columns and facts

    @admin.display(description=_("state"))
    def state_badge(self, run: Reconciliation) -> SafeString:
        """How far it is, and once it is over, whether all was right."""
        if run.state == State.DONE and run.drifted:
            return badge("INVALID" if run.repair else "FAILED", gettext("repaired") if run.repair else gettext("drift"))
        if run.state == State.DONE:
            return badge("SUCCESS", gettext("all the same"))
        return badge(_TONES[State(run.state)], run.get_state_display())

    @admin.display(description=_("error"))
    def what_failed(self, run: Reconciliation) -> str:
        """Why there is no result."""
        return read_stored(run.error) or "-"

    @admin.display(description=_("asked for by"))
    def who(self, run: Reconciliation) -> str:
        """The supervisor, or what else it was."""
        return str(run.asked_by or run.get_origin_display())

    @admin.display(description=_("differences"))
    def differences(self, run: Reconciliation) -> str:
        """How many of each kind."""
        counts = [(getattr(run, verdict), verdict.label) for verdict in Verdict]
        return ", ".join(f"{count} {label}" for count, label in counts if count) or "-"

    @admin.display(description=_("what was found"))
    def rows_found(self, run: Reconciliation) -> SafeString | str:
        """The first rows of each kind, with ways to them."""
        rows = list(run.rows.all())
        sections = [(verdict, [row for row in rows if row.verdict == verdict]) for verdict in Verdict]
        shown = [_show_section(run, verdict, found) for verdict, found in sections if found]
        return format_html_join("", "{}", ((section,) for section in shown)) or gettext("Nothing that differs.")

    # -- the list

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The comparisons, and how things stand."""
        may = request.user.has_perm
        facts = {
            **_read_facts(),
            "may_run": may("cache_admin.run_reconciliation"),
            "may_repair": may("cache_admin.repair_reconciliation"),
            "title": gettext("Drift"),
        }
        return super().changelist_view(request, {**facts, **(extra_context or {})})

    def progress_view(self, request: HttpRequest) -> HttpResponse:
        """The part of the page that changes while a comparison runs."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return render(request, "admin/cache_admin/reconciliation/progress.html", _read_facts())

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        """Asks housekeeping for a comparison, or, after a question, for a repair: that cannot be undone."""
        repair = "repair" in request.POST
        right = "cache_admin.repair_reconciliation" if repair else "cache_admin.run_reconciliation"
        if not request.user.has_perm(right):
            raise PermissionDenied
        if request.method == "POST" and repair and "confirmed" not in request.POST:
            context = {**self.admin_site.each_context(request), "title": gettext("Repair the copy?"), "opts": self.opts}
            return render(request, "admin/cache_admin/reconciliation/repair.html", context)
        if request.method == "POST":
            self._wish(request, repair=repair)
        return redirect("admin:cache_admin_reconciliation_changelist")

    def _wish(self, request: HttpRequest, *, repair: bool) -> None:
        origin = Reconciliation.Origin.SUPERVISOR
        run = wish_for_reconciliation(origin=origin, by=request.user, repair=repair, now=timezone.now())
        if run is None:
            return messages.warning(request, gettext("A comparison is under way already."))
        note = gettext("Asked for a repair.") if repair else gettext("Asked for a comparison.")
        self.log_addition(request, run, note)
        return messages.success(request, gettext("Housekeeping begins within half a minute."))


def _read_facts() -> dict[str, Any]:
    over = Reconciliation.objects.filter(state__in=(State.DONE, State.FAILED)).order_by("-asked_at")
    open_run = find_open(now=timezone.now())
    is_late = bool(open_run and open_run.state == State.QUEUED and (timezone.now() - open_run.asked_at).seconds > 60)
    return {"open_run": open_run, "is_late": is_late, "last": over.first(), "verdicts": _EXPLAINED}


def _show_section(run: Reconciliation, verdict: DriftedRow.Verdict, rows: list[DriftedRow]) -> SafeString:
    links = _find_links(rows)
    items = format_html_join("", "<li>{}</li>", ((_show_row(row, links),) for row in rows))
    more = getattr(run, verdict) - len(rows)
    rest = format_html("<li>{}</li>", gettext("and %d more") % more) if more > 0 else ""
    return format_html(
        '<p><b>{}</b> {}</p><ul class="found">{}{}</ul>', getattr(run, verdict), _EXPLAINED[verdict], items, rest
    )


def _find_links(rows: Iterable[DriftedRow]) -> dict[tuple[str, str], tuple[str, str]]:
    """(contact, key) -> the row's page, as it is now, and its name."""
    keys = {row.key for row in rows if not row.contact_id}
    contacts = {row.contact_id for row in rows if row.contact_id}
    answers = CachedAnswer.objects.filter(key__in=keys).only("pk", "key", "question")
    calls = Call.objects.filter(contact_id__in=contacts).only("pk", "key", "contact_id")
    found = {
        ("", row.key): (reverse("admin:cache_admin_cachedanswer_change", args=[row.pk]), row.question)
        for row in answers
    }
    for call in calls:
        found[call.contact_id, call.key] = (reverse("admin:cache_admin_call_change", args=[call.pk]), call.contact_id)
    return found


def _show_row(row: DriftedRow, links: dict[tuple[str, str], tuple[str, str]]) -> SafeString:
    kind = gettext("call") if row.contact_id else gettext("answer")
    link = links.get((row.contact_id, row.key))
    if link is None:
        return format_html('{} <span class="quiet">{}</span>', kind, row.contact_id or row.key)
    return format_html('{} <a href="{}">{}</a>', kind, *link)
