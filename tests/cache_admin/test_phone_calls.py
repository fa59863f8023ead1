"""Calls through the database: the page's side and the call's side, each as if it were in a process of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from cache_admin.models import PhoneCall, PhoneSign
from cache_admin.phone import calls
from cache_admin.phone.calls import (
    Running,
    TooManyCallsError,
    follow,
    forget_old,
    hang_up,
    keep_in_step,
    look,
    open_call,
    sign,
)
from flows.language import Action, Flow
from flows.live_call import LiveCall
from flows.runner.contact import Caller
from flows.runner.lambdas import Functions
from tests.flows.building import END, make_flow, say

NOW = timezone.now()


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("eve", is_staff=True)


@pytest.fixture
def undo() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def open_now(user: User, **changed: Any) -> PhoneCall:
    row = open_call(user, contact_id=uuid.uuid4(), now=timezone.now())
    PhoneCall.objects.filter(pk=row.pk).update(**changed)
    return row


def run(row: PhoneCall, flow: Flow, undo: ExitStack, *, speed: float = 200.0) -> Running:
    live = LiveCall(flow, invoke=Functions({}), caller=Caller(), clock_speed=speed)
    live.start()
    return Running(row, live, lambda: 1.5, undo)


def read(row: PhoneCall, since: int = 0) -> dict[str, Any]:
    return look(PhoneCall.objects.get(pk=row.pk), since=since, now=timezone.now())


def menu() -> Flow:
    errors = [(name, "End") for name in ("InputTimeLimitExceeded", "NoMatchingCondition", "NoMatchingError")]
    words = {"Text": "Press one.", "InputTimeLimitSeconds": "180", "StoreInput": "False"}
    asked = Action.make("Menu", "GetParticipantInput", parameters=words, next_action="End",
                        conditions=[("Equals", "1", "Thanks")], errors=errors)  # fmt: skip
    return make_flow(asked, say("Thanks", "End", Text="Thank you."), END)


def test_the_page_reads_in_pieces_what_happened_and_that_it_is_over(user: User, undo: ExitStack) -> None:
    row = open_now(user)
    keep_in_step(run(row, make_flow(say("Hello", "End", Text="Good day."), END), undo))
    told = read(row)
    assert [event["number"] for event in told["events"]] == list(range(1, len(told["events"]) + 1))
    assert [e["text"] for e in told["events"] if e["kind"] == "prompt"] == ["Good day."]
    assert (told["events"][-1]["kind"], told["over"], told["seconds"]) == ("end", True, 1.5)
    assert read(row, since=2)["events"] == told["events"][2:]
    assert read(row, since=len(told["events"])) == {"events": [], "over": True, "seconds": 1.5}


def test_a_key_pressed_on_the_page_reaches_the_flow_once(user: User, undo: ExitStack) -> None:
    row = open_now(user)
    running = run(row, menu(), undo, speed=1.0)
    while not any(event["kind"] == "prompt" for event in running.live.wait_for_events(seconds=5)):
        pass
    sign(row, kind="key", text="1")
    keep_in_step(running)
    told = read(row)["events"]
    assert [event["text"] for event in told if event["kind"] == "key"] == ["1"]
    assert [event["text"] for event in told if event["kind"] == "prompt"] == ["Press one.", "Thank you."]


def test_hanging_up_on_the_page_ends_the_call(user: User, undo: ExitStack) -> None:
    row = open_now(user)
    hang_up(row)
    keep_in_step(run(row, menu(), undo, speed=1.0))
    assert read(row)["events"][-1]["way"] == "hung_up"


def test_a_page_that_does_not_look_any_more_has_hung_up(user: User, undo: ExitStack) -> None:
    row = open_now(user, looked_at=timezone.now() - calls.GONE_AFTER - timedelta(seconds=1))
    keep_in_step(run(row, menu(), undo, speed=1.0))
    assert read(row)["events"][-1]["way"] == "hung_up"


def test_looking_keeps_the_call(user: User) -> None:
    row = open_now(user, looked_at=NOW - timedelta(minutes=1))
    read(row)
    assert timezone.now() - PhoneCall.objects.get().looked_at < timedelta(seconds=30)


def test_a_call_whose_process_has_ended_is_over_for_the_page(user: User) -> None:
    row = open_now(user, ticked_at=timezone.now() - calls.LOST_AFTER - timedelta(seconds=1), seconds=7.0)
    told = read(row, since=3)
    assert told["over"]
    assert (told["events"][-1]["way"], told["events"][-1]["number"], told["events"][-1]["at"]) == ("lost", 4, 7.0)


def test_what_went_wrong_on_purpose_is_put_right_after_the_call_even_if_it_breaks_off(user: User) -> None:
    done: list[str] = []
    undo = ExitStack()
    undo.callback(done.append, "right")

    def fail() -> float:
        raise OSError("made to fail")

    running = replace(run(open_now(user), menu(), undo, speed=1.0), count_seconds=fail)
    follow(running, lambda: done.append("rested"))
    assert done == ["right", "rested"]
    running.live.wait_for_events(10_000, seconds=10)
    assert running.live.is_over


def test_one_person_has_two_lines_and_all_together_have_eight(user: User) -> None:
    open_now(user)
    open_now(user)
    with pytest.raises(TooManyCallsError, match="on the phone already"):
        open_now(user)
    others = [User.objects.create_user(f"u{number}") for number in range(7)]
    for other in others[:6]:
        open_now(other)
    with pytest.raises(TooManyCallsError, match="All lines are busy"):
        open_now(others[6])


def test_calls_that_are_over_or_lost_keep_no_line(user: User) -> None:
    open_now(user, ended_at=NOW)
    open_now(user, ticked_at=NOW - calls.LOST_AFTER - timedelta(seconds=5))
    open_now(user)
    assert PhoneCall.objects.count() == 3


def test_words_are_forgotten_after_an_hour(user: User, undo: ExitStack) -> None:
    row = open_now(user)
    sign(row, kind="say", text="My name is Eve.")
    keep_in_step(run(row, make_flow(END), undo))
    PhoneCall.objects.update(began_at=timezone.now() - calls.KEPT_FOR - timedelta(minutes=1))
    forget_old(timezone.now())
    assert (PhoneCall.objects.count(), PhoneSign.objects.count()) == (0, 0)
