"""Missed questions: what callers waited for in vain or for long, and the ways to do something about it."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cache_admin import gateways
from cache_admin.admin.answer_forms import PREWARM_OUTCOMES, QUESTION_FAULTS
from cache_admin.admin.answer_list import show_state
from cache_admin.admin.exporting import send_export
from cache_admin.admin.store_first import NotSavedError, explain_outages
from cache_admin.admin.typed import ModelAdmin
from cache_admin.models import CachedAnswer, MissedQuestion, Topic, TopicLanguage
from cache_admin.services.answers import AnswerError, prewarm_question
from cache_admin.warming.batches import make_chosen_batch
from cache_admin.warming.exporting import MISSED_COLUMNS, describe_missed
from cache_admin.warming.missed import LOOKED_AT, REASONS, Missed, MissedList, add_answers, find_missed
from connectgenai.wire.question import QuestionError

WARM = "cache_admin.prewarm_cachedanswer"
A_PAGE = 50
WINDOWS = {"1": _("last hour"), "24": _("last 24 hours"), "168": _("last 7 days"), "720": _("last 30 days")}
DEFAULT_WINDOW = "24"


class WindowForm(forms.Form):
    """Which calls are counted; whatever else the address says counts as not chosen."""

    hours = forms.ChoiceField(label=_("When"), choices=list(WINDOWS.items()), required=False)
    topic = forms.ChoiceField(label=_("Topic"), required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)
    reason = forms.ChoiceField(label=_("Why"), choices=[("", _("all")), *REASONS.items()], required=False)

    def __init__(self, data: Any) -> None:
        super().__init__({"hours": DEFAULT_WINDOW, **data}, auto_id="missed_%s")
        languages = TopicLanguage.objects.order_by("language").values_list("language", flat=True).distinct()
        every: Any = [("", gettext("all"))]
        fields: Any = self.fields
        fields["topic"].choices = every + [(topic.name, str(topic)) for topic in Topic.objects.only("name", "title")]
        fields["language"].choices = every + [(language, language) for language in languages]

    def find(self) -> MissedList:
        """What was missed."""
        self.is_valid()  # a choice that does not exist is left out
        chosen = {name: self.cleaned_data.get(name) or "" for name in ("topic", "language", "reason")}
        now = timezone.now()
        hours = int(self.cleaned_data.get("hours") or DEFAULT_WINDOW)
        return find_missed(since=now - timedelta(hours=hours), until=now, **chosen)


@admin.register(MissedQuestion)
class MissedAdmin(ModelAdmin[MissedQuestion]):
    """One page: counted when it is looked at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Callers ask."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: MissedQuestion | None = None) -> bool:
        """The answer's own page is for that."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MissedQuestion | None = None) -> bool:
        """What was, was."""
        return False

    def get_urls(self) -> list[Any]:
        """The page, and the same as a file."""
        view, name = self.admin_site.admin_view, "cache_admin_missedquestion"
        return [
            path("", view(self.changelist_view), name=f"{name}_changelist"),
            path("export/<str:kind>/", view(self.export_view), name=f"{name}_export"),
        ]

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """The list as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = WindowForm(request.GET.dict()).find().rows
        rows = chain.from_iterable(add_answers(found[at : at + A_PAGE]) for at in range(0, len(found), A_PAGE))
        return send_export("missed", kind, MISSED_COLUMNS, describe_missed(rows))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What was missed; POST has it answered."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._warm(request)
        form = WindowForm(request.GET.dict())
        found = form.find()
        page = Paginator(found.rows, A_PAGE).get_page(request.GET.get("page"))
        rows = add_answers(list(page.object_list))
        asked = request.GET.copy()
        asked.pop("page", None)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Missed questions"),
            "opts": self.opts,
            "form": form,
            "rows": [_describe(row) for row in rows],
            "page": page,
            "query": asked.urlencode(),
            "export_query": f"?{asked.urlencode()}",
            "is_capped": found.is_capped,
            "looked_at": LOOKED_AT,
            "may_warm": request.user.has_perm(WARM),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/cache_admin/missedquestion/change_list.html", context)

    def _warm(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(WARM):
            raise PermissionDenied
        if "batch" in request.POST:
            return self._make_batch(request)
        answer = CachedAnswer.objects.filter(pk=_read_pk(request.POST.get("generate", ""))).first()
        if answer is None:
            messages.error(request, gettext("Choose a question."))
            return HttpResponseRedirect(request.get_full_path())
        try:
            return self._generate(request, answer)
        except QuestionError as error:
            messages.error(request, QUESTION_FAULTS.get(error.reason, error.reason))
        except (AnswerError, NotSavedError) as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(request.get_full_path())

    def _make_batch(self, request: HttpRequest) -> HttpResponse:
        pks = [_read_pk(text) for text in request.POST.getlist("chosen")[:A_PAGE]]
        answers = [answer for answer in CachedAnswer.objects.filter(pk__in=pks) if answer.is_shared]
        if not answers:
            messages.error(request, gettext("Choose a question."))
            return HttpResponseRedirect(request.get_full_path())
        name = gettext("Missed questions")
        batch = make_chosen_batch(answers, name=name, by=request.user, now=timezone.now())
        return redirect("admin:cache_admin_warmbatch_change", batch.pk)

    def _generate(self, request: HttpRequest, answer: CachedAnswer) -> HttpResponse:
        if not answer.is_shared:
            raise AnswerError(gettext("Only this caller may hear the answer, so there is nothing to warm."))
        with explain_outages():
            outcome, item = prewarm_question(
                answer.topic,
                question=answer.question,
                language=answer.language,
                store=gateways.answer_store(),
                queue=gateways.prewarm_queue(),
                now=timezone.now(),
            )
        messages.info(request, PREWARM_OUTCOMES[outcome])
        made = CachedAnswer.objects.get(key=item.key)
        if outcome == "miss":
            self.log_change(request, made, gettext("Pre-warmed."))  # in the history of the answer
        return redirect("admin:cache_admin_cachedanswer_change", made.pk)


def _describe(row: Missed) -> dict[str, Any]:
    """A row, its answer's state, and whether callers hear a good one meanwhile."""
    answer = row.answer
    revision, now = getattr(answer, "topic_revision", 0), timezone.now()
    is_ready = answer is not None and answer.state == CachedAnswer.State.READY
    is_good = is_ready and answer is not None and not answer.find_obstacle(topic_revision=revision, now=now)
    return {"row": row, "state": show_state(answer) if answer else "", "is_good": is_good}


def _read_pk(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
