"""The workers' task history, as django-celery-results keeps it: only to look at, and quick over many rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_celery_results.models import TASK_STATE_CHOICES, GroupResult, TaskResult

from cache_admin.admin.badges import badge
from cache_admin.admin.keyset import KeysetAdmin
from connectgenai.wire.request import FORGET_TASK, GENERATE_TASK, LEARN_TASK, LOOK_TASK, MIRROR_TASK, RECONCILE_TASK

admin.site.unregister([GroupResult, TaskResult])


class StatusFilter(admin.SimpleListFilter):
    """By status."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """The states that Celery writes down."""
        return list(TASK_STATE_CHOICES)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows in this state."""
        return queryset.filter(status=self.value()) if self.value() else queryset


class TaskFilter(admin.SimpleListFilter):
    """By task."""

    title = _("task")
    parameter_name = "task"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """The tasks that we have."""
        return [
            (name, name) for name in (GENERATE_TASK, MIRROR_TASK, LEARN_TASK, FORGET_TASK, LOOK_TASK, RECONCILE_TASK)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The task's rows."""
        return queryset.filter(task_name=self.value()) if self.value() else queryset


@admin.register(TaskResult)
class TaskResultAdmin(KeysetAdmin[TaskResult]):
    """One task's result a row."""

    list_display = ("task_id", "task_name", "status_badge", "worker", "date_done")
    list_filter = (StatusFilter, TaskFilter, "date_done")
    search_fields = ("=task_id",)
    search_help_text = _("A whole task id, which is the SQS message's id.")
    sortable_by = ("date_done",)
    ordering = ("-date_done",)
    readonly_fields = (
        "task_id",
        "task_name",
        "status_badge",
        "worker",
        "result",
        "traceback",
        "date_created",
        "date_done",
    )
    fields = readonly_fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Workers write these."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: TaskResult | None = None) -> bool:
        """What was, was."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: TaskResult | None = None) -> bool:
        """Housekeeping deletes these, in batches."""
        return False

    @admin.display(description=_("status"))
    def status_badge(self, result: TaskResult) -> SafeString:
        """How it went."""
        return badge(result.status, result.status)
