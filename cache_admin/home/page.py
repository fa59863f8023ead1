"""The first page's content, once for the page and every few seconds for those who keep it open."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import localtime
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from cache_admin.amounts import show_count, show_duration, show_seconds
from cache_admin.home import figures
from cache_admin.home.figures import HOUR, LastHour, Waiting
from cache_admin.home.health import find_signs
from cache_admin.people.scope import name_scope
from cache_admin.services.drift import count_drifted
from cache_admin.services.parked import count_parked

SIGNS_SECONDS, CHART_SECONDS = 10, 30  # how long what is dear to find out is good enough
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Number:
    """A number, and the rows behind it; `tone` is good, busy, bad or plain."""

    name: str
    value: str
    label: str
    url: str
    tone: str = "plain"


def describe_now(user: Any, *, now: datetime) -> dict[str, Any]:
    """What this person may see of it, ready for JSON; empty for who may not see calls."""
    if not user.has_perm("cache_admin.view_call"):
        return {}
    callers, waiting = figures.find_waiting(now=now)
    hour = figures.sum_up_hour(now=now)
    signs = f"home.signs.{get_language()}"  # they are told in words
    return {
        "numbers": [asdict(number) for number in _list_numbers(user, callers, hour, now)],
        "waiting": [_describe_waiting(row) for row in waiting],
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


def _list_numbers(user: Any, callers: int, hour: LastHour, now: datetime) -> list[Number]:
    calls, answers = reverse("admin:cache_admin_call_changelist"), reverse("admin:cache_admin_cachedanswer_changelist")
    since = {"asked_at__gte": localtime(now - HOUR).isoformat()}

    def of(kind: str, value: int, label: str, field: str, *, tone: str = "plain") -> Number:
        url = f"{calls}?{urlencode({f'{field}__exact': kind, **since})}"
        return Number(kind, show_count(value), label, url, tone if value else "plain")

    generating = figures.count_generating(now=now)
    hit_rate = NOTHING if hour.hit_percent is None else f"{hour.hit_percent} %"
    median, p95 = _seconds(hour.median_seconds), _seconds(hour.p95_seconds)
    every = f"{calls}?{urlencode(since)}"
    numbers = [
        Number(
            "waiting",
            show_count(callers),
            _("waiting now"),
            f"{calls}?outcome__exact=waiting",
            "busy" if callers else "plain",
        ),
        Number("generating", show_count(generating), _("being generated"), f"{answers}?state__exact=PENDING"),
        Number("calls", show_count(hour.calls), _("calls in the last hour"), every),
        Number(
            "hit_rate", hit_rate, _("answered at once"), f"{calls}?{urlencode({'source__in': 'hit,curated', **since})}"
        ),
        Number("first_words", median, _("to the first words, median"), every),
        Number("first_words_p95", p95, _("to the first words, 95 of 100"), every),
        of("joined", hour.kinds["joined"], _("joined another's wait"), "source"),
        of("generated", hour.kinds["generated"], _("generated for the caller"), "source"),
        of("curated", hour.kinds["curated"], _("a supervisor's text"), "source"),
        of("abandoned", hour.unhappy["abandoned"], _("hung up while waiting"), "outcome", tone="bad"),
        of("timed_out", hour.unhappy["timed_out"], _("patience spent"), "outcome", tone="bad"),
        of("failed", hour.unhappy["failed"], _("failed"), "outcome", tone="bad"),
        of("busy", hour.unhappy["busy"], _("too busy"), "outcome", tone="bad"),
        Number("saved", show_duration(hour.seconds_saved), _("of waiting saved"), every, "good"),
        Number("tokens_saved", show_count(hour.tokens_saved), _("tokens not paid for again"), every, "good"),
    ]
    return [*numbers, *_list_chores(user)]


def _list_chores(user: Any) -> list[Number]:
    found = []
    if user.has_perm("cache_admin.view_parkedmessage"):
        parked, url = count_parked(), reverse("admin:cache_admin_parkedmessage_changelist")
        found.append(Number("parked", show_count(parked), _("parked questions"), url, "bad" if parked else "plain"))
    if user.has_perm("cache_admin.view_reconciliation") and (drifted := count_drifted()) is not None:
        url = reverse("admin:cache_admin_reconciliation_changelist")
        found.append(Number("drift", show_count(drifted), _("rows of drift"), url, "bad" if drifted else "plain"))
    return found


def _describe_waiting(row: Waiting) -> dict[str, Any]:
    url = reverse("admin:cache_admin_cachedanswer_change", args=[row.answer_pk]) if row.answer_pk else ""
    return {
        "question": row.question or _("(not copied here yet)"),
        "topic": row.topic,
        "callers": ngettext("%d waiting on this", "%d waiting on this", row.callers) % row.callers,
        "longest": show_duration(row.longest_seconds),
        "url": url,
    }


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else show_seconds(value)
