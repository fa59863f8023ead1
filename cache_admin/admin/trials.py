"""Generate anew and compare: what callers hear beside a new text, each to be heard, and one of them to be chosen."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from cache_admin import gateways
from cache_admin.admin.answer_list import show_state
from cache_admin.admin.store_first import NotSavedError, explain_outages
from cache_admin.mapping import epoch_ms
from cache_admin.models import CachedAnswer, ReviewItem, Topic
from cache_admin.review.candidates import submit_text
from cache_admin.review.caring import mark_verified
from cache_admin.review.rules import must_be_reviewed
from cache_admin.services.answers import AnswerError, read_topic
from cache_admin.services.mirror import apply_items
from cache_admin.services.versions import credit_author
from cache_admin.trials.choosing import publish_draft
from cache_admin.trials.drafts import ask_draft, drop_draft, identify_draft, read_draft, send_again_if_lost
from cache_admin.trials.showing import describe_progress, lay_side_by_side, list_figures, read_made, show_estimate, tell
from connectgenai.wire.items import FAILED, PENDING, READY, AnswerItem
from connectgenai.wire.question import EVERYONE, topic_of
from connectgenai.wire.store import ConflictError

GENERATE, CHANGE, VIEW = (f"cache_admin.{name}_cachedanswer" for name in ("prewarm", "change", "view"))
Source = ReviewItem.Source
COMPARE_PAGE, DRAFT_PAGE = "cache_admin_cachedanswer_anew", "cache_admin_topic_draft"


class TrialPages:
    """The pages of texts made aside; for the topics' admin."""

    admin_site: Any
    opts: Any
    log_change: Any

    def trial_urls(self) -> list[Any]:
        """What an answer's page and a topic's console lead to."""
        view = self.admin_site.admin_view
        return [
            path("anew/<int:pk>/", view(self.compare_view), name=COMPARE_PAGE),
            path("draft/<str:key>/", view(self.draft_view), name=DRAFT_PAGE),
        ]

    def draft_view(self, request: HttpRequest, key: str) -> JsonResponse:
        """How far a draft is; asked again and again while a page is open."""
        if not request.user.has_perm(VIEW):
            raise PermissionDenied
        get_object_or_404(Topic, name=topic_of(key))
        try:
            with explain_outages():
                store = gateways.answer_store()
                draft = read_draft(key, store=store)
                if draft and draft.state == PENDING:
                    send_again_if_lost(draft, store=store, queue=gateways.prewarm_queue(), now=timezone.now())
        except NotSavedError as error:
            return JsonResponse({"line": str(error)}, status=503)
        if draft is None:
            raise Http404
        return JsonResponse(describe_progress(draft))

    def compare_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Both texts; a POST has a new one generated, publishes it, or leaves things as they are."""
        if not request.user.has_perm(VIEW):
            raise PermissionDenied
        answer = get_object_or_404(CachedAnswer, pk=pk, scope=EVERYONE)
        if request.method != "POST":
            return self._show_both(request, answer)
        act = {"generate": self._generate, "publish": self._publish, "keep": self._keep}.get(request.POST.get("do", ""))
        if act is None:
            return redirect(f"admin:{COMPARE_PAGE}", pk)
        try:
            with explain_outages():
                return act(request, answer)
        except (AnswerError, NotSavedError) as error:
            return self._show_both(request, answer, fault=str(error), status=409)
        except ConflictError as conflict:
            fault = _("The answer has changed since you opened this page. Listen to it again, then decide.")
            if conflict.current is not None:
                apply_items([conflict.current])
            return self._show_both(request, answer, fault=fault, status=409)

    # -- deciding

    def _generate(self, request: HttpRequest, answer: CachedAnswer) -> HttpResponse:
        _check(request, GENERATE)
        store = gateways.answer_store()
        ask_draft(
            identify_draft(answer.question, topic=answer.topic, language=answer.language),
            topic=read_topic(answer.topic, store),
            since_ms=read_number(request, "since"),
            store=store,
            queue=gateways.prewarm_queue(),
            now=timezone.now(),
        )
        self.log_change(request, answer, _("Had a new text generated, to compare."))
        return redirect(f"admin:{COMPARE_PAGE}", answer.pk)

    def _publish(self, request: HttpRequest, answer: CachedAnswer) -> HttpResponse:
        _check(request, CHANGE)
        store, now = gateways.answer_store(), timezone.now()
        topic, draft = read_topic(answer.topic, store), _find_seen_draft(request, answer)
        if must_be_reviewed(_find_topic(answer), user=request.user):
            return self._send_to_review(request, answer, draft)
        item = publish_draft(
            draft,
            answer.asked(),
            topic=topic,
            seen_version=read_number(request, "seen_version"),
            is_chosen=True,
            pinned=answer.pinned,
            store=store,
            now=now,
        )
        why = _("Generated anew, compared, and chosen.")
        credit_author(item, author=request.user, why=why)
        if topic.needs_approval:
            mark_verified(item.key, by=request.user, now=now)
        self.log_change(request, answer, why)
        drop_draft(draft, reason="published", store=store, now=now)
        messages.success(request, _("Callers hear the new text from their next poll on."))
        return redirect("admin:cache_admin_cachedanswer_change", answer.pk)

    def _send_to_review(self, request: HttpRequest, answer: CachedAnswer, draft: AnswerItem) -> HttpResponse:
        now = timezone.now()
        note = _("Generated anew, compared, and sent in.")
        sent: dict[str, Any] = {"chunks": draft.chunks, "revision": draft.revision, "pinned": answer.pinned}
        submit_text(answer.asked(), **sent, by=request.user, source=Source.PREWARM, note=note, now=now)
        self.log_change(request, answer, note)
        drop_draft(draft, reason="in_review", store=gateways.answer_store(), now=now)
        messages.success(request, _("The new text is in review: callers hear it once somebody has approved it."))
        return redirect("admin:cache_admin_cachedanswer_change", answer.pk)

    def _keep(self, request: HttpRequest, answer: CachedAnswer) -> HttpResponse:
        _check(request, GENERATE)
        draft = _find_seen_draft(request, answer)
        drop_draft(draft, reason="not_chosen", store=gateways.answer_store(), now=timezone.now())
        self.log_change(request, answer, _("Kept the text that callers hear; the new one is gone."))
        messages.success(request, _("Callers go on hearing the text that they heard."))
        return redirect("admin:cache_admin_cachedanswer_change", answer.pk)

    # -- showing

    def _show_both(
        self, request: HttpRequest, answer: CachedAnswer, *, fault: str = "", status: int = 200
    ) -> HttpResponse:
        draft, outage = _read_both(answer)
        answer.refresh_from_db()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Generate anew and compare"),
            "opts": CachedAnswer._meta,
            "original": answer,
            "state": show_state(answer),
            "old_figures": list_figures(read_made(answer)),
            "fault": fault or outage,
            "now_ms": epoch_ms(timezone.now()),
            "estimate": show_estimate(answer.topic),
            **_describe_draft(request, answer, draft),
        }
        return TemplateResponse(request, "admin/cache_admin/trial/compare.html", context, status=status)


def _read_both(answer: CachedAnswer) -> tuple[AnswerItem | None, str]:
    """The draft, and the answer's mirror brought up to date; and why not, when DynamoDB does not serve."""
    store = gateways.answer_store()
    key = identify_draft(answer.question, topic=answer.topic, language=answer.language).key
    try:
        with explain_outages():
            current = store.read_answer(answer.key, consistent=True)
            draft = read_draft(key, store=store)
    except NotSavedError as error:
        return None, str(error)
    apply_items([current] if current else [])
    return draft, ""


def _describe_draft(request: HttpRequest, answer: CachedAnswer, draft: AnswerItem | None) -> dict[str, Any]:
    topic = _find_topic(answer)
    is_ready, is_moving = bool(draft and draft.state == READY), bool(draft and draft.state == PENDING)
    is_outdated = bool(draft and is_ready and topic and draft.revision < topic.revision)
    left, right = lay_side_by_side(answer.chunks, draft.chunks if draft and is_ready else ())
    may_decide = is_ready and not is_outdated and request.user.has_perm(CHANGE)
    is_reviewed = must_be_reviewed(topic, user=request.user)
    return {
        "draft": draft,
        "left": left,
        "right": right,
        "is_ready": is_ready,
        "is_moving": is_moving,
        "is_failed": bool(draft and draft.state == FAILED),
        "is_outdated": is_outdated,
        "line": tell(draft) if draft and (is_moving or draft.state == FAILED) else "",
        "figures": list_figures(read_made(draft)) if draft and is_ready else [],
        "draft_url": reverse(f"admin:{DRAFT_PAGE}", args=[draft.key]) if draft and is_moving else "",
        "may_generate": request.user.has_perm(GENERATE),
        "may_publish": may_decide and not is_reviewed,
        "may_send": may_decide and is_reviewed,
    }


def _find_topic(answer: CachedAnswer) -> Topic | None:
    return Topic.objects.filter(name=answer.topic).first()


def _find_seen_draft(request: HttpRequest, answer: CachedAnswer) -> AnswerItem:
    """The draft that was on the page; AnswerError when it is another by now."""
    key = identify_draft(answer.question, topic=answer.topic, language=answer.language).key
    draft = read_draft(key, store=gateways.answer_store())
    if draft is None or draft.version != read_number(request, "draft_version"):
        raise AnswerError(_("The new text is another by now. Listen to it again, then decide."))
    return draft


def read_number(request: HttpRequest, name: str) -> int:
    """A whole number of a form; -1 for whatever is none."""
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _check(request: HttpRequest, right: str) -> None:
    if not request.user.has_perm(right):
        raise PermissionDenied
