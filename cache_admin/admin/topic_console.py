"""A topic's test console: what a question would meet, the prompt, and an answer that no caller hears."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cache_admin import gateways
from cache_admin.admin.answer_forms import QUESTION_FAULTS
from cache_admin.admin.store_first import NotSavedError, explain_outages
from cache_admin.admin.trials import DRAFT_PAGE, GENERATE, VIEW, read_number
from cache_admin.mapping import epoch_ms
from cache_admin.models import CachedAnswer, Topic
from cache_admin.services.answers import AnswerError, read_topic
from cache_admin.trials.drafts import ask_draft, identify_draft, pick_language, read_draft
from cache_admin.trials.matching import INCIDENT, OFF, OWN, Match, find_match
from cache_admin.trials.prompts import show_prompt
from cache_admin.trials.reasons import explain_failure
from cache_admin.trials.showing import list_figures, list_parts, read_made, show_estimate, tell
from connectgenai.wire.items import PENDING, READY, AnswerItem, TopicItem
from connectgenai.wire.question import QuestionError
from connectgenai.wire.store import HIT, JOIN, MISS, REFUSED

PAGE = "cache_admin_topic_try"
OUTCOMES: dict[str, tuple[str, Promise]] = {
    HIT: ("good", _("Known: the caller hears this answer at once.")),
    JOIN: ("busy", _("Being generated at this moment: the caller waits for it with the others.")),
    MISS: ("busy", _("New: it is generated while the caller waits.")),
    REFUSED: ("bad", _("It failed a moment ago: the caller is told so at once, and handed over.")),
    OWN: ("busy", _("Generated for this caller alone: nobody else hears the answer.")),
    INCIDENT: ("bad", _("An incident is on: the caller hears its text instead of any answer.")),
    OFF: ("bad", _("The topic is switched off: callers cannot ask it anything.")),
}
PERSONAL: dict[str, Promise] = {
    "digits": _("It holds a number, as of an order or an account."),
    "spoken_digits": _("It holds a number, digit by digit."),
    "email": _("It holds an e-mail address."),
    "name": _("It says who the caller is."),
    "own_business": _("It is about the caller's own business."),
}


class TryForm(forms.Form):
    """A question as a caller would ask it."""

    question = forms.CharField(
        label=_("Question"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2, "autofocus": True}),
        help_text=_("As a caller would say it. Nobody hears what comes of it, and no call is counted."),
    )
    language = forms.ChoiceField(label=_("Language"))

    def __init__(self, languages: list[str], *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        field: Any = self.fields["language"]
        field.choices = [(language, language) for language in languages]


class ConsolePages:
    """The page of the test console; for the topics' admin."""

    admin_site: Any
    opts: Any
    log_change: Any

    def console_urls(self) -> list[Any]:
        """One page for all of it."""
        return [path("<int:pk>/try/", self.admin_site.admin_view(self.try_view), name=PAGE)]

    def try_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A question that is typed is looked at; the button beside has it answered aside."""
        if not request.user.has_perms(("cache_admin.view_topic", VIEW)):
            raise PermissionDenied
        topic = get_object_or_404(Topic, pk=pk)
        languages = list(topic.languages.values_list("language", flat=True))
        if request.method != "POST":
            return self._show(request, topic, *_open(request, topic, languages))
        form = TryForm(languages, request.POST)
        found: dict[str, Any] = {}
        if form.is_valid():
            try:
                with explain_outages():
                    if request.POST.get("do") == "ask":
                        return self._ask(request, topic, form)
                    found = _look(form.cleaned_data["question"], topic, form.cleaned_data["language"])
            except QuestionError as error:
                form.add_error("question", str(QUESTION_FAULTS.get(error.reason, error.reason)))
            except (AnswerError, NotSavedError) as error:
                form.add_error(None, str(error))
        return self._show(request, topic, form, found)

    def _ask(self, request: HttpRequest, topic: Topic, form: TryForm) -> HttpResponse:
        if not request.user.has_perm(GENERATE):
            raise PermissionDenied
        store = gateways.answer_store()
        item = read_topic(topic.name, store)
        language = pick_language(item, form.cleaned_data["language"])
        draft = ask_draft(
            identify_draft(form.cleaned_data["question"], topic=topic.name, language=language),
            topic=item,
            since_ms=read_number(request, "since"),
            store=store,
            queue=gateways.prewarm_queue(),
            now=timezone.now(),
        )
        self.log_change(request, topic, gettext("Tried out a question."))
        return redirect(f"{reverse(f'admin:{PAGE}', args=[topic.pk])}?draft={draft.key.rpartition('.')[2]}")

    def _show(self, request: HttpRequest, topic: Topic, form: TryForm, found: dict[str, Any]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Test console"),
            "opts": self.opts,
            "original": topic,
            "form": form,
            "now_ms": epoch_ms(timezone.now()),
            "may_ask": request.user.has_perm(GENERATE) and topic.published_at is not None,
            "estimate": show_estimate(topic.name),
            **found,
        }
        return TemplateResponse(request, "admin/cache_admin/topic/try.html", context)


def _open(request: HttpRequest, topic: Topic, languages: list[str]) -> tuple[TryForm, dict[str, Any]]:
    """An empty form, or the one of the draft that the address names, with what came of it."""
    name = request.GET.get("draft", "")
    try:
        with explain_outages():
            draft = _find_draft(topic, name)
            if draft is None:
                return TryForm(languages), {}
            found = _look(draft.question, topic, draft.language)
    except (AnswerError, NotSavedError) as error:
        return TryForm(languages), {"fault": str(error)}
    form = TryForm(languages, initial={"question": draft.question, "language": draft.language})
    return form, {**found, **_describe_draft(draft)}


def _find_draft(topic: Topic, name: str) -> AnswerItem | None:
    if not re.fullmatch(r"[0-9a-f]{32}", name):
        return None
    return read_draft(f"{topic.name}.{name}", store=gateways.answer_store())


def _look(question: str, topic: Topic, language: str) -> dict[str, Any]:
    """What the question would meet, and the prompt for it; AnswerError when the topic is not published."""
    store = gateways.answer_store()
    item = read_topic(topic.name, store)
    match = find_match(
        question,
        topic=item,
        language=pick_language(item, language),
        store=store,
        now_ms=epoch_ms(timezone.now()),
    )
    return {**_describe_match(match, item), **_describe_prompt(match, item)}


def _describe_match(match: Match, topic: TopicItem) -> dict[str, Any]:
    tone, sentence = OUTCOMES[match.outcome]
    known = CachedAnswer.objects.filter(key=match.asked.key).first()
    return {
        "match": match,
        "tone": tone,
        "sentence": sentence,
        "personal": PERSONAL.get(match.personal, match.personal),
        "is_approval": topic.needs_approval and match.outcome == OWN and not match.personal,
        "failure": explain_failure(match.answer.reason) if match.answer and match.outcome == REFUSED else "",
        "heard": list_parts(_find_heard(match, topic)),
        "answer_url": reverse("admin:cache_admin_cachedanswer_change", args=[known.pk]) if known else "",
    }


def _find_heard(match: Match, topic: TopicItem) -> tuple[str, ...]:
    if match.outcome == INCIDENT:
        return topic.incident_chunks
    return match.answer.chunks if match.answer and match.outcome in (HIT, JOIN) else ()


def _describe_prompt(match: Match, topic: TopicItem) -> dict[str, Any]:
    try:
        blocks = show_prompt(
            match.asked.question, topic=topic, language=match.asked.language, storage=gateways.file_storage()
        )
    except FileNotFoundError:
        return {"prompt_fault": explain_failure("document_missing")}
    return {"prompt": blocks}


def _describe_draft(draft: AnswerItem) -> dict[str, Any]:
    is_moving, is_ready = draft.state == PENDING, draft.state == READY
    return {
        "draft": draft,
        "is_moving": is_moving,
        "is_ready": is_ready,
        "line": tell(draft),
        "draft_url": reverse(f"admin:{DRAFT_PAGE}", args=[draft.key]) if is_moving else "",
        "parts": list_parts(draft.chunks) if is_ready else [],
        "figures": [] if is_moving else list_figures(read_made(draft)),
    }
