"""Searching the queue without walking through it: by the answers' own index, and in the first rows of the list."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet

from cache_admin.models import CachedAnswer, ReviewItem, ReviewText
from cache_admin.search.full_text import find_words, search_answers

LOOKED_AT: Final = 1_000  # rows of the list
ANSWERS: Final = 1_000  # that have the words, the newest first


def search_items(items: QuerySet[ReviewItem], term: str) -> QuerySet[ReviewItem]:
    """Items to whose answer all the words belong, and of the first 1,000 of the list those whose question has them.

    What came from callers, was generated in advance or is published is found by its answer, wherever in the list it stands; of a
    common word the newest 1,000 answers are looked at.
    """
    words = [word.casefold() for word in find_words(term)]
    if not words:
        return items.none()
    newest = CachedAnswer.objects.order_by("-changed_at", "-id")
    answers = list(search_answers(newest, term).values_list("pk", "key")[:ANSWERS])
    pks = set(ReviewItem.objects.filter(key__in=[key for _, key in answers]).values_list("pk", flat=True))
    pks |= set(ReviewText.objects.filter(answer__in=[pk for pk, _ in answers]).values_list("item", flat=True))
    first = items.values_list("pk", "question")[:LOOKED_AT]
    pks |= {pk for pk, question in first if _has_words(question, words)}
    return items.filter(pk__in=pks)


def _has_words(question: str, words: list[str]) -> bool:
    told = [word.casefold() for word in find_words(question)]
    return all(any(one.startswith(word) for one in told) for word in words)
