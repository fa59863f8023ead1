"""What is kept for a while only: the task history, and the mirrors of what DynamoDB has deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django_celery_results.models import TaskResult

from cache_admin.models import CachedAnswer, Call

BATCH = 1_000


def forget_old_results(*, older_than: datetime) -> int:
    """Deletes old task results; how many."""
    return _delete(TaskResult.objects.filter(date_done__lt=older_than))


def forget_purged(*, now: datetime) -> int:
    """Deletes answers and calls that are past the time DynamoDB keeps them; how many."""
    return _delete(CachedAnswer.objects.filter(purge_at__lt=now)) + _delete(Call.objects.filter(purge_at__lt=now))


def _delete(rows: QuerySet[Any]) -> int:
    """In batches, so that no transaction grows with the table."""
    deleted = 0
    while pks := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        deleted += rows.model.objects.filter(pk__in=pks).delete()[0]
    return deleted
