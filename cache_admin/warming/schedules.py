"""Batches that begin by themselves: what callers ask most is answered again before they come, before its time is over, or when it is."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django.utils.timezone import get_default_timezone, localtime
from django.utils.translation import gettext as _

from cache_admin.models import CachedAnswer, WarmBatch, WarmRow, WarmSchedule
from cache_admin.warming.batches import confirm, make_chosen_batch, make_renewal_batch
from connectgenai.wire.question import EVERYONE

LATE = timedelta(hours=2)  # a worker that was away at the time of day catches up so long
LOOKS_EVERY = timedelta(minutes=1)
When = WarmSchedule.When


def run_due(*, now: datetime) -> int:
    """Begins a batch for every schedule that is due and finds something to do; how many. Each time is taken once."""
    due = [schedule for schedule in WarmSchedule.objects.filter(enabled=True) if is_due(schedule, now=now)]
    return sum(_run(schedule, now=now) for schedule in due if _take(schedule, now=now))


def is_due(schedule: WarmSchedule, *, now: datetime) -> bool:
    """Whether its time has come and has not been taken."""
    last = schedule.last_run_at
    if schedule.when in (When.ENDED, When.ENDING):
        return last is None or now - last >= LOOKS_EVERY
    if schedule.at is None:
        return False
    begin = find_begin(schedule.at, now=now)
    is_day = str(localtime(begin).isoweekday()) in schedule.days
    return is_day and begin <= now < begin + LATE and (last is None or last < begin)


def find_begin(at: time, *, now: datetime) -> datetime:
    """Today's moment for a time of day of the installation's zone, in UTC: what is shown twice when the clocks are put back
    is the first of both, and what is left out in spring is as long after the hour that is left out."""
    here = localtime(now, get_default_timezone())
    return here.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0, fold=0).astimezone(UTC)


def _take(schedule: WarmSchedule, *, now: datetime) -> bool:
    seen = WarmSchedule.objects.filter(pk=schedule.pk, last_run_at=schedule.last_run_at, enabled=True)
    return bool(seen.update(last_run_at=now))


def _run(schedule: WarmSchedule, *, now: datetime) -> bool:
    """Whether there was anything to do; what is open of an earlier batch is not begun twice."""
    answers = _find_answers(schedule, now=now)
    if not answers:
        return False
    make = make_renewal_batch if schedule.when == When.ENDING else make_chosen_batch
    batch = make(answers, name=_("By schedule: %s") % schedule.topic, by=None, now=now)
    if confirm(batch, now=now):
        return True
    WarmBatch.objects.filter(pk=batch.pk).delete()  # all of them have good answers
    return False


def _find_answers(schedule: WarmSchedule, *, now: datetime) -> list[CachedAnswer]:
    found = find_most_asked(schedule.topic.name, schedule.most_asked)
    if schedule.when == When.ENDED:
        found = [answer for answer in found if _is_renewable(answer) and _ends_by(answer, now)]
    elif schedule.when == When.ENDING:
        soon = now + find_lead(schedule)
        found = [a for a in found if _is_renewable(a) and _is_good(a, schedule, now) and _ends_by(a, soon)]
    is_open = _find_open(schedule)
    return [answer for answer in found if answer.key not in is_open]


def find_most_asked(topic: str, count: int) -> list[CachedAnswer]:
    """So many of a topic's questions that everyone shares, those asked most often first."""
    shared = CachedAnswer.objects.filter(topic=topic, scope=EVERYONE, calls__gt=0)
    return list(shared.order_by("-calls", "-pk")[:count])


def find_lead(schedule: WarmSchedule) -> timedelta:
    """How long before its end an answer is renewed: not so long that a new one would be due again at once."""
    hours_good = min(schedule.topic.ttl_hours, schedule.topic.keep_days * 24)
    return min(timedelta(hours=schedule.hours_ahead), timedelta(hours=hours_good) / 2)


def _is_renewable(answer: CachedAnswer) -> bool:
    """A supervisor's text is never replaced by itself, and a failure is no answer."""
    is_models = answer.source == CachedAnswer.Source.GENERATED and not answer.pinned
    return is_models and answer.state == CachedAnswer.State.READY


def _is_good(answer: CachedAnswer, schedule: WarmSchedule, now: datetime) -> bool:
    return not answer.find_obstacle(topic_revision=schedule.topic.revision, now=now)


def _ends_by(answer: CachedAnswer, time: datetime) -> bool:
    return answer.expires_at is not None and answer.expires_at <= time


def _find_open(schedule: WarmSchedule) -> set[str]:
    """The keys of questions that a running batch has still before it."""
    states = (WarmRow.State.WAITING, WarmRow.State.SENT)
    open_rows = WarmRow.objects.filter(batch__state__in=(WarmBatch.State.RUNNING, WarmBatch.State.PAUSED))
    return set(open_rows.filter(state__in=states, topic=schedule.topic.name).values_list("key", flat=True))
