"""Calls under way: each runs on two threads of the process that began it, and is followed through the database.

A site has several processes, and the page's next request may reach any of them. So the call writes its events into rows,
from where every process can answer the page, and reads from rows what the caller does. docs/phone.md says why.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import close_old_connections
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cache_admin.models import PhoneCall, PhoneEvent, PhoneSign
from cache_admin.phone.runner_words import tell_event
from cache_admin.phone.storable import make_storable
from flows.live_call import LiveCall

log = logging.getLogger(__name__)

MOST_CALLS: Final = 8
MOST_CALLS_OF_ONE: Final = 2
TICK_SECONDS: Final = 0.2
# The page looks three times a second; when it has not for so long, nobody listens any more
GONE_AFTER: Final = timedelta(seconds=15)
NOTED_EVERY: Final = timedelta(seconds=2)
# A process that ends takes its calls with it: they are over when nothing was heard of them for so long
LOST_AFTER: Final = timedelta(seconds=10)
# A caller's words are not kept for longer than it takes to look at them
KEPT_FOR: Final = timedelta(hours=1)
KEY, SAY = "key", "say"


class TooManyCallsError(Exception):
    """No call can begin now; the message says why."""


@dataclass(frozen=True, slots=True)
class Running:
    """A call and what follows it: how many seconds it has lasted, and what is to be put right when it is over."""

    row: PhoneCall
    live: LiveCall
    count_seconds: Callable[[], float]
    undo: ExitStack


def open_call(user: AbstractBaseUser, *, contact_id: uuid.UUID, now: datetime) -> PhoneCall:
    """The row of a call that is about to begin. TooManyCallsError; two at the same moment may make it one too many."""
    forget_old(now)
    running = find_running(now)
    if running.filter(user_id=user.pk).count() >= MOST_CALLS_OF_ONE:
        raise TooManyCallsError(_("You are on the phone already, in another window. Hang up there first."))
    if running.count() >= MOST_CALLS:
        raise TooManyCallsError(_("All lines are busy. Try again in a minute."))
    return PhoneCall.objects.create(user_id=user.pk, contact_id=contact_id, began_at=now, looked_at=now, ticked_at=now)


def forget_old(now: datetime) -> None:
    """Deletes the calls that nobody looks at any more, with what was said in them."""
    PhoneCall.objects.filter(began_at__lt=now - KEPT_FOR).delete()


def find_running(now: datetime) -> QuerySet[PhoneCall]:
    """The calls that are neither over nor lost."""
    return PhoneCall.objects.filter(ended_at=None, ticked_at__gte=now - LOST_AFTER)


def run_beside(running: Running) -> None:
    """Starts the call, and a thread that keeps it and its rows in step.

    That thread holds no database connection while nothing happens: a pool has few.
    """
    running.live.start()
    threading.Thread(target=follow, args=(running, close_old_connections), name="phone", daemon=True).start()


def follow(running: Running, rest: Callable[[], None]) -> None:
    """Keeps the call and its rows in step until it is over, and puts right what was made to go wrong."""
    try:
        with running.undo:
            keep_in_step(running, rest)
    except Exception:
        log.exception("The call %s broke off", running.row.pk)
    finally:
        running.live.hang_up()
        rest()


def keep_in_step(running: Running, rest: Callable[[], None] = lambda: None) -> None:
    """Writes what happens, and does what the caller does, until the call is over; `rest` is done between two looks."""
    told, done = 0, 0
    is_over = False
    while not is_over:
        is_over = running.live.is_over
        events = running.live.wait_for_events(told, seconds=TICK_SECONDS)
        write_events(running.row, events, seconds=running.count_seconds(), now=timezone.now())
        told += len(events)
        done = act(running, done, now=timezone.now())
        rest()
    PhoneCall.objects.filter(pk=running.row.pk).update(ended_at=timezone.now())


def write_events(row: PhoneCall, events: Iterable[dict[str, Any]], *, seconds: float, now: datetime) -> None:
    """Puts events where the page will find them, and says that the call lives."""
    PhoneEvent.objects.bulk_create(
        PhoneEvent(call=row, number=event["number"], body=make_storable(event)) for event in events
    )
    PhoneCall.objects.filter(pk=row.pk).update(ticked_at=now, seconds=seconds)


def act(running: Running, done: int, *, now: datetime) -> int:
    """Does what the caller has done since the sign of the number `done`; hangs up when nobody listens any more."""
    signs = list(PhoneSign.objects.filter(call=running.row, pk__gt=done))
    for sign in signs:
        running.live.press(sign.text) if sign.kind == KEY else running.live.say(sign.text)
    row = PhoneCall.objects.filter(pk=running.row.pk).first()
    if row is None or row.has_hung_up or now - row.looked_at > GONE_AFTER:
        running.live.hang_up()
    return signs[-1].pk if signs else done


# -- from the page


def look(call: PhoneCall, *, since: int, now: datetime) -> dict[str, Any]:
    """The call's events after a number, its seconds, and whether it is over; notes that the page is there."""
    if now - call.looked_at > NOTED_EVERY:
        PhoneCall.objects.filter(pk=call.pk).update(looked_at=now)
    is_over = call.ended_at is not None  # read before the events: after its end none is added
    events = [tell_event(body) for body in call.events.filter(number__gt=since).values_list("body", flat=True)]
    if not is_over and now - call.ticked_at > LOST_AFTER:
        return {"events": [*events, _describe_loss(call, since + len(events))], "seconds": call.seconds, "over": True}
    return {"events": events, "seconds": call.seconds, "over": is_over}


def _describe_loss(call: PhoneCall, number: int) -> dict[str, Any]:
    why = _("The process that ran the call has ended.")
    return {"number": number + 1, "at": call.seconds, "kind": "end", "action": "", "way": "lost", "text": why}


def sign(call: PhoneCall, *, kind: str, text: str) -> None:
    """The caller presses a key or says something; the call learns of it within a fifth of a second."""
    PhoneSign.objects.create(call=call, kind=kind, text=text)


def hang_up(call: PhoneCall) -> None:
    """The caller leaves; harmless when the call is over already."""
    PhoneCall.objects.filter(pk=call.pk).update(has_hung_up=True)
