"""The list of answers: which of them callers hear."""

from __future__ import annotations

import re

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cache_admin.admin.badges import badge
from cache_admin.admin.keyset import KeysetChangeList
from cache_admin.admin.typed import ModelAdmin
from cache_admin.models import CachedAnswer, Topic
from cache_admin.search.full_text import MOST, find_answers

KEY = re.compile(r"[a-z0-9-]+\.[0-9a-f]{32}")
_OBSTACLES = {"expired": _("expired"), "stale": _("outdated")}


def _read_revisions(names: set[str]) -> dict[str, int]:
    return dict(Topic.objects.filter(name__in=names).values_list("name", "revision"))


class AnswerSearch(ModelAdmin[CachedAnswer]):
    """Searched by the words of questions and spoken texts, or by a whole key."""

    search_fields = ("question",)  # so that there is a box to type in
    search_help_text = _("The beginnings of words of the question or the spoken text, or an answer's whole key.")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CachedAnswer], search_term: str
    ) -> tuple[QuerySet[CachedAnswer], bool]:
        """The database's own index finds the words."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if KEY.fullmatch(term):
            return queryset.filter(key=term), False
        found, request.is_capped = find_answers(queryset, term)  # type: ignore[attr-defined]  # for the list to say so
        return found, False


class AnswerChangeList(KeysetChangeList):
    """Answers with their topics' revisions: one query more for the whole page."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's answers, each with the revision that counts."""
        super().get_results(request)
        if getattr(request, "is_capped", False):
            self.remark = (
                gettext("More than %d answers have these words; only so many are looked at. Add a word.") % MOST
            )
        revisions = _read_revisions({answer.topic for answer in self.result_list})
        for answer in self.result_list:
            answer.topic_revision = revisions.get(answer.topic, 0)


def show_state(answer: CachedAnswer) -> SafeString:
    """A badge with the state, or with what keeps callers from hearing a ready answer."""
    revision = getattr(answer, "topic_revision", None)
    if revision is None:  # on the answer's own page
        revision = _read_revisions({answer.topic}).get(answer.topic, 0)
    obstacle = answer.find_obstacle(topic_revision=revision, now=timezone.now())
    return badge(obstacle, _OBSTACLES[obstacle]) if obstacle else badge(answer.state, answer.get_state_display())
