"""Filters whose choices are known without looking through the filtered table."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from cache_admin.models import Topic, TopicLanguage


class TopicFilter(admin.SimpleListFilter):
    """By topic."""

    title = _("topic")
    parameter_name = "topic"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """The topics there are."""
        return [(topic.name, str(topic)) for topic in Topic.objects.only("name", "title")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The topic's rows."""
        return queryset.filter(topic=self.value()) if self.value() else queryset


class LanguageFilter(admin.SimpleListFilter):
    """By language."""

    title = _("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """The languages in which any topic is offered."""
        languages = TopicLanguage.objects.order_by("language").values_list("language", flat=True).distinct()
        return [(language, language) for language in languages]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The language's rows."""
        return queryset.filter(language=self.value()) if self.value() else queryset
