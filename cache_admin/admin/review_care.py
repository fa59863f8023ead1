"""Approved answers: when each is looked at again, by whom, and which are not heard any more."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localdate
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from cache_admin import gateways
from cache_admin.admin.badges import badge
from cache_admin.admin.filters import LanguageFilter, TopicFilter
from cache_admin.admin.keyset import KeysetAdmin
from cache_admin.admin.review_filters import DueFilter, OwnerFilter
from cache_admin.admin.review_forms import CareForm
from cache_admin.admin.store_first import NotSavedError, explain_outages
from cache_admin.models import ApprovedAnswer, CachedAnswer, Topic
from cache_admin.review.caring import MOST_STALE, find_stale, set_care
from cache_admin.review.rules import APPROVE
from cache_admin.review.verifying import say_still_right
from cache_admin.search.full_text import search_answers
from cache_admin.services.answers import AnswerError
from connectgenai.wire.store import ConflictError

CARE = "cache_admin.change_approvedanswer"
WHY = {
    "expired": _("its time is over"),
    "stale": _("the topic has changed"),
    "replaced": _("another text took its place"),
}


@admin.register(ApprovedAnswer)
class ApprovedAdmin(KeysetAdmin[ApprovedAnswer]):
    """What is due for verification, the most overdue first."""

    list_display = ("answer_link", "topic", "language", "due_badge", "owner", "verified_at")
    list_display_links = None
    list_filter = (DueFilter, OwnerFilter, TopicFilter, LanguageFilter)
    list_select_related = ("owner",)
    search_fields = ("question",)  # so that there is a box to type in
    sortable_by = ()
    ordering = ("verify_by",)
    actions = ("still_right",)
    change_list_template = "admin/cache_admin/approvedanswer/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApprovedAnswer]:
        """Those that have a date."""
        return super().get_queryset(request).exclude(verify_by=None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They come about by approval."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApprovedAnswer | None = None) -> bool:
        """They go with their answers."""
        return False

    def has_verify_permission(self, request: HttpRequest) -> bool:
        """For the action that needs it."""
        return may_care(request.user)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ApprovedAnswer], search_term: str
    ) -> tuple[QuerySet[ApprovedAnswer], bool]:
        """By the beginnings of words, from the answers' index."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(
            answer__in=search_answers(CachedAnswer.objects.order_by(), search_term).values("pk")
        ), False

    def get_urls(self) -> list[Any]:
        """The stale list, and what the answer's page asks."""
        view, name = self.admin_site.admin_view, "cache_admin_approvedanswer"
        return [
            path("stale/", view(self.stale_view), name=f"{name}_stale"),
            path("care/<int:pk>/", view(require_POST(self.care_view)), name=f"{name}_care"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The answer's own page has everything."""
        row = self.get_object(request, object_id)
        if row is None or not self.has_view_permission(request, row):
            return super().change_view(request, object_id, form_url, extra_context)
        return redirect("admin:cache_admin_cachedanswer_change", row.answer_id)

    # -- columns

    @admin.display(description=_("question"))
    def answer_link(self, row: ApprovedAnswer) -> SafeString:
        """The answer's page."""
        url = reverse("admin:cache_admin_cachedanswer_change", args=[row.answer_id])
        return format_html('<a href="{}">{}</a>', url, row.question)

    @admin.display(description=_("to be verified by"))
    def due_badge(self, row: ApprovedAnswer) -> SafeString | str:
        """The date, red when it is over."""
        told = date_format(row.verify_by, "DATE_FORMAT") if row.verify_by else ""
        is_due = row.verify_by is not None and row.verify_by <= localdate(timezone.now())
        return badge("FAILED", told) if is_due else told

    # -- deciding

    @admin.action(description=_("Still right: verify again later"), permissions=["verify"])
    def still_right(self, request: HttpRequest, queryset: QuerySet[ApprovedAnswer]) -> None:
        """Moves the dates of the chosen on; what cannot be said of one is said row by row."""
        done = 0
        for row in queryset.select_related("answer")[: self.list_per_page]:
            problem = self._verify(request, row)
            done += not problem
            if problem:
                messages.error(request, f"{row.question}: {problem}")
        messages.success(request, ngettext("%d answer is verified.", "%d answers are verified.", done) % done)

    def _verify(self, request: HttpRequest, row: ApprovedAnswer) -> str:
        """Why it could not be verified; "" when it was."""
        try:
            with explain_outages():
                say_still_right(row, by=request.user, store=gateways.answer_store(), now=timezone.now())
        except (AnswerError, NotSavedError) as error:
            return str(error)
        except ConflictError:
            return gettext("The answer has changed meanwhile. Look at it again.")
        self.log_change(request, row, gettext("Verified: still right."))
        return ""

    def care_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """From the answer's page: another owner or date, or that it is still right."""
        if not may_care(request.user):
            raise PermissionDenied
        row = get_object_or_404(ApprovedAnswer.objects.select_related("answer"), answer=pk)
        is_verified = request.POST.get("do") == "verify"
        problem = self._verify(request, row) if is_verified else self._set_care(request, row)
        done = gettext("Verified. Set the date yourself if it should be another.") if is_verified else gettext("Saved.")
        messages.add_message(request, messages.ERROR if problem else messages.SUCCESS, problem or done)
        is_from_stale = request.POST.get("back") == "stale"
        return (
            redirect("admin:cache_admin_approvedanswer_stale")
            if is_from_stale
            else redirect("admin:cache_admin_cachedanswer_change", pk)
        )

    def _set_care(self, request: HttpRequest, row: ApprovedAnswer) -> str:
        form = CareForm(request.POST)
        if not form.is_valid():
            return gettext("Choose a person and a date as they are offered.")
        before = ApprovedAnswer.objects.get(pk=row.pk)
        set_care(row, owner=form.cleaned_data["owner"], verify_by=form.cleaned_data["verify_by"])
        self.log_change(request, before, gettext("Owner or date of verification changed."))
        return ""

    def stale_view(self, request: HttpRequest) -> HttpResponse:
        """Texts that people approved, and that callers do not hear any more."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = find_stale(now=timezone.now())
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Approved, but not heard any more"),
            "opts": self.opts,
            "rows": [{"row": stale.row, "why": badge("expired", WHY[stale.why]), "is_there": stale.why != "replaced"} for stale in found],
            "is_capped": len(found) >= MOST_STALE,
            "may_verify": may_care(request.user),
        }  # fmt: skip
        return TemplateResponse(request, "admin/cache_admin/approvedanswer/stale.html", context)


def may_care(user: Any) -> bool:
    """Whether this person may set dates and owners, and say that a text is right."""
    return bool(user.has_perm(CARE) or user.has_perm(APPROVE))


def describe_care(answer: CachedAnswer | None, *, user: Any) -> dict[str, Any]:
    """For the answer's page: who looks after it and until when; nothing for what no person wrote or approved."""
    row = (
        ApprovedAnswer.objects.filter(answer=answer).select_related("owner", "verified_by").first() if answer else None
    )
    if row is None:
        return {}
    form = CareForm(initial={"owner": row.owner_id, "verify_by": row.verify_by}, auto_id="care_%s")
    topic = Topic.objects.filter(name=row.topic).only("verify_days").first()
    return {
        "care": row,
        "care_form": form,
        "may_care": may_care(user),
        "verify_days": topic.verify_days if topic else 0,
    }
