"""What a change of a topic does to its answers: said before it is saved, and mended after."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from cache_admin.admin.trials import GENERATE
from cache_admin.admin.warming_rows import show_cost
from cache_admin.amounts import show_count
from cache_admin.models import CachedAnswer, Topic
from cache_admin.services.topics import AtLeast
from cache_admin.warming.batches import confirm, make_chosen_batch
from cache_admin.warming.estimate import estimate_questions
from cache_admin.warming.schedules import find_most_asked

PAGE = "cache_admin_topic_rewarm"
MOST_ASKED = 50
SHOWN = 10


class CountForm(forms.Form):
    """How many of the questions that are asked most."""

    most = forms.IntegerField(label=_("How many of the most asked"), min_value=1, max_value=2_000, initial=MOST_ASKED)


class ChangePages:
    """The page that answers the most asked questions again; for the topics' admin."""

    admin_site: Any
    opts: Any
    log_change: Any

    def change_urls(self) -> list[Any]:
        """One page."""
        return [path("<int:pk>/rewarm/", self.admin_site.admin_view(self.rewarm_view), name=PAGE)]

    def rewarm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What it would cost to have the most asked questions answered again; a POST begins."""
        if not request.user.has_perm(GENERATE):
            raise PermissionDenied
        topic = get_object_or_404(Topic, pk=pk)
        form = CountForm(request.POST or request.GET or None)
        most = form.cleaned_data["most"] if form.is_valid() else MOST_ASKED
        outdated = find_outdated(topic, most)
        if request.method == "POST" and form.is_valid():
            return self._begin(request, topic, outdated)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Answer the most asked questions again"),
            "opts": self.opts,
            "original": topic,
            "form": form if form.is_bound else CountForm(initial={"most": most}),
            "most": most,
            "outdated": len(outdated),
            "answers": outdated[:SHOWN],
            "left_out": max(len(outdated) - SHOWN, 0),
            "cost": show_cost(estimate_questions(topic.name, len(outdated))),
        }
        return TemplateResponse(request, "admin/cache_admin/topic/rewarm.html", context)

    def _begin(self, request: HttpRequest, topic: Topic, outdated: list[CachedAnswer]) -> HttpResponse:
        now = timezone.now()
        name = gettext_noop("After a change of %s") % topic
        batch = make_chosen_batch(outdated, name=name, by=request.user, now=now) if outdated else None
        if batch is None or not confirm(batch, now=now):
            messages.info(request, gettext("There is nothing to do: what is asked most has good answers."))
            return redirect("admin:cache_admin_topic_change", topic.pk)
        self.log_change(request, batch, gettext("Confirmed."))
        messages.success(request, gettext("It begins within seconds."))
        return redirect("admin:cache_admin_warmbatch_change", batch.pk)


def find_outdated(topic: Topic, most: int) -> list[CachedAnswer]:
    """Of so many questions that are asked most those whose answers, written by the model, callers do not hear any more."""
    now = timezone.now()
    return [
        answer
        for answer in find_most_asked(topic.name, most)
        if answer.source != CachedAnswer.Source.CURATED
        and (answer.state != CachedAnswer.State.READY or answer.find_obstacle(topic_revision=topic.revision, now=now))
    ]


def tell_outdated(topic: Topic, given: AtLeast, *, may_warm: bool) -> SafeString:
    """What a saved change has done, with the way to mend it."""
    text = _tell_count(given)
    if not (may_warm and topic.sharing == Topic.Sharing.EVERYONE and given.count):
        return format_html("{}", text)
    url = reverse(f"admin:{PAGE}", args=[topic.pk])
    offer = gettext("Answer the %d most asked questions again…") % MOST_ASKED
    return format_html('{} <a href="{}">{}</a>', text, url, offer)


def _tell_count(given: AtLeast) -> str:
    if not given.count:
        return gettext("Earlier answers of this topic are not given to callers any more.")
    text = ngettext(
        "%s earlier answer of this topic is not given to callers any more.",
        "%s earlier answers of this topic are not given to callers any more.",
        given.count,
    )
    return text % show_at_least(given)


def warn_before(given: AtLeast) -> str:
    """What saving would do."""
    if not given.count:
        return gettext("After saving, new answers are made from these settings. There are no earlier ones yet.")
    count = show_at_least(given)
    return (
        ngettext(
            "Saving this makes %s answer outdated: it is generated anew when it is asked for. Pinned answers stay.",
            "Saving this makes %s answers outdated: each is generated anew when it is asked for. Pinned answers stay.",
            given.count,
        )
        % count
    )


def show_at_least(given: AtLeast) -> str:
    """As in "1,000+"."""
    return f"{show_count(given.count)}{'+' if given.is_more else ''}"
