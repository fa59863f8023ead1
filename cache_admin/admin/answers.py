"""Answers: what callers hear, and what supervisors do about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cache_admin import gateways
from cache_admin.admin.answer_forms import (
    PREWARM_OUTCOMES,
    QUESTION_FAULTS,
    AnswerForm,
    InvalidateForm,
    PrewarmForm,
)
from cache_admin.admin.answer_history import AnswerHistory
from cache_admin.admin.answer_list import AnswerChangeList, AnswerSearch, show_state
from cache_admin.admin.exporting import ExportingAdmin
from cache_admin.admin.filters import LanguageFilter, TopicFilter
from cache_admin.admin.keyset import KeysetAdmin
from cache_admin.admin.review_care import describe_care
from cache_admin.admin.store_first import NotSavedError, StoreFirstAdmin, explain_outages
from cache_admin.models import CachedAnswer, ReviewItem, Topic
from cache_admin.review.candidates import find_shared, submit_text
from cache_admin.review.caring import mark_verified
from cache_admin.review.rules import goes_to_review
from cache_admin.services.answers import AnswerError, edit_answer, invalidate_answers, make_chunks, prewarm_question
from cache_admin.services.versions import credit_author
from cache_admin.warming.exporting import ANSWER_COLUMNS, describe_answers
from connectgenai.wire.question import DRAFT, QuestionError
from connectgenai.wire.speech import speech_seconds, to_ssml
from connectgenai.wire.store import ConflictError


@admin.register(CachedAnswer)
class AnswerAdmin(
    AnswerSearch, AnswerHistory, ExportingAdmin[CachedAnswer], StoreFirstAdmin[CachedAnswer], KeysetAdmin[CachedAnswer]
):
    """The mirror of the answers; every change goes to DynamoDB, and comes back from there."""

    form = AnswerForm
    export_columns = ANSWER_COLUMNS
    export_rows = staticmethod(describe_answers)
    list_display = ("question", "topic", "language", "state_badge", "source", "calls", "finished_at", "changed_at")
    list_filter = (TopicFilter, LanguageFilter, "state", "source", "pinned", "changed_at")
    sortable_by = ("calls", "changed_at")
    ordering = ("-changed_at",)
    actions = ("invalidate_selected",)
    readonly_fields = (
        "question", "heard", "topic_link", "language", "audience", "state_badge", "reason", "source", "model", "tokens",
        "revision", "asked_at", "first_chunk_at", "finished_at", "expires_at", "calls_link", "versions",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("question", "heard", "text", "why", "good_until", "pinned", "seen_version")}),
        (_("Earlier texts"), {"fields": ("versions",)}),
        (
            _("About"),
            {"fields": ("topic_link", "language", "audience", "state_badge", "reason", "source", "calls_link")},
        ),
        (_("How it was made"), {"fields": ("model", "tokens", "revision")}),
        (_("When"), {"fields": ("asked_at", "first_chunk_at", "finished_at", "expires_at")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answers come about by questions: see the page for pre-warming."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CachedAnswer | None = None) -> bool:
        """Answers are invalidated; what is deleted could be written again by whoever is late."""
        return False

    def has_invalidate_permission(self, request: HttpRequest) -> bool:
        """For the action of that name."""
        return request.user.has_perm("cache_admin.invalidate_cachedanswer")

    def get_fieldsets(self, request: HttpRequest, obj: CachedAnswer | None = None) -> Any:
        """Without the right to change there is nothing to fill in."""
        if self.has_change_permission(request, obj):
            return self.fieldsets
        return ((None, {"fields": ("question", "heard", "pinned")}), *self.fieldsets[1:])

    def get_urls(self) -> list[Any]:
        """Our two pages beside Django's."""
        view = self.admin_site.admin_view
        return [
            path("invalidate/", view(self.invalidate_view), name="cache_admin_cachedanswer_invalidate"),
            path("prewarm/", view(self.prewarm_view), name="cache_admin_cachedanswer_prewarm"),
            *self.history_urls(),
            *super().get_urls(),
        ]

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[ChangeList]:
        """The list that knows which answers are outdated."""
        return AnswerChangeList

    # -- columns and facts

    @admin.display(description=_("state"))
    def state_badge(self, answer: CachedAnswer) -> SafeString:
        """The state, or why callers do not hear a ready answer after all."""
        return show_state(answer)

    @admin.display(description=_("what callers hear"))
    def heard(self, answer: CachedAnswer) -> SafeString | str:
        """The parts, as they are spoken one after the other, each with its seconds of speech."""
        parts = [(to_ssml(chunk), chunk, round(speech_seconds(chunk))) for chunk in answer.chunks]
        rows = format_html_join("", '<li data-ssml="{}">{} <span class="quiet">{} s</span></li>', parts)
        if not parts:
            return gettext("Nothing.")
        return format_html('<ol class="spoken" data-listen data-language="{}">{}</ol>', answer.language, rows)

    @admin.display(description=_("topic"))
    def topic_link(self, answer: CachedAnswer) -> SafeString | str:
        """The topic's page."""
        topic = Topic.objects.filter(name=answer.topic).first()
        if topic is None:
            return answer.topic
        return format_html('<a href="{}">{}</a>', reverse("admin:cache_admin_topic_change", args=[topic.pk]), topic)

    @admin.display(description=_("who may hear it"))
    def audience(self, answer: CachedAnswer) -> str:
        """Everybody, one caller, one contact, or nobody yet; never who that is."""
        if answer.is_shared:
            return gettext("every caller")
        if answer.scope == DRAFT:
            return gettext("nobody: a draft")
        return gettext("one caller") if answer.scope.startswith("caller:") else gettext("one contact")

    @admin.display(description=_("tokens read and written"))
    def tokens(self, answer: CachedAnswer) -> str:
        """What the generation used."""
        return f"{answer.input_tokens} + {answer.output_tokens}"

    @admin.display(description=_("calls"))
    def calls_link(self, answer: CachedAnswer) -> SafeString:
        """The calls in which it was asked."""
        url = reverse("admin:cache_admin_call_changelist") + f"?q={answer.key}"
        return format_html('<a href="{}">{}</a>', url, answer.calls)

    # -- editing

    def save_model(self, request: HttpRequest, obj: CachedAnswer, form: Any, change: bool) -> None:
        """Publishes the text in DynamoDB, which the mirror then shows; or sends it to review where somebody has to approve it."""
        if goes_to_review(obj, user=request.user):
            self._send_to_review(request, obj, form.cleaned_data)
            return
        with explain_outages():
            try:
                item = edit_answer(
                    obj,
                    text=form.cleaned_data["text"],
                    seen_version=form.cleaned_data["seen_version"],
                    pinned=form.cleaned_data["pinned"],
                    good_until=form.cleaned_data["good_until"],
                    store=gateways.answer_store(),
                    now=timezone.now(),
                )
            except AnswerError as error:
                raise NotSavedError(str(error)) from error
        credit_author(item, author=request.user, why=form.cleaned_data["why"])
        mark_verified(item.key, by=request.user, now=timezone.now())

    def _send_to_review(self, request: HttpRequest, answer: CachedAnswer, typed: dict[str, Any]) -> None:
        is_draft = request.POST.get("do") == "draft"
        item = submit_text(
            find_shared(answer),
            chunks=make_chunks(typed["text"]),
            by=request.user,
            is_draft=is_draft,
            pinned=typed["pinned"],
            valid_until=typed["good_until"],
            note=typed["why"],
            now=timezone.now(),
        )
        request.review_item = item  # type: ignore[attr-defined]  # what this request has made, for its entry and its reply

    def log_change(self, request: HttpRequest, obj: Any, message: Any, **facts: Any) -> Any:
        """What went to review has not changed the answer: the entry is about the text that waits."""
        item = request.__dict__.get("review_item")
        if item is None:
            return super().log_change(request, obj, message, **facts)
        after = {"state": item.state, "version": item.version, "text": item.text}
        return super().log_change(request, item, gettext("Sent from the answer's page."), after=after)

    def response_change(self, request: HttpRequest, obj: CachedAnswer) -> HttpResponse:
        """Back to the list; or to the text that waits for somebody's approval."""
        item = request.__dict__.get("review_item")
        if item is None:
            return super().response_change(request, obj)
        is_draft = item.state == item.State.DRAFT
        sent = gettext("Sent to review: callers hear it when somebody has approved it.")
        messages.success(request, gettext("Saved as a draft. No caller hears it.") if is_draft else sent)
        return redirect("admin:cache_admin_reviewitem_change", item.pk)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """An answer has no parts of its own in the database."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The answer's page; or both texts, when somebody else was quicker."""
        more = {"may_invalidate": self.has_invalidate_permission(request), **self._describe_review(request, object_id)}
        try:
            return super().changeform_view(request, object_id, form_url, {**more, **(extra_context or {})})
        except ConflictError as conflict:
            return self._show_conflict(request, str(object_id), conflict)

    def _describe_review(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        """For the page: whether the text goes to review, what waits there, and who looks after the answer."""
        answer = self.get_object(request, object_id or "")
        if request.method != "GET" or answer is None:
            return {"goes_to_review": bool(answer and goes_to_review(answer, user=request.user))}
        items = ReviewItem.objects.filter(key=find_shared(answer).key)
        return {
            "goes_to_review": goes_to_review(answer, user=request.user),
            "review_item": items.filter(state__in=[ReviewItem.State.DRAFT, ReviewItem.State.IN_REVIEW]).first(),
            **describe_care(answer, user=request.user),
        }

    def _show_conflict(self, request: HttpRequest, object_id: str, conflict: ConflictError) -> TemplateResponse:
        theirs = conflict.current
        form = AnswerForm(
            initial={
                "text": request.POST.get("text", ""),
                "pinned": "pinned" in request.POST,
                "good_until": request.POST.get("good_until", ""),
                "seen_version": theirs.version if theirs else 0,
            },
            instance=get_object_or_404(CachedAnswer, pk=object_id),
        )
        states = dict(CachedAnswer.State.choices)
        context = {"title": gettext("Somebody was quicker"), "form": form, "original": form.instance, "theirs": theirs}
        state = states.get(theirs.state, theirs.state) if theirs else ""
        return self._page(request, "conflict", {**context, "their_state": state}, status=409)

    # -- withdrawing

    @admin.action(description=_("Invalidate selected answers"), permissions=["invalidate"])
    def invalidate_selected(self, request: HttpRequest, queryset: QuerySet[CachedAnswer]) -> HttpResponse:
        """Asks for a reason first."""
        chosen = queryset.order_by().values_list("pk", flat=True)[: self.list_per_page]
        query = "&".join(f"pk={pk}" for pk in chosen)
        return HttpResponseRedirect(f"{reverse('admin:cache_admin_cachedanswer_invalidate')}?{query}")

    def invalidate_view(self, request: HttpRequest) -> HttpResponse:
        """Withdraws some answers, with a reason."""
        if not self.has_invalidate_permission(request):
            raise PermissionDenied
        form = InvalidateForm(request.POST if request.method == "POST" else None)
        pks = [pk for pk in request.GET.getlist("pk") if pk.isascii() and pk.isdigit()][: self.list_per_page]
        answers = list(CachedAnswer.objects.filter(pk__in=pks))
        if request.method == "POST" and form.is_valid() and self._invalidate(request, answers, form):
            return redirect("admin:cache_admin_cachedanswer_changelist")
        title = gettext("Invalidate answers?")
        return self._page(request, "invalidate", {"title": title, "form": form, "answers": answers})

    def _invalidate(self, request: HttpRequest, answers: list[CachedAnswer], form: InvalidateForm) -> bool:
        reason = form.cleaned_data["reason"]
        try:
            with explain_outages():
                found = invalidate_answers(answers, reason=reason, store=gateways.answer_store(), now=timezone.now())
        except NotSavedError as error:
            form.add_error(None, str(error))
            return False
        for answer in answers:
            self.log_change(request, answer, gettext("Invalidated: %s") % reason)
        done = ngettext("%d answer invalidated.", "%d answers invalidated.", found.done) % found.done
        messages.success(request, done)
        if found.gone:
            messages.warning(request, gettext("%d were not there any more.") % found.gone)
        return True

    # -- warming

    def prewarm_view(self, request: HttpRequest) -> HttpResponse:
        """Has one question answered before anybody asks it."""
        if not request.user.has_perm("cache_admin.prewarm_cachedanswer"):
            raise PermissionDenied
        form = PrewarmForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                return self._prewarm(request, form)
            except (AnswerError, NotSavedError, ValidationError) as error:
                form.add_error(None, error if isinstance(error, ValidationError) else str(error))
        return self._page(request, "prewarm", {"title": gettext("Pre-warm a question"), "form": form})

    def _prewarm(self, request: HttpRequest, form: PrewarmForm) -> HttpResponse:
        topic = form.cleaned_data["topic"]
        with explain_outages():
            try:
                outcome, item = prewarm_question(
                    topic.name,
                    question=form.cleaned_data["question"],
                    language=form.cleaned_data["language"],
                    store=gateways.answer_store(),
                    queue=gateways.prewarm_queue(),
                    now=timezone.now(),
                )
            except QuestionError as error:
                raise ValidationError(QUESTION_FAULTS.get(error.reason, error.reason)) from error
        messages.info(request, PREWARM_OUTCOMES[outcome])
        answer = CachedAnswer.objects.get(key=item.key)
        if outcome == "miss":
            self.log_change(request, answer, gettext("Pre-warmed."))
        return redirect("admin:cache_admin_cachedanswer_change", answer.pk)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> TemplateResponse:
        template = f"admin/cache_admin/cachedanswer/{name}.html"
        media = self.media + forms.Media()
        whole = {**self.admin_site.each_context(request), "opts": self.opts, "media": media, **context}
        return TemplateResponse(request, template, whole, status=status)
