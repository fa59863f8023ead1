"""An answer's earlier texts: listed, compared, put back; and what a text is like to listen to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from cache_admin import gateways
from cache_admin.admin.call_timeline import link_calls
from cache_admin.admin.store_first import NotSavedError, explain_outages
from cache_admin.models import AnswerVersion, CachedAnswer
from cache_admin.review.candidates import find_shared, submit_text
from cache_admin.review.rules import goes_to_review
from cache_admin.services.answers import AnswerError, edit_answer
from cache_admin.services.versions import compare_texts, credit_author
from cache_admin.services.voice import find_voice_faults, listen
from cache_admin.stored_words import read_stored
from connectgenai.wire.store import ConflictError

SHOWN = 20
MAX_CHARACTERS = 20_000


class AnswerHistory:
    """The pages of an answer's history; for the answers' admin."""

    admin_site: Any
    _page: Any
    log_change: Any
    has_view_permission: Any
    has_change_permission: Any

    def history_urls(self) -> list[Any]:
        """What the answer's page links and asks."""
        view = self.admin_site.admin_view
        return [
            path("voice/", view(require_POST(self.voice_view)), name="cache_admin_cachedanswer_voice"),
            path("<int:pk>/texts/<int:version>/", view(self.compare_view), name="cache_admin_cachedanswer_compare"),
        ]

    @admin.display(description=_("texts, the latest first"))
    def versions(self, answer: CachedAnswer) -> SafeString | str:
        """The latest texts, each with who wrote it, when and why, and the way to compare it."""
        found = list(AnswerVersion.objects.filter(answer=answer).select_related("author")[:SHOWN])
        if len(found) < 2:
            return gettext("This is the first text.") if found else gettext("There has been none.")
        rows = format_html_join("", "<li>{}</li>", ((_describe(answer, version),) for version in found))
        return format_html('<ol class="versions" reversed>{}</ol>', rows)

    def voice_view(self, request: HttpRequest) -> JsonResponse:
        """What a voice makes of a text that is being written: its parts, and what to improve."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        text = request.POST.get("text", "")[:MAX_CHARACTERS]
        parts = [asdict(part) for part in listen(text)]
        seconds = sum(part["seconds"] for part in parts)
        summary = ngettext("%(n)d part, about %(s)d s", "%(n)d parts, about %(s)d s", len(parts))
        faults = [asdict(fault) for fault in find_voice_faults(text)]
        return JsonResponse(
            {
                "parts": parts,
                "faults": faults,
                "summary": summary % {"n": len(parts), "s": seconds} if parts else gettext("Nothing to hear."),
                "verdict": "" if faults or not parts else gettext("Fit to be spoken."),
            }
        )

    def compare_view(self, request: HttpRequest, pk: int, version: int) -> HttpResponse:
        """An earlier text beside the present one; a POST puts it back."""
        answer = get_object_or_404(CachedAnswer, pk=pk)
        chosen = get_object_or_404(AnswerVersion, pk=version, answer=answer)
        if not self.has_view_permission(request, answer):
            raise PermissionDenied
        if request.method == "POST":
            if not self.has_change_permission(request, answer):
                raise PermissionDenied
            return self._put_back(request, answer, chosen)
        return self._show(request, answer, chosen)

    def _show(
        self, request: HttpRequest, answer: CachedAnswer, chosen: AnswerVersion, *, fault: str = "", status: int = 200
    ) -> HttpResponse:
        left, right = compare_texts(chosen.text, "\n\n".join(answer.chunks))
        context = {
            "title": gettext("Two texts of one answer"),
            "original": answer,
            "about_chosen": _tell(chosen),
            "left": left,
            "right": right,
            "fault": fault,
            "goes_to_review": goes_to_review(answer, user=request.user),
            "may_put_back": self.has_change_permission(request, answer) and chosen.run != answer.token,
        }
        page: HttpResponse = self._page(request, "compare", context, status=status)
        return page

    def _put_back(self, request: HttpRequest, answer: CachedAnswer, chosen: AnswerVersion) -> HttpResponse:
        why = gettext("Put back the text of %s.") % _when(chosen)
        if goes_to_review(answer, user=request.user):
            return self._send_back_to_review(request, answer, chosen, why)
        seen = request.POST.get("seen_version", "")
        try:
            with explain_outages():
                item = edit_answer(
                    answer,
                    text=chosen.text,
                    seen_version=int(seen) if seen.isascii() and seen.isdigit() else -1,
                    pinned=answer.pinned,
                    store=gateways.answer_store(),
                    now=timezone.now(),
                )
        except (NotSavedError, AnswerError) as error:
            return self._show(request, answer, chosen, fault=str(error), status=503)
        except ConflictError:
            fault = gettext("The answer has changed since you opened this page. Look again, then decide.")
            return self._show(request, answer, chosen, fault=fault, status=409)
        credit_author(item, author=request.user, why=why)
        self.log_change(request, answer, why)
        messages.success(request, gettext("Callers hear the earlier text again."))
        return redirect("admin:cache_admin_cachedanswer_change", answer.pk)

    def _send_back_to_review(
        self, request: HttpRequest, answer: CachedAnswer, chosen: AnswerVersion, why: str
    ) -> HttpResponse:
        """Whoever needs an approval to write needs one to put back, too."""
        item = submit_text(find_shared(answer), chunks=chosen.chunks, by=request.user, note=why, now=timezone.now())
        request.review_item = item  # type: ignore[attr-defined]  # what this request has made, for its entry
        self.log_change(request, answer, why)
        messages.success(request, gettext("Sent to review: callers hear it when somebody has approved it."))
        return redirect("admin:cache_admin_reviewitem_change", item.pk)


def _describe(answer: CachedAnswer, version: AnswerVersion) -> SafeString:
    about = format_html(
        '<small>{} · <a href="{}">{}</a></small>',
        _tell(version),
        link_calls(answer.key, version.run),
        gettext("who heard it"),
    )
    if version.run == answer.token:
        return format_html("<b>{}</b> {}", gettext("the present text"), about)
    url = reverse("admin:cache_admin_cachedanswer_compare", args=[answer.pk, version.pk])
    start = " ".join(version.text.split())[:90]
    return format_html('<a href="{}">{}…</a> {}', url, start, about)


def _tell(version: AnswerVersion) -> str:
    """Who wrote it, when, and why."""
    who = str(version.author) if version.author else version.get_source_display() or gettext("unknown")
    return " · ".join(part for part in (who, version.model, _when(version), read_stored(version.why)) if part)


def _when(version: AnswerVersion) -> str:
    return date_format(localtime(version.finished_at), "DATETIME_FORMAT") if version.finished_at else ""
