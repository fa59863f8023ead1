"""The first page's content, once for the page and every few seconds for those who keep it open."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import localtime
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from cache_admin.amounts import show_duration
from cache_admin.home import figures
from cache_admin.home.figures import SILENT_AFTER, Waiting
from cache_admin.home.health import find_signs
from cache_admin.home.numbers import list_groups
from cache_admin.people.scope import name_scope

SIGNS_SECONDS, CHART_SECONDS = 10, 30  # how long what is dear to find out is good enough


def describe_now(user: Any, *, now: datetime) -> dict[str, Any]:
    """What this person may see of it, ready for JSON; empty for who may not see calls."""
    if not user.has_perm("cache_admin.view_call"):
        return {}
    callers, waiting = figures.find_waiting(now=now)
    hour = figures.sum_up_hour(now=now)
    signs = f"home.signs.{get_language()}"  # they are told in words
    return {
        "groups": [asdict(group) for group in list_groups(user, callers, hour, now=now)],
        "waiting": [_describe_waiting(row, now) for row in waiting],
        "signs": cache.get_or_set(signs, lambda: [asdict(sign) for sign in find_signs(now=now)], SIGNS_SECONDS),
        "at": localtime(now).strftime("%H:%M:%S %Z"),
    }


def describe_hours(user: Any, *, now: datetime, topic: str) -> dict[str, Any]:
    """The chart of the last day: labels and one list of numbers for each kind of call."""
    if not user.has_perm("cache_admin.view_call"):
        return {}
    rows: list[dict[str, Any]] = cache.get_or_set(  # type: ignore[assignment]  # never None: a default is given
        f"home.hours.{name_scope(user)}.{topic[:40]}",
        lambda: figures.count_hours(now=now, topic=topic[:40]),
        CHART_SECONDS,
    )
    kinds = {
        "known": _("answered at once"),
        "joined": _("joined another's wait"),
        "generated": _("generated"),
        "unhappy": _("hung up, failed or too late"),
    }
    return {
        "labels": _label([localtime(row["hour"]) for row in rows]),
        "series": [{"kind": kind, "label": label, "values": [r[kind] for r in rows]} for kind, label in kinds.items()],
    }


def _label(hours: list[datetime]) -> list[str]:
    """The times of day; with the zone on a day on which the clocks change, when an hour comes twice."""
    pattern = "%H:%M" if len({hour.utcoffset() for hour in hours}) == 1 else "%H:%M %Z"
    return [hour.strftime(pattern) for hour in hours]


def _describe_waiting(row: Waiting, now: datetime) -> dict[str, Any]:
    seen = localtime(now - SILENT_AFTER).isoformat()
    chosen = {"key__exact": row.key, "outcome__exact": "waiting", "last_seen_at__gte": seen}
    url = reverse("admin:cache_admin_cachedanswer_change", args=[row.answer_pk]) if row.answer_pk else ""
    return {
        "question": row.question or _("(not copied here yet)"),
        "topic": row.topic,
        "callers": ngettext("%d waiting on this", "%d waiting on this", row.callers) % row.callers,
        "longest": show_duration(row.longest_seconds),
        "url": url,
        "calls_url": f"{reverse('admin:cache_admin_call_changelist')}?{urlencode(chosen)}",
    }
