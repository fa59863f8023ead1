"""The review queue: what waits for approval, by callers affected."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from cache_admin.admin.badges import badge
from cache_admin.admin.filters import LanguageFilter, TopicFilter
from cache_admin.admin.keyset import KeysetAdmin
from cache_admin.admin.review_bulk import BulkPages
from cache_admin.admin.review_filters import OwnerFilter, StateFilter
from cache_admin.admin.review_item import ItemPage
from cache_admin.models import ReviewItem
from cache_admin.review.rules import APPROVE
from cache_admin.review.searching import search_items
from cache_admin.review.taking_in import find_topics

_TONES = {"draft": "INVALID", "in_review": "PENDING", "published": "READY", "rejected": "FAILED"}


@admin.register(ReviewItem)
class ReviewAdmin(ItemPage, BulkPages, KeysetAdmin[ReviewItem]):
    """Candidates: decided one by one, or several at once after a look at their texts."""

    list_display = ("question", "topic", "language", "state_badge", "source", "callers", "opened_at", "owner")
    list_filter = (StateFilter, TopicFilter, LanguageFilter, "source", OwnerFilter)
    list_select_related = ("owner",)
    search_fields = ("question",)  # so that there is a box to type in
    sortable_by = ()
    ordering = ("-rank",)
    actions = ("approve_selected",)
    change_list_template = "admin/cache_admin/reviewitem/change_list.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Candidates come from callers, drafts, imports, and the answers' pages."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ReviewItem | None = None) -> bool:
        """They are rejected."""
        return False

    def has_approve_permission(self, request: HttpRequest) -> bool:
        """For the action of that name."""
        return request.user.has_perm(APPROVE)

    def get_urls(self) -> list[Any]:
        """The pages for several at once, beside Django's."""
        view, name = self.admin_site.admin_view, "cache_admin_reviewitem"
        return [
            path("approve/", view(self.approve_view), name=f"{name}_approve"),
            path("take-in/", view(self.take_in_view), name=f"{name}_take_in"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The queue, and the topics whose earlier answers can be taken in."""
        more = {"strict_topics": list(find_topics()) if self.has_approve_permission(request) else []}
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ReviewItem], search_term: str
    ) -> tuple[QuerySet[ReviewItem], bool]:
        """By the beginnings of words."""
        return (search_items(queryset, search_term) if search_term.strip() else queryset), False

    @admin.display(description=_("state"))
    def state_badge(self, item: ReviewItem) -> SafeString:
        """The state in its colour."""
        return show_review_state(item)

    @admin.action(description=_("Approve selected texts"), permissions=["approve"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[ReviewItem]) -> HttpResponse:
        """Shows the texts first."""
        chosen = queryset.order_by().values_list("pk", flat=True)[: self.list_per_page]
        query = "&".join(f"pk={pk}" for pk in chosen)
        return HttpResponseRedirect(f"{reverse('admin:cache_admin_reviewitem_approve')}?{query}")


def show_review_state(item: ReviewItem) -> SafeString:
    """The item's state in its colour."""
    return badge(_TONES.get(item.state, ""), item.get_state_display())
