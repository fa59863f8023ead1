"""Questions on which callers waited in vain, or for long: counted from the mirrored calls, by question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Func, QuerySet, Sum, Value
from django.db.models.fields import FloatField
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from cache_admin.models import CachedAnswer, Call, Topic

# What each reason counts; the column has an index that ends in the time of asking
MISSED, FAILED, ABANDONED, TIMED_OUT, BUSY = "missed", "failed", "abandoned", "timed_out", "busy"
REASONS = {
    MISSED: _("no answer was ready"),
    FAILED: _("failed"),
    ABANDONED: _("hung up while waiting"),
    TIMED_OUT: _("patience spent"),
    BUSY: _("too busy"),
}
# Who was answered after all, or hung up while listening, yet had to wait for a generation
_HEARD = (Call.Outcome.ANSWERED, Call.Outcome.LISTENING, Call.Outcome.LEFT, Call.Outcome.WAITING)
# One query each: so every one of them reads the newest calls from an index, and stops
_KINDS: dict[str, list[dict[str, Any]]] = {
    MISSED: [{"source": source, "outcome__in": _HEARD} for source in (Call.Source.GENERATED, Call.Source.JOINED)],
    **{name: [{"outcome": name}] for name in (FAILED, ABANDONED, TIMED_OUT, BUSY)},
}
# The newest calls of each reason that are looked at: what keeps the page quick however many calls there are
LOOKED_AT = 5_000


@dataclass(slots=True)
class Missed:
    """One question and its callers; `seconds` is what they waited for first words, all together."""

    key: str
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    answer: CachedAnswer | None = None

    def add(self, reason: str, callers: int, seconds: float) -> None:
        """Counts calls of one reason."""
        self.counts[reason] = self.counts.get(reason, 0) + callers
        self.seconds += max(seconds, 0.0)

    @property
    def callers(self) -> int:
        """How many calls it is about."""
        return sum(self.counts.values())

    @property
    def abandoned(self) -> int:
        """How many callers hung up before they heard anything."""
        return self.counts.get(ABANDONED, 0)

    @property
    def score(self) -> float:
        """callers x (1 + seconds that one waited on average) x (1 + abandoned): ones, so that nothing makes the rest naught."""
        return self.callers * (1 + self.seconds / self.callers) * (1 + self.abandoned) if self.callers else 0.0

    @property
    def reasons(self) -> list[tuple[str, Any, int]]:
        """(reason, its words, calls), most first."""
        found = sorted(self.counts.items(), key=lambda counted: -counted[1])
        return [(reason, REASONS[reason], count) for reason, count in found]

    @property
    def may_warm(self) -> bool:
        """Whether its answer would be every caller's."""
        return self.answer is not None and self.answer.is_shared


@dataclass(frozen=True, slots=True)
class MissedList:
    """Ranked, worst first; `is_capped` when there were more calls than are looked at."""

    rows: list[Missed]
    is_capped: bool


class _SecondsBetween(Func):
    """Seconds from one time to another, computed by the database itself."""

    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """SQLite keeps times as text."""
        template = "((julianday(%(expressions)s)) * 86400.0)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=") - julianday(", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """An interval's seconds."""
        template = "EXTRACT(EPOCH FROM (%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ", **context)


def find_missed(
    *, since: datetime, until: datetime, topic: str = "", language: str = "", reason: str = ""
) -> MissedList:
    """What callers missed within the window, by question; of the newest 5,000 calls of each reason."""
    found: dict[str, Missed] = {}
    is_capped = False
    window = Call.objects.filter(asked_at__gte=since, asked_at__lt=until).order_by("-asked_at", "-pk")
    wanted = {name: value for name, value in (("topic", topic), ("language", language)) if value}
    for name in [reason] if reason in REASONS else REASONS:
        for kind in _KINDS[name]:
            calls = window.filter(**kind)
            is_capped |= calls[LOOKED_AT : LOOKED_AT + 1].exists()
            for key, callers, seconds in _count(calls, wanted):
                found.setdefault(key, Missed(key)).add(name, callers, seconds or 0.0)
    ranked = sorted(found.values(), key=lambda missed: (-missed.score, missed.key))
    return MissedList(ranked, is_capped)


def _count(calls: QuerySet[Call], wanted: dict[str, str]) -> Iterator[tuple[str, int, float | None]]:
    """By question. Topic and language narrow what is looked at, not what is looked for: no index leads to them."""
    newest = calls.values("pk")[:LOOKED_AT]
    # hidden in a function, or the database would walk all of the topic's calls instead of these few
    hidden = {f"plain_{name}": Coalesce(name, Value("")) for name in wanted}
    narrowed = {f"plain_{name}": value for name, value in wanted.items()}
    waited = Sum(_SecondsBetween(Coalesce("first_words_at", "ended_at", "last_seen_at"), "asked_at"))
    counted = (
        Call.objects.alias(**hidden)
        .filter(pk__in=newest, **narrowed)
        .order_by()
        .values("key")
        .annotate(callers=Count("pk"), waited=waited)
    )
    yield from counted.values_list("key", "callers", "waited")


def add_answers(rows: list[Missed]) -> list[Missed]:
    """The same rows with their answers and those topics' revisions, in two queries; a forgotten question is left out."""
    answers = {answer.key: answer for answer in CachedAnswer.objects.filter(key__in=[row.key for row in rows])}
    names = {answer.topic for answer in answers.values()}
    revisions = dict(Topic.objects.filter(name__in=names).values_list("name", "revision"))
    for answer in answers.values():
        answer.topic_revision = revisions.get(answer.topic, 0)  # type: ignore[attr-defined]  # so that nobody asks again
    for row in rows:
        row.answer = answers.get(row.key)
    return [row for row in rows if row.answer is not None]
