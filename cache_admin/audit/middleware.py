"""No decision without a trace: each form that somebody sends is noted before its page runs, and taken off after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from cache_admin.audit import intents
from cache_admin.audit.offering import offer_undo
from cache_admin.audit.recording import record
from cache_admin.audit.verbs import EXPORTED, FORMS, SUBMITTED, find_page, find_wish
from cache_admin.models import AuditIntent

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# Pages that take a form and decide nothing: they try something out, look again, or concern only whoever sends it
HARMLESS: Final = frozenset({
    "login", "logout", "phone_begin", "phone_events", "phone_signs", "phone_hang_up", "cache_admin_cachedanswer_voice",
    "cache_admin_incident_voice", "cache_admin_waitpolicy_preview", "cache_admin_parkedmessage_look", "preferences",
})  # fmt: skip
# Pages that redirect on the way to a decision; their own entry comes with it
ON_THE_WAY: Final = frozenset(
    {"cache_admin_warmbatch_choose", "cache_admin_warmbatch_steer", "cache_admin_reconciliation_compare"}
)


class AuditMiddleware:
    """After the one that knows who it is. What fails here fails the request: nothing is decided that cannot be noted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response; an intent stays when the page failed, since then nobody knows how far it came."""
        response = self._get_response(request)
        if _is_file(request, response):
            _record_export(request)
        intent: AuditIntent | None = getattr(request, "audit_intent", None)
        if intent is not None and response.status_code < 500:
            if _is_unspoken(request, response):
                _record_form(request)
            intents.finish(intent)
            offer_undo(request)
        return response

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, named: dict[str, Any]) -> None:
        """Here the page is known, and has not run."""
        if request.method in SAFE or not _is_ours(request) or find_page(request) in HARMLESS:
            return
        chosen = str(named.get("object_id") or named.get("pk") or "")
        request.audit_intent = intents.begin(request, find_page(request), object_id=chosen)  # type: ignore[attr-defined]


def _is_ours(request: HttpRequest) -> bool:
    match = request.resolver_match
    return bool(match and request.user.is_authenticated)


def _is_unspoken(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether a page did something, as its redirect says, and nothing of it is in the trail."""
    if getattr(request, "audit_entries", None) or response.status_code not in (301, 302, 303):
        return False
    goes_to = response.headers["Location"].partition("?")[0]
    page = find_page(request)
    is_question = page.endswith("_changelist") and goes_to != request.path  # an action that asks first
    return not (is_question or page in ON_THE_WAY or goes_to == reverse("admin:login") or "reauthenticate" in goes_to)


def _record_form(request: HttpRequest) -> None:
    """All that is known of it."""
    page = find_page(request)
    record(request, FORMS.get(page, SUBMITTED), after={"page": page, "wish": find_wish(request), **_name_rows(request)})


def _name_rows(request: HttpRequest) -> dict[str, Any]:
    rows = request.POST.getlist("_selected_action")[:100]
    return {"rows": [row[:40] for row in rows]} if rows else {}


def _is_file(request: HttpRequest, response: HttpResponse) -> bool:
    return response.headers.get("Content-Disposition", "").startswith("attachment") and _is_ours(request)


def _record_export(request: HttpRequest) -> None:
    """Before the first byte goes out. What was searched for may be a caller's words: only that there was a search."""
    filters = {name[:40]: value[:100] for name, value in request.GET.items() if name != "q"}
    match = request.resolver_match
    what = {"page": find_page(request), **(match.kwargs if match else {}), "filters": filters}
    record(request, EXPORTED, after={**what, **({"searched": True} if request.GET.get("q") else {})})
