"""Several candidates at once: approved after a look at their texts, or taken in from what callers used to hear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cache_admin import gateways
from cache_admin.admin.store_first import NotSavedError, explain_outages
from cache_admin.models import CachedAnswer, ReviewItem, Topic
from cache_admin.review.candidates import ReviewConflictError
from cache_admin.review.deciding import approve
from cache_admin.review.rules import APPROVE, find_objection
from cache_admin.review.taking_in import find_topics, find_unapproved, take_in
from cache_admin.services.answers import AnswerError
from cache_admin.trials.showing import list_parts
from connectgenai.wire.items import answer_pk
from connectgenai.wire.store import ConflictError, read_item

MOST = 50


class BulkPages:
    """Pages for several items; for the review queue's admin."""

    admin_site: Any
    opts: Any
    log_change: Any

    def approve_view(self, request: HttpRequest) -> HttpResponse:
        """The texts, each to be left out; a POST approves the others and says of each what came of it."""
        if not request.user.has_perm(APPROVE):
            raise PermissionDenied
        if request.method == "POST":
            return self._approve_all(request)
        items = _find_items(request.GET.getlist("pk"))
        versions, outage = _read_versions(items)
        topics = {topic.name: topic for topic in Topic.objects.filter(name__in={item.topic for item in items})}
        rows = [
            {
                "item": item,
                "parts": list_parts(item.chunks),
                "shared_version": versions.get(item.key, 0),
                "objection": _object(item, topics.get(item.topic), request.user),
            }
            for item in items
        ]
        return self._bulk_page(request, "approve", title=_("Approve these texts?"), rows=rows, fault=outage)

    def _approve_all(self, request: HttpRequest) -> HttpResponse:
        results = []
        for item in _find_items(request.POST.getlist("pk")):
            problem = self._approve_one(request, item)
            results.append({"item": item, "problem": problem})
        done = sum(not result["problem"] for result in results)
        told = ngettext("%d text is approved.", "%d texts are approved.", done) % done
        return self._bulk_page(request, "approved", title=_("What came of it"), rows=results, told=told)

    def _approve_one(self, request: HttpRequest, item: ReviewItem) -> str:
        """Why it was not approved; "" when it was."""
        seen, shared = (_read_number(request, f"{name}-{item.pk}") for name in ("seen", "shared"))
        try:
            with explain_outages():
                approve(
                    item,
                    text=item.text,
                    seen_version=seen,
                    shared_version=shared,
                    by=request.user,
                    store=gateways.answer_store(),
                    now=timezone.now(),
                )
        except (AnswerError, NotSavedError) as error:
            return str(error)
        except ReviewConflictError as conflict:
            return _("It has changed meanwhile: it is %s.") % conflict.item.get_state_display()
        except ConflictError:
            return _("What callers hear has changed meanwhile. Open it to see both texts.")
        self.log_change(request, item, _("Approved, with others."))
        return ""

    def take_in_view(self, request: HttpRequest) -> HttpResponse:
        """A topic's most asked answers that nobody hears until they are approved; a POST takes the chosen into review."""
        if not request.user.has_perm(APPROVE):
            raise PermissionDenied
        topics = list(find_topics())
        wish = request.POST.get("topic") or request.GET.get("topic", "")
        topic = next((topic for topic in topics if topic.name == wish), None)
        if request.method == "POST" and topic:
            pks = [int(pk) for pk in request.POST.getlist("pk")[:500] if pk.isascii() and pk.isdigit() and len(pk) < 19]
            count = take_in(CachedAnswer.objects.filter(pk__in=pks, topic=topic.name))
            told = ngettext("%d answer is in review now.", "%d answers are in review now.", count) % count
            messages.success(request, told)
            self.log_change(request, topic, told)
            return redirect("admin:cache_admin_reviewitem_changelist")
        rows = find_unapproved(topic.name)[:MOST] if topic else []
        return self._bulk_page(
            request, "take_in", title=_("Take answers into review"), topics=topics, topic=topic, rows=rows
        )

    def _bulk_page(self, request: HttpRequest, name: str, **context: Any) -> TemplateResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/cache_admin/reviewitem/{name}.html", whole)


def _find_items(wishes: Sequence[str]) -> list[ReviewItem]:
    pks = [int(pk) for pk in wishes[:MOST] if pk.isascii() and pk.isdigit() and len(pk) < 19]
    return list(ReviewItem.objects.filter(pk__in=pks).order_by("-rank", "-pk"))


def _object(item: ReviewItem, topic: Topic | None, user: Any) -> str:
    if not item.is_open:
        return _("Somebody has decided already: it is %s.") % item.get_state_display()
    return find_objection(item, topic=topic, user=user)


def _read_versions(items: Sequence[ReviewItem]) -> tuple[dict[str, int], str]:
    """The versions of what callers hear now; and why they are not known, when DynamoDB does not serve."""
    try:
        with explain_outages():
            found = gateways.answer_store().read_items([answer_pk(item.key) for item in items])
    except NotSavedError as error:
        return {}, str(error)
    known = [read_item(attributes) for attributes in found.values()]
    return {str(getattr(item, "key", "")): item.version for item in known if item is not None}, ""


def _read_number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1
