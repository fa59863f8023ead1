"""How long words are kept: as long as their topic says, in DynamoDB and here.

DynamoDB deletes by itself: each item carries its time, `purge_at`, from its topic's setting as it was when the item was
written. Rows go when that time has come. After a topic's setting has been shortened, what was written before goes early.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django_celery_results.models import TaskResult

from cache_admin.mapping import epoch_ms
from cache_admin.models import AnswerVersion, CachedAnswer, Call, ReviewItem, Topic
from cache_admin.review.candidates import find_outdated
from connectgenai.wire.items import answer_pk, call_pk
from connectgenai.wire.store import AnswerStore

BATCH = 500


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows were past their time, and how many of them DynamoDB would have kept for longer."""

    answers: int = 0
    calls: int = 0
    early: int = 0


def apply_retention(store: AnswerStore, *, now: datetime) -> Forgotten:
    """Deletes the answers and calls that are past their time, and the words that the admin's history has of them.

    StoreError when DynamoDB does not serve; what was deleted before is deleted then, and the next run goes on.
    """
    early = sum(_shorten(topic, store, now=now) for topic in Topic.objects.only("name", "keep_days"))
    answers = _delete(CachedAnswer.objects.filter(purge_at__lte=now))
    calls = _delete(Call.objects.filter(purge_at__lte=now))
    for topic in Topic.objects.only("name", "keep_days"):
        _delete(find_outdated(topic, now=now))
    return Forgotten(answers=answers, calls=calls, early=early)


def forget_old_results(*, older_than: datetime) -> int:
    """Deletes old task results; how many."""
    return _delete(TaskResult.objects.filter(date_done__lt=older_than))


def _shorten(topic: Topic, store: AnswerStore, *, now: datetime) -> int:
    """Empties in DynamoDB, and then deletes here, what is older than the topic's present setting; how many."""
    since = now - timedelta(days=topic.keep_days)
    # not `asked_at`: the index is by the last change, and only after a shortening does it matter at all
    answers = CachedAnswer.objects.filter(topic=topic.name, changed_at__lt=since, purge_at__gt=now)
    calls = Call.objects.filter(topic=topic.name, asked_at__lt=since, purge_at__gt=now)
    done = _forget(answers.exclude(source=CachedAnswer.Source.CURATED), store, now=now)
    return done + _forget(calls, store, now=now)


def _forget(rows: QuerySet[Any], store: AnswerStore, *, now: datetime) -> int:
    """An item that has changed meanwhile stays, and so does its row; the next run sees it as it is then."""
    rest, done = iter(list(rows.order_by())), 0
    while batch := list(islice(rest, BATCH)):
        with ThreadPoolExecutor(8, thread_name_prefix="forgotten") as pool:
            gone = list(
                pool.map(lambda row: store.forget(_item_pk(row), version=row.version, now_ms=epoch_ms(now)), batch)
            )
        done += _delete(
            rows.model.objects.filter(pk__in=[row.pk for row, is_gone in zip(batch, gone, strict=True) if is_gone])
        )
    return done


def _item_pk(row: Any) -> str:
    return answer_pk(row.key) if isinstance(row, CachedAnswer) else call_pk(row.contact_id, row.key)


def _delete(rows: QuerySet[Any]) -> int:
    """In batches, so that no transaction grows with the table."""
    deleted = 0
    while pks := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        if rows.model is CachedAnswer:
            blank_history(pks)
        if rows.model is ReviewItem:
            _blank_log(ReviewItem, pks)
        deleted += rows.model.objects.filter(pk__in=pks).delete()[1].get(rows.model._meta.label, 0)
    return deleted


def blank_history(pks: Iterable[int]) -> None:
    """The admin notes a question's words beside every change of its answer, and keeps its texts: these go, who did what when
    stays."""
    pks = list(pks)
    AnswerVersion.objects.filter(answer__in=pks).delete()
    _blank_log(CachedAnswer, pks)


def _blank_log(model: type[Model], pks: Iterable[int]) -> None:
    kind = ContentType.objects.get_for_model(model)
    noted = LogEntry.objects.filter(content_type=kind, object_id__in=[str(pk) for pk in pks])
    noted.update(object_repr="erased", change_message="")
