"""Switching incident texts on and off. DynamoDB is what callers hear; a row says beforehand what is about to be written.

A topic has one incident text at a time: the database refuses a second, whoever asks for it at the same moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from cache_admin.mapping import epoch_ms
from cache_admin.models import Incident, IncidentTopic
from cache_admin.services.mirror import apply_items
from connectgenai.wire.speech import make_speakable, split_chunks
from connectgenai.wire.store import AnswerStore, StoreError

State = IncidentTopic.State
HELD = (State.WANTED, State.ON)


class TopicTakenError(Exception):
    """Another incident text is on for these topics; `rows` are theirs."""

    def __init__(self, rows: Sequence[IncidentTopic]) -> None:
        super().__init__(", ".join(row.topic for row in rows))
        self.rows = list(rows)


def make_chunks(text: str) -> list[str]:
    """The parts in which the text is spoken; none for a text without words."""
    speakable = make_speakable(text)
    return split_chunks(speakable) if any(letter.isalnum() for letter in speakable) else []


def find_running(*, now: datetime) -> QuerySet[Incident]:
    """The incidents that callers may hear now, the latest first."""
    return Incident.objects.filter(ended_at=None, until__gt=now)


def start_incident(
    text: str,
    *,
    keys: Mapping[str, Sequence[str]],
    questions: Sequence[str] = (),
    until: datetime,
    store: AnswerStore,
    user: Any,
    now: datetime,
) -> Incident:
    """Switches a text on for topics; `keys` holds a topic's questions by its name, none for all of them.

    TopicTakenError: nothing was done. StoreError: it is on nowhere, and ended already. When DynamoDB fails half-way, the
    incident's rows say where it is on.
    """
    _let_go_of_lapsed(now)
    incident = _note(text, keys, questions, until, user, now)
    if _switch_on(incident, incident.topics.all(), store=store, now=now):
        return incident
    Incident.objects.filter(pk=incident.pk).update(ended_at=now, ended_by=user)
    raise StoreError("the incident text is on nowhere", retryable=True)


def _let_go_of_lapsed(now: datetime) -> None:
    IncidentTopic.objects.filter(state__in=HELD, incident__until__lte=now).update(state=State.OFF)


def _note(
    text: str, keys: Mapping[str, Sequence[str]], questions: Sequence[str], until: datetime, user: Any, now: datetime
) -> Incident:
    try:
        with transaction.atomic():
            incident = Incident.objects.create(
                text=text, questions=list(questions), started_at=now, started_by=user, until=until
            )
            for topic in sorted(keys):
                IncidentTopic.objects.create(incident=incident, topic=topic, keys=list(keys[topic]))
            return incident
    except IntegrityError as error:
        raise TopicTakenError(find_taken(keys)) from error


def find_taken(topics: Iterable[str], *, but: Incident | None = None) -> list[IncidentTopic]:
    """The rows by which other incidents hold these topics."""
    rows = IncidentTopic.objects.filter(topic__in=list(topics), state__in=HELD).select_related("incident")
    return list(rows.exclude(incident=but) if but else rows)


def _switch_on(incident: Incident, rows: Iterable[IncidentTopic], *, store: AnswerStore, now: datetime) -> bool:
    """Whether any row is on; after the first failure the others are not tried: whoever waits wants to know."""
    chunks, is_down, any_on = make_chunks(incident.text), False, False
    for row in rows:
        is_down = is_down or not _write(incident, row, chunks, store=store, now=now)
        row.state = State.FAILED if is_down else State.ON
        row.save(update_fields=["state"])
        any_on = any_on or not is_down
    return any_on


def _write(incident: Incident, row: IncidentTopic, chunks: Sequence[str], *, store: AnswerStore, now: datetime) -> bool:
    try:
        item = store.set_incident(
            row.topic,
            incident_id=str(incident.pk),
            chunks=chunks,
            until_ms=epoch_ms(incident.until),
            keys=row.keys,
            now_ms=epoch_ms(now),
        )
    except StoreError:
        return False
    apply_items([item])
    return True


def resume_incident(incident: Incident, *, store: AnswerStore, now: datetime) -> list[IncidentTopic]:
    """Tries the topics again that are not on; those that still are not. TopicTakenError when another incident has one."""
    rows = list(incident.topics.filter(state__in=(State.WANTED, State.FAILED)))
    taken = find_taken((row.topic for row in rows), but=incident)
    if taken:
        raise TopicTakenError(taken)
    _switch_on(incident, rows, store=store, now=now)
    return list(incident.topics.filter(state=State.FAILED))


def prolong_incident(incident: Incident, *, until: datetime, store: AnswerStore, now: datetime) -> list[IncidentTopic]:
    """Gives a running text another end; the rows for which the earlier end holds, because DynamoDB failed half-way.

    These count as not on, so that they can be tried again. StoreError: nothing has changed.
    """
    rows, earlier = list(incident.topics.filter(state=State.ON)), incident.until
    incident.until = until
    done = 0
    for row in rows:
        if not _write(incident, row, make_chunks(incident.text), store=store, now=now):
            break
        done += 1
    if rows and not done:
        incident.until = earlier
        raise StoreError("the earlier end holds", retryable=True)
    Incident.objects.filter(pk=incident.pk, ended_at=None).update(until=until)
    left = [row.pk for row in rows[done:]]
    IncidentTopic.objects.filter(pk__in=left).update(state=State.FAILED)
    return list(IncidentTopic.objects.filter(pk__in=left))


def end_incident(incident: Incident, *, store: AnswerStore, user: Any, now: datetime) -> list[IncidentTopic]:
    """Switches the text off everywhere; the rows that are still on, because DynamoDB did not serve.

    Topics where switching on failed are cleared too: a write whose reply was lost may have been done after all.
    """
    rows = incident.topics.exclude(state=State.OFF)
    taken = {row.topic for row in find_taken((row.topic for row in rows), but=incident)}
    for row in rows:
        if row.topic not in taken and not _write(incident, row, (), store=store, now=now):
            break
        row.state = State.OFF
        row.save(update_fields=["state"])
    still_on = list(incident.topics.filter(state__in=HELD))
    if not incident.topics.exclude(state=State.OFF).exists():
        Incident.objects.filter(pk=incident.pk, ended_at=None).update(ended_at=now, ended_by=user)
    return still_on
