"""The same lists as Django's documentation would have them made: counted, paged by number, filtered by plain columns, searched by LIKE."""

from __future__ import annotations

import time
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.test import RequestFactory

from benchmarks.admin.rows import COMMON, RARE
from benchmarks.measure import Say
from cache_admin.models import CachedAnswer, Call


class StockAnswers(admin.ModelAdmin):  # type: ignore[type-arg]  # takes none at run time
    """No thought given to size."""

    list_display = ("question", "topic", "language", "state", "source", "calls", "finished_at", "changed_at")
    list_filter = ("topic", "language", "state", "source", "pinned", "changed_at")
    search_fields = ("question", "chunks")
    date_hierarchy = "changed_at"
    ordering = ("-changed_at",)


class StockCalls(admin.ModelAdmin):  # type: ignore[type-arg]
    """The same for calls."""

    list_display = ("contact_id", "topic", "outcome", "source", "first_words_at", "prompts", "asked_at")
    list_filter = ("topic", "outcome", "source", "asked_at")
    search_fields = ("contact_id",)
    date_hierarchy = "asked_at"
    ordering = ("-asked_at",)


def time_defaults(*, count: int, say: Say) -> dict[str, list[float]]:
    """Milliseconds of the lists' most used pages."""
    site = admin.AdminSite("stock")
    answers, calls = StockAnswers(CachedAnswer, site), StockCalls(Call, site)
    wanted = {
        "cachedanswer_list": (answers, ""),
        "cachedanswer_by_topic_1": (answers, "topic=topic-a"),
        "cachedanswer_search_common": (answers, f"q={COMMON}"),
        "cachedanswer_search_rare": (answers, f"q={RARE}"),
        "cachedanswer_deep": (answers, f"p={CachedAnswer.objects.count() // 102}"),
        "call_list": (calls, ""),
        "call_by_outcome_1": (calls, "outcome__exact=answered"),
    }
    say("Django's defaults")
    return {name: [_time(model_admin, query) for _ in range(count)] for name, (model_admin, query) in wanted.items()}


def _time(model_admin: Any, query: str) -> float:
    request: Any = RequestFactory().get(f"/?{query}")
    request.user = User.objects.get(username="bench")
    began = time.perf_counter()
    model_admin.changelist_view(request).render()
    return (time.perf_counter() - began) * 1_000
