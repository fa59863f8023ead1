"""Generated answers that everybody heard, until their topic came to need approval: the most asked go to review first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from cache_admin.models import CachedAnswer, ReviewItem, Topic
from cache_admin.review.incoming import offer_answers, set_callers
from connectgenai.wire.items import GENERATED, READY
from connectgenai.wire.question import EVERYONE

LOOKED_AT: Final = 500  # a topic's most asked answers, of all scopes: what keeps the page quick


def find_topics() -> QuerySet[Topic]:
    """Those in which generated answers are not shared any more."""
    return Topic.objects.filter(needs_approval=True, sharing=Topic.Sharing.EVERYONE).order_by("name")


def find_unapproved(topic: str) -> list[CachedAnswer]:
    """The topic's generated shared answers that nobody has sent to review yet, the most asked first."""
    most_asked = CachedAnswer.objects.filter(topic=topic).order_by("-calls", "-pk").values("pk")[:LOOKED_AT]
    items = ReviewItem.objects.filter(key=OuterRef("key"))
    shared = CachedAnswer.objects.filter(pk__in=list(most_asked.values_list("pk", flat=True)), scope=EVERYONE)
    found = shared.filter(state=READY, source=GENERATED).exclude(Exists(items))
    return list(found.order_by("-calls", "-pk"))


def take_in(answers: Iterable[CachedAnswer]) -> int:
    """Opens an item for each that still is the model's, counting its calls as its callers; how many are in review for it."""
    names = set(find_topics().values_list("name", flat=True))
    chosen = [a for a in answers if a.topic in names and _is_unapproved(a)]
    known = _find_known(chosen)
    fresh = [answer for answer in chosen if answer.key not in known]
    offer_answers(fresh)
    items = {item.key: item for item in ReviewItem.objects.filter(key__in=[a.key for a in fresh])}
    for answer in fresh:
        set_callers(items[answer.key], items[answer.key].callers + answer.calls)
    return len(fresh)


def _is_unapproved(answer: CachedAnswer) -> bool:
    return answer.is_shared and answer.state == READY and answer.source == GENERATED and bool(answer.chunks)


def _find_known(answers: Sequence[CachedAnswer]) -> set[str]:
    return set(ReviewItem.objects.filter(key__in=[a.key for a in answers]).values_list("key", flat=True))
