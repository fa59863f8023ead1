"""What the mirror sees -> the review queue. It runs within the mirror's own transaction, one mirror at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db.models import F
from django.utils import timezone

from cache_admin.models import CachedAnswer, ReviewCaller, ReviewItem, ReviewText, Topic
from cache_admin.models.scoped import looking_with
from cache_admin.review.candidates import MOST_PHRASINGS, find_shared, rank_item
from cache_admin.review.caring import note_approved
from connectgenai.wire.items import CURATED, GENERATED, INVALID, READY
from connectgenai.wire.question import DRAFT, find_personal

State, Source = ReviewItem.State, ReviewItem.Source
MOST_TEXTS: Final = 10  # of one question: a model that never says the same twice must not fill the database


def note_reviews(rows: Iterable[Any]) -> None:
    """Opens, feeds and closes items after what is new of some answers; whatever comes twice changes nothing."""
    answers = [row for row in rows if isinstance(row, CachedAnswer)]
    if not answers:
        return
    with looking_with(None):  # in whoever's request the mirror runs
        _forget_withdrawn(answers)
        note_approved(answers)
        _close_published(answers)
        offer_answers(_find_offers(answers))


def _find_offers(answers: Sequence[CachedAnswer]) -> list[CachedAnswer]:
    """Whole generated texts that only some caller hears, or none, in topics whose shared texts somebody has to approve."""
    own = [a for a in answers if a.state == READY and a.source == GENERATED and a.chunks and not a.is_shared]
    if not own:
        return []
    topics = Topic.objects.filter(name__in={a.topic for a in own}, needs_approval=True, sharing=Topic.Sharing.EVERYONE)
    names = set(topics.values_list("name", flat=True))
    return [a for a in own if a.topic in names and not find_personal(a.question)]


# -- offering


def offer_answers(answers: Sequence[CachedAnswer]) -> None:
    """Makes each answer's text a candidate of its shared question, and its caller one who waits for it."""
    if not answers:
        return
    pks = dict(CachedAnswer.objects.filter(key__in=[a.key for a in answers]).values_list("key", "pk"))
    found = [(find_shared(a).key, a, pks[a.key]) for a in answers if a.key in pks]
    _open_missing([(key, answer) for key, answer, _ in found])
    items = {item.key: item for item in ReviewItem.objects.filter(key__in={key for key, _, _ in found})}
    texts: dict[int, list[list[str]]] = {item.pk: [] for item in items.values()}
    for pk, chunks in ReviewText.objects.filter(item__in=texts).values_list("item", "chunks"):
        texts[pk].append(chunks)
    heard = _find_heard(items.values())
    for key, answer, pk in found:
        kept = texts[items[key].pk]
        is_new = list(answer.chunks) not in kept and len(kept) < MOST_TEXTS
        if is_new:
            kept.append(list(answer.chunks))
            _keep_text(items[key], answer, pk)
        items[key] = _feed(items[key], answer, is_new=is_new, is_heard=key in heard)
    _count_callers([(items[key], pk) for key, answer, pk in found if answer.scope != DRAFT and not answer.is_shared])


def _open_missing(found: Sequence[tuple[str, CachedAnswer]]) -> None:
    first = dict(reversed(found))
    known = set(ReviewItem.objects.filter(key__in=first).values_list("key", flat=True))
    made = [_make_item(key, answer) for key, answer in first.items() if key not in known]
    ReviewItem.objects.bulk_create(made, ignore_conflicts=True)


def _make_item(key: str, answer: CachedAnswer) -> ReviewItem:
    opened = answer.finished_at or answer.changed_at
    about = {name: getattr(answer, name) for name in ("topic", "language", "words", "question")}
    times = {"opened_at": opened, "changed_at": opened, "rank": rank_item(0, opened)}
    return ReviewItem(key=key, **about, **times, state=State.IN_REVIEW, **_describe(answer))


def _describe(answer: CachedAnswer) -> dict[str, Any]:
    """The candidate that an answer makes."""
    return {
        "source": Source.PREWARM if answer.scope == DRAFT else Source.CALLER, "chunks": list(answer.chunks), "run": answer.token,
        "model": answer.model, "revision": answer.revision,
    }  # fmt: skip


def _keep_text(item: ReviewItem, answer: CachedAnswer, pk: int) -> None:
    made_at = answer.finished_at or answer.changed_at
    text = ReviewText(item=item, answer_id=pk, made_at=made_at, **_describe(answer))
    ReviewText.objects.bulk_create([text], ignore_conflicts=True)


def _find_heard(items: Iterable[ReviewItem]) -> set[str]:
    """Of published items, those whose approved text callers hear still: late answers are no news to them."""
    keys = [item.key for item in items if item.state == State.PUBLISHED]
    shared = list(CachedAnswer.objects.filter(key__in=keys, state=READY, source=CURATED)) if keys else []
    topics = Topic.objects.filter(name__in={answer.topic for answer in shared}).values_list("name", "revision")
    revisions, now = dict(topics), timezone.now()
    return {a.key for a in shared if not a.find_obstacle(topic_revision=revisions.get(a.topic, 0), now=now)}


def _feed(item: ReviewItem, answer: CachedAnswer, *, is_new: bool, is_heard: bool) -> ReviewItem:
    """The item after one more answer: another phrasing, or another candidate."""
    facts: dict[str, Any] = {}
    known = [item.question, *item.phrasings]
    if answer.question not in known and len(known) <= MOST_PHRASINGS:
        facts["phrasings"] = [*item.phrasings, answer.question]
    if _takes_over(item, answer, is_new=is_new, is_heard=is_heard):
        facts |= {**_describe(answer), "state": State.IN_REVIEW, "author": None, "sent_by": None, "valid_until": None}
        facts |= {"decided_by": None, "decided_at": None, "version": F("version") + 1}
        facts["changed_at"] = answer.finished_at or answer.changed_at
    if facts:
        ReviewItem.objects.filter(pk=item.pk).update(**facts)
        item.refresh_from_db()
    return item


def _takes_over(item: ReviewItem, answer: CachedAnswer, *, is_new: bool, is_heard: bool) -> bool:
    """Whether the text becomes the candidate. Under the eyes of a reviewer it changes only for a good reason: it was made
    from an older state of the topic, or somebody has asked for another. What a person wrote stays."""
    if item.run == answer.token or (item.chunks == list(answer.chunks) and item.is_open):
        return False
    if item.state == State.PUBLISHED:
        return (
            not is_heard and item.decided_at is not None and (answer.finished_at or item.decided_at) > item.decided_at
        )
    if item.state == State.REJECTED:
        return is_new  # what was rejected once is not brought again by the next caller
    return item.author_id is None and (answer.revision > item.revision or (is_new and answer.scope == DRAFT))


def _count_callers(pairs: Sequence[tuple[ReviewItem, int]]) -> None:
    """Each caller once, however often the mirror brings the answer."""
    wanted = {(item.pk, pk): item for item, pk in pairs}
    known = set(ReviewCaller.objects.filter(answer__in=[pk for _, pk in wanted]).values_list("item", "answer"))
    fresh = [pair for pair in wanted if pair not in known]
    ReviewCaller.objects.bulk_create([ReviewCaller(item_id=i, answer_id=a) for i, a in fresh], ignore_conflicts=True)
    for pk in {pk for pk, _ in fresh}:
        item = next(wanted[pair] for pair in fresh if pair[0] == pk)
        set_callers(item, item.callers + sum(pair[0] == pk for pair in fresh))


def set_callers(item: ReviewItem, callers: int) -> None:
    """How many callers it concerns, and so its place in the queue."""
    changes = {"callers": callers, "rank": rank_item(callers, item.opened_at), "changed_at": timezone.now()}
    ReviewItem.objects.filter(pk=item.pk).update(**changes)


# -- closing


def _close_published(answers: Sequence[CachedAnswer]) -> None:
    """What was published by another way than the queue is not waited for any more."""
    shared = {a.key: a for a in answers if a.is_shared and a.state == READY and a.source == CURATED}
    for item in ReviewItem.objects.filter(key__in=shared, state__in=[State.DRAFT, State.IN_REVIEW]) if shared else []:
        if list(shared[item.key].chunks) == item.chunks:
            at = shared[item.key].finished_at or timezone.now()
            same = ReviewItem.objects.filter(pk=item.pk, version=item.version)
            same.update(state=State.PUBLISHED, decided_at=at, changed_at=at, version=F("version") + 1)


def _forget_withdrawn(answers: Sequence[CachedAnswer]) -> None:
    """Texts of a caller who is to be forgotten go, and drafts that somebody has dropped."""
    gone = [a.key for a in answers if a.state == INVALID and (a.reason == "erased" or a.scope == DRAFT)]
    texts = list(ReviewText.objects.filter(answer__key__in=gone).select_related("item")) if gone else []
    if not gone:
        return
    ReviewCaller.objects.filter(answer__key__in=gone).delete()
    ReviewText.objects.filter(pk__in=[text.pk for text in texts]).delete()
    for text in texts:
        if text.item.run == text.run and text.item.author_id is None and text.item.state != State.PUBLISHED:
            _fall_back(text.item)


def _fall_back(item: ReviewItem) -> None:
    """The latest of the other texts becomes the candidate; without any there is nothing to approve."""
    other = ReviewText.objects.filter(item=item, is_rejected=False).first()
    if other is None or item.state == State.REJECTED:
        item.delete()
        return
    facts = {name: getattr(other, name) for name in ("chunks", "run", "source", "model", "revision", "author_id")}
    ReviewItem.objects.filter(pk=item.pk).update(version=F("version") + 1, **facts)
