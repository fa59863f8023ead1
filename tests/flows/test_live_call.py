"""A call on a thread: others watch its events, press keys, speak and hang up while it runs."""

from __future__ import annotations

import time
from typing import Any

from flows.language import Action, Flow
from flows.live_call import LiveCall
from flows.runner.contact import Caller
from flows.runner.lambdas import Functions
from tests.flows.building import END, call, make_flow, say

SPEED = 200.0  # a prompt of 20 s takes a tenth of a second


def begin(flow: Flow, *, handlers: dict[str, Any] | None = None, **options: Any) -> LiveCall:
    live = LiveCall(flow, invoke=Functions(handlers or {}), caller=Caller(), **{"clock_speed": SPEED, **options})
    live.start()
    return live


def finish(live: LiveCall) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 20
    while not live.is_over and time.monotonic() < deadline:
        live.wait_for_events(len(live.events_since()), seconds=1.0)
    assert live.is_over
    return live.events_since()


def wait_for(live: LiveCall, kind: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if found := [event for event in live.events_since() if event["kind"] == kind]:
            return found[0]
        live.wait_for_events(len(live.events_since()), seconds=0.1)
    raise AssertionError(f"no {kind} was told of")


def test_its_events_tell_what_is_heard_what_lambdas_do_and_how_it_ends() -> None:
    answer = {"statusCode": "200", "text": "We open at nine.", "ssml": "<speak>We open at nine.</speak>"}
    flow = make_flow(say("Hello", "Ask"), call("Ask", "Speak"), say("Speak", "End", SSML="$.External.ssml"), END)
    told = finish(begin(flow, handlers={"Ask": lambda _: answer}))
    assert [event["number"] for event in told] == list(range(1, len(told) + 1))
    assert [e["kind"] for e in told if e["kind"] not in ("step", "silence")] == ["prompt", "lambda", "part", "end"]
    invoked = next(event for event in told if event["kind"] == "lambda")
    assert (invoked["name"], invoked["status"], invoked["reply"]) == ("Ask", "200", answer)
    assert (told[-1]["way"], told[-1]["lambda_calls"]) == ("disconnected", 1)


def test_a_lambda_that_is_not_allowed_is_told_of_as_failed() -> None:
    live = begin(make_flow(call("Steal", "End"), END))
    failed = next(event for event in finish(live) if event["kind"] == "lambda")
    assert failed["status"] == "failed"
    assert "may not invoke 'Steal'" in failed["text"]


def test_hanging_up_ends_it_in_the_middle_of_a_prompt() -> None:
    live = begin(make_flow(say("Talk", "End", Text="x" * 2_000), END), clock_speed=1.0)
    wait_for(live, "prompt")
    live.hang_up()
    told = finish(live)
    assert [event["kind"] for event in told[-3:]] == ["cut", "step", "end"]
    assert told[-1]["way"] == "hung_up"


def test_a_caller_who_hangs_up_before_it_begins_hears_nothing() -> None:
    live = LiveCall(make_flow(say("Hello", "End"), END), invoke=Functions({}), caller=Caller())
    live.hang_up()
    live.start()
    assert [event["kind"] for event in finish(live)] == ["end"]


def test_a_key_leads_on() -> None:
    menu = Action.make(
        "Menu",
        "GetParticipantInput",
        parameters={"Text": "x" * 2_000, "InputTimeLimitSeconds": "60", "StoreInput": "False"},
        conditions=[("Equals", "2", "Two")],
        errors=[(kind, "End") for kind in ("InputTimeLimitExceeded", "NoMatchingCondition", "NoMatchingError")],
    )
    live = begin(make_flow(menu, say("Two", "End", Text="You pressed two."), END))
    wait_for(live, "prompt")
    live.press("2")
    assert [event["text"] for event in finish(live) if event["kind"] in ("prompt", "key")][1:] == [
        "2",
        "You pressed two.",
    ]


def test_what_a_person_says_to_a_bot_is_its_intent_and_the_question() -> None:
    bot = Action.make(
        "Bot",
        "ConnectParticipantWithLexBot",
        parameters={"Text": "How can I help?", "LexV2Bot": {"AliasArn": "arn:aws:lex:us-east-1:1:bot-alias/A/B"}},
        conditions=[("Equals", "OpeningHours", "Repeat")],
        errors=[("NoMatchingCondition", "End"), ("NoMatchingError", "End")],
    )
    live = begin(make_flow(bot, say("Repeat", "End", Text="$.Lex.SessionAttributes.question"), END), clock_speed=1.0)
    wait_for(live, "prompt")
    live.say("What are your opening hours?")
    assert [event["text"] for event in finish(live) if event["kind"] == "prompt"][1] == "What are your opening hours?"


def test_a_fault_of_the_runner_itself_still_ends_it() -> None:
    def fail(_: float) -> None:
        raise RuntimeError("the clock stands still")

    class Broken:
        now = now_ms = sleep = wait = start = at = fail

    told = finish(begin(make_flow(END), clock=Broken()))
    assert (told[-1]["kind"], told[-1]["way"]) == ("end", "failed")


def test_events_are_asked_for_from_a_number_on() -> None:
    live = begin(make_flow(say("Hello", "End"), END))
    told = finish(live)
    assert live.events_since(2) == told[2:]
    assert live.wait_for_events(len(told), seconds=5.0) == []
