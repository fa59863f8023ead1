"""The questions of an incident -> the keys under which callers ask them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from cache_admin.models import Topic
from connectgenai.wire.question import EVERYONE, QuestionError, find_personal, identify_question


class UnreachableError(ValueError):
    """These words name no answer that several callers share; the message says why."""


def find_keys(topic: Topic, questions: Sequence[str]) -> list[str]:
    """The keys of the questions in each of the topic's languages; UnreachableError for one that cannot be named so."""
    if questions and topic.sharing != EVERYONE:
        raise UnreachableError(
            _("Answers of “%s” are not shared, so each caller's question has a key of its own: choose the whole topic.")
            % topic
        )
    languages = [row.language for row in topic.languages.all()]
    return [_find_key(topic, language, question) for question in questions for language in languages]


def _find_key(topic: Topic, language: str, question: str) -> str:
    if find_personal(question):
        raise UnreachableError(_("“%s” is about a caller's own business, so no two callers share it.") % question)
    try:
        return identify_question(
            question, topic=topic.name, language=language, sharing=topic.sharing, caller="", contact_id=""
        ).key
    except QuestionError as error:
        raise UnreachableError(_("“%s” cannot be asked: it is too long, or has no words.") % question[:80]) from error


def read_lines(text: str) -> list[str]:
    """One question a line, each once, in the order in which they were written."""
    lines: Iterable[str] = (" ".join(line.split()) for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if line))
