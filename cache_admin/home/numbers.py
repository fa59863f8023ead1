"""The first page's numbers, in groups, each with the address of the rows that it counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.admin import site
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from cache_admin.amounts import show_count, show_decimal, show_duration, show_seconds
from cache_admin.home import figures
from cache_admin.home.figures import HOUR, SILENT_AFTER, LastHour
from cache_admin.home.silence import find_longest_gap
from cache_admin.home.worth import find_used, price
from cache_admin.models import ApprovedAnswer, CachedAnswer, ReviewItem
from cache_admin.review.caring import count_reviews_due
from cache_admin.services.drift import count_drifted
from cache_admin.services.parked import count_parked

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Number:
    """A number, and the rows behind it; `tone` is good, busy, bad or plain."""

    name: str
    value: str
    label: str
    url: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Group:
    """Numbers under one heading."""

    name: str
    title: str
    numbers: tuple[Number, ...]


def list_groups(user: Any, callers: int, hour: LastHour, *, now: datetime) -> list[Group]:
    """Who and what waits, how the last hour went, and what it cost."""
    return [
        Group("now", _("What waits"), (*_list_present(callers, now), *_list_chores(user, now))),
        Group("hour", _("The last hour"), (*_list_kinds(hour, now), *_list_bad_ends(hour, now))),
        Group("worth", _("What the last hour cost, and what was saved"), tuple(_list_worth(user, hour, now))),
    ]


def _find(model: str, **chosen: Any) -> str:
    """The list of these rows."""
    url = reverse(f"admin:cache_admin_{model}_changelist")
    return f"{url}?{urlencode(chosen)}" if chosen else url


def _since(now: datetime) -> dict[str, str]:
    return {"asked_at__gte": localtime(now - HOUR).isoformat()}


def _list_present(callers: int, now: datetime) -> Iterator[Number]:
    seen = localtime(now - SILENT_AFTER).isoformat()
    url = _find("call", outcome__exact="waiting", last_seen_at__gte=seen)
    yield Number("waiting", show_count(callers), _("waiting now"), url, "busy" if callers else "plain")
    generating = figures.count_generating(now=now)
    changed = localtime(now - HOUR).isoformat()
    url = _find("cachedanswer", state__exact="PENDING", changed_at__gte=changed)
    yield Number("generating", show_count(generating), _("being generated"), url)


def _list_bad_ends(hour: LastHour, now: datetime) -> Iterator[Number]:
    labels = {
        "abandoned": _("hung up while waiting"),
        "timed_out": _("patience spent"),
        "failed": _("failed"),
        "busy": _("too busy"),
    }
    for name, label in labels.items():
        count = hour.unhappy[name]
        url = _find("call", outcome__exact=name, **_since(now))
        yield Number(name, show_count(count), label, url, "bad" if count else "plain")


def _list_kinds(hour: LastHour, now: datetime) -> Iterator[Number]:
    since = _since(now)
    yield Number("calls", show_count(hour.calls), _("calls"), _find("call", **since))
    rate = NOTHING if hour.hit_percent is None else f"{hour.hit_percent} %"
    yield Number("hit_rate", rate, _("answered at once"), _find("call", source__in="hit,curated", **since))
    heard = _find("call", first_words_at__isnull="False", **since)
    yield Number("first_words", _seconds(hour.median_seconds), _("to the first words, median"), heard)
    yield Number("first_words_p95", _seconds(hour.p95_seconds), _("to the first words, 95 of 100"), heard)
    yield _show_gap(now)
    labels = {
        "hit": _("known answers"),
        "joined": _("joined another's wait"),
        "generated": _("generated for the caller"),
        "curated": _("a supervisor's text"),
        "incident": _("incident text"),
    }
    for name, label in labels.items():
        yield Number(name, show_count(hour.kinds[name]), label, _find("call", source__exact=name, **since))


def _show_gap(now: datetime) -> Number:
    gap = find_longest_gap(now=now)
    label = _("longest without anything new")
    if gap is None:
        return Number("longest_gap", NOTHING, label, _find("call", **_since(now)))
    return Number(
        "longest_gap", show_seconds(gap.seconds), label, reverse("admin:cache_admin_call_change", args=[gap.call_pk])
    )


def _list_worth(user: Any, hour: LastHour, now: datetime) -> Iterator[Number]:
    used = find_used(now=now)
    hour_ago = localtime(now - HOUR).isoformat()
    made = _find(
        "cachedanswer",
        source__exact=CachedAnswer.Source.GENERATED.value,
        finished_at__gte=hour_ago,
        changed_at__gte=hour_ago,
    )
    known = _find("call", source__in="hit,joined", **_since(now))
    yield _show_money(user, "cost", price(used), _("spent on answers"), made)
    yield _show_money(user, "money_saved", price(hour.tokens_by_model), _("not spent again"), known, tone="good")
    tokens = sum(read + written for read, written in used.values())
    yield Number("tokens", show_count(tokens), _("tokens used"), made)
    yield Number("tokens_saved", show_count(hour.tokens_saved), _("tokens not paid for again"), known, "good")
    yield Number("saved", show_duration(hour.seconds_saved), _("of waiting saved"), known, "good")


def _show_money(user: Any, name: str, dollars: Decimal | None, label: str, url: str, *, tone: str = "plain") -> Number:
    """Without prices it leads to where they are entered, for those who may see it."""
    if dollars is not None:
        return Number(name, f"${show_decimal(dollars, 2)}", label, url, tone)
    limits = _find("modellimit") if user.has_perm("cache_admin.view_modellimit") else url
    return Number(name, NOTHING, _("%s (no prices entered)") % label, limits)


def _list_chores(user: Any, now: datetime) -> Iterator[Number]:
    yield from _list_reviews(user, now)
    if user.has_perm("cache_admin.view_parkedmessage"):
        parked = count_parked()
        yield Number("parked", show_count(parked), _("parked questions"), _find("parkedmessage"), _alarm(parked))
    if user.has_perm("cache_admin.view_reconciliation") and (drifted := count_drifted()) is not None:
        yield Number("drift", show_count(drifted), _("rows of drift"), _find("reconciliation"), _alarm(drifted))


def _list_reviews(user: Any, now: datetime) -> Iterator[Number]:
    counts: Mapping[str, int] = count_reviews_due(user, now=now)
    shown = {
        "in_review": (ReviewItem, _("answers to review"), {"state": ReviewItem.State.IN_REVIEW.value}),
        "due": (ApprovedAnswer, _("approved texts to verify"), {"due": "now"}),
    }
    for name, (kind, label, chosen) in shown.items():
        model = str(kind._meta.model_name)
        if user.has_perm(f"cache_admin.view_{model}") and site.is_registered(kind):
            count = counts[name]
            yield Number(name, show_count(count), label, _find(model, **chosen), "busy" if count else "plain")


def _alarm(count: int) -> str:
    return "bad" if count else "plain"


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else show_seconds(value)
