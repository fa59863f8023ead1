"""How callers fare: now, in the last hour, and hour by hour. Each query goes over an index and a small part of its table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q
from django.db.models.functions import TruncHour

from cache_admin.models import CachedAnswer, Call, Topic

HOUR = timedelta(hours=1)
MOST_SAMPLES, MOST_QUESTIONS, MOST_KEYS = 5_000, 8, 1_000
SILENT_AFTER = timedelta(minutes=2)  # a waiting caller's flow polls every few seconds
KINDS = {
    "hit": Q(source=Call.Source.HIT),
    "joined": Q(source=Call.Source.JOINED),
    "generated": Q(source=Call.Source.GENERATED),
    "curated": Q(source=Call.Source.CURATED),
    "incident": Q(source=Call.Source.INCIDENT),
}
UNHAPPY = {
    "abandoned": Q(outcome=Call.Outcome.ABANDONED),
    "timed_out": Q(outcome=Call.Outcome.TIMED_OUT),
    "failed": Q(outcome=Call.Outcome.FAILED),
    "busy": Q(outcome=Call.Outcome.BUSY),
}
_UNHAPPY_OUTCOMES = [Call.Outcome.ABANDONED, Call.Outcome.TIMED_OUT, Call.Outcome.FAILED, Call.Outcome.BUSY]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One question that callers wait for."""

    key: str
    answer_pk: int | None  # of its row, if it is mirrored already
    topic: str
    question: str
    callers: int
    longest_seconds: int


@dataclass(frozen=True, slots=True)
class LastHour:
    """Calls by what came of them, and the seconds to their first words; None where there is nothing to count."""

    calls: int
    kinds: dict[str, int]
    unhappy: dict[str, int]
    median_seconds: float | None
    p95_seconds: float | None
    seconds_saved: int
    tokens_by_model: dict[str, tuple[int, int]]  # read and written, of those answers that were not made again

    @property
    def tokens_saved(self) -> int:
        """Read and written, of all models."""
        return sum(read + written for read, written in self.tokens_by_model.values())

    @property
    def hit_percent(self) -> int | None:
        """Calls that were answered from what was known."""
        known = self.kinds["hit"] + self.kinds["curated"]
        return round(100 * known / self.calls) if self.calls else None


def find_waiting(*, now: datetime) -> tuple[int, list[Waiting]]:
    """How many callers wait, and the questions that most of them wait for."""
    waiting = Call.objects.filter(outcome=Call.Outcome.WAITING, last_seen_at__gte=now - SILENT_AFTER)
    groups = list(
        waiting.values("key", "topic")
        .annotate(callers=Count("pk"), since=Min("asked_at"))
        .order_by("-callers", "since")
    )
    shown = groups[:MOST_QUESTIONS]
    answers = CachedAnswer.objects.only("pk", "key", "question").in_bulk([g["key"] for g in shown], field_name="key")
    found = [
        Waiting(
            key=group["key"],
            answer_pk=answers[group["key"]].pk if group["key"] in answers else None,
            topic=group["topic"],
            question=answers[group["key"]].question if group["key"] in answers else "",
            callers=group["callers"],
            longest_seconds=max(int((now - group["since"]).total_seconds()), 0),
        )
        for group in shown
    ]
    return sum(group["callers"] for group in groups), found


def sum_up_hour(*, now: datetime) -> LastHour:
    """The last sixty minutes."""
    recent = Call.objects.filter(asked_at__gte=now - HOUR)
    counted = recent.aggregate(
        calls=Count("pk"), **{name: Count("pk", filter=which) for name, which in {**KINDS, **UNHAPPY}.items()}
    )
    delays = _find_delays(recent)
    seconds, tokens = _count_saved(recent)
    return LastHour(
        calls=counted["calls"],
        kinds={name: counted[name] for name in KINDS},
        unhappy={name: counted[name] for name in UNHAPPY},
        median_seconds=_percentile(delays, 0.5),
        p95_seconds=_percentile(delays, 0.95),
        seconds_saved=seconds,
        tokens_by_model=tokens,
    )


def _find_delays(recent: Any) -> list[float]:
    heard = recent.filter(first_words_at__isnull=False).order_by("-asked_at")
    return sorted(
        (first - asked).total_seconds()
        for asked, first in heard.values_list("asked_at", "first_words_at")[:MOST_SAMPLES]
    )


def _percentile(ordered: list[float], share: float) -> float | None:
    return ordered[min(math.ceil(share * len(ordered)), len(ordered)) - 1] if ordered else None


def _count_saved(recent: Any) -> tuple[int, dict[str, tuple[int, int]]]:
    """Seconds that callers did not wait, and tokens that were not paid for: what each known or joined answer once took."""
    saved = recent.filter(source__in=(Call.Source.HIT, Call.Source.JOINED))
    counts = (
        saved.values("key")
        .annotate(calls=Count("pk"), hits=Count("pk", filter=Q(source=Call.Source.HIT)))
        .order_by("-calls")[:MOST_KEYS]
    )
    by_key = {group["key"]: group for group in counts}
    seconds: float = 0
    tokens: dict[str, tuple[int, int]] = {}
    for answer in CachedAnswer.objects.filter(key__in=by_key).only(
        "key", "model", "started_at", "first_chunk_at", "input_tokens", "output_tokens"
    ):
        group = by_key[answer.key]
        if answer.started_at and answer.first_chunk_at:
            seconds += group["hits"] * max((answer.first_chunk_at - answer.started_at).total_seconds(), 0)
        read, written = tokens.get(answer.model, (0, 0))
        calls = group["calls"]
        tokens[answer.model] = (read + calls * answer.input_tokens, written + calls * answer.output_tokens)
    return round(seconds), tokens


def count_hours(*, now: datetime, topic: str = "", hours: int = 24) -> list[dict[str, Any]]:
    """Calls by kind in each of the last hours, the oldest first; those without any call too."""
    first = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours - 1)
    calls = Call.objects.filter(asked_at__gte=first, **({"topic": topic} if topic else {}))
    rows = (
        calls.order_by()
        .annotate(hour=TruncHour("asked_at", tzinfo=UTC))
        .values("hour")
        .annotate(
            calls=Count("pk"),
            known=Count("pk", filter=KINDS["hit"] | KINDS["curated"] | KINDS["incident"]),
            joined=Count("pk", filter=KINDS["joined"]),
            generated=Count("pk", filter=KINDS["generated"]),
            unhappy=Count("pk", filter=Q(outcome__in=_UNHAPPY_OUTCOMES)),
        )
    )
    by_hour = {row["hour"]: row for row in rows}
    moments = [first + timedelta(hours=number) for number in range(hours)]
    nothing = {"calls": 0, "known": 0, "joined": 0, "generated": 0, "unhappy": 0}
    return [{**nothing, **by_hour.get(moment, {}), "hour": moment} for moment in moments]


def count_generating(*, now: datetime) -> int:
    """Answers in the making."""
    return CachedAnswer.objects.filter(state=CachedAnswer.State.PENDING, changed_at__gte=now - HOUR).count()


def find_topics() -> list[tuple[str, str]]:
    """Names and titles, for the chart's choice."""
    return [(topic.name, str(topic)) for topic in Topic.objects.only("name", "title")]
