"""Placing a call: from what the form holds to a call that runs."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from cache_admin.models import PhoneCall
from cache_admin.phone.calls import Running, open_call, run_beside
from cache_admin.phone.choices import Chosen
from cache_admin.phone.faults import FAULTS, switch_on
from cache_admin.phone.lambdas import allow_functions, make_phone, measure_sound
from flows.live_call import LiveCall
from flows.runner.clock import RealClock
from flows.runner.contact import Caller
from flows.runner.instance import Instance

LONGEST_CALL_SECONDS = 900.0


def place_call(wish: dict[str, Any], chosen: Chosen, *, user: AbstractBaseUser) -> PhoneCall:
    """Begins the call that a valid CallForm asks for, and returns at once; TooManyCallsError, or faults.UNAVAILABLE."""
    row = open_call(user, contact_id=uuid.uuid4(), now=timezone.now())
    undo = ExitStack()
    fault = FAULTS[wish["fault"]]
    try:
        switch_on(fault, question=wish["question"], undo=undo)
    except BaseException:
        undo.close()
        row.delete()
        raise
    clock = RealClock(speed=wish["speed"])
    began = clock.now()
    live = _make_call(wish, chosen, contact_id=str(row.contact_id), clock=clock)
    run_beside(Running(row, live, lambda: round(clock.now() - began, 3), undo))
    return row


def _make_call(wish: dict[str, Any], chosen: Chosen, *, contact_id: str, clock: RealClock) -> LiveCall:
    phone = make_phone()
    invoke, spoil = allow_functions(phone), FAULTS[wish["fault"]].spoil
    instance = Instance(
        flows=chosen.flows,
        agent_after=wish["agent_after"],
        audio_seconds=lambda uri: measure_sound(phone, uri),
    )
    return LiveCall(
        chosen.flow,
        invoke=spoil(invoke) if spoil else invoke,
        caller=_make_caller(wish, contact_id=contact_id),
        modules=chosen.modules,
        instance=instance,
        clock=clock,
        longest_call=LONGEST_CALL_SECONDS,
    )


def _make_caller(wish: dict[str, Any], *, contact_id: str) -> Caller:
    attributes = {"question": wish["question"], "topic": wish["topic"].name, **wish["attributes"]}
    return Caller(
        address=wish["caller"],
        channel=wish["channel"],
        language=wish["language"],
        contact_id=contact_id,
        attributes=attributes,
    )
