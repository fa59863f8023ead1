"""The task history of django-celery-results."""

from __future__ import annotations

from datetime import datetime

from django_celery_results.models import TaskResult

BATCH = 1_000


def forget_old_results(*, older_than: datetime) -> int:
    """Deletes results in batches, so that no transaction grows with the table; how many."""
    deleted = 0
    while pks := list(TaskResult.objects.filter(date_done__lt=older_than).values_list("pk", flat=True)[:BATCH]):
        deleted += TaskResult.objects.filter(pk__in=pks).delete()[0]
    return deleted
