"""Asynchronous Lambdas: the flow goes on beside them, waits for them while something plays, and loads what they gave."""

from __future__ import annotations

from typing import Any

import pytest

from flows.flow_types import AGENT_WHISPER, CUSTOMER_QUEUE, QUEUE_TRANSFER
from flows.language import Action, Flow
from flows.runner.contact import Caller
from tests.flows.building import call, change, load, make_flow, save, say, start, wait
from tests.flows.running import Work, fail, heard, passed, reasons, reply, run

HOLD = say("Hold", "Hold", Text="x" * 15)  # a second of words, again and again
SPEAK = say("Speak", "End", Text="Your answer: $.External.text.")
CHAT = Caller(channel="CHAT")


def native(*, hold: Action = HOLD, waits: Action | None = None, more: tuple[Action, ...] = ()) -> Flow:
    return make_flow(
        start("Ask", "Keep"),
        save("Keep", "Wait", "$.LambdaInvocation.InvocationId"),
        waits or wait("Wait", "Load", playing="Hold", late="Late"),
        hold,
        load("Load", "Speak"),
        SPEAK,
        say("Late", "End", Text="Too late."),
        *more,
    )


def test_the_branch_plays_while_the_lambda_works_and_is_cut_when_it_returns() -> None:
    found = run(native(), lambdas={"Ask": reply(20.5, text="yes")})
    assert found.find_heard("your answer: yes") == 20.5
    assert found.longest_silence == 0.0
    assert [event.at for event in found.events if event.kind == "cut"] == [20.5]
    assert ("Wait", "Equals Continue") in passed(found)
    assert ("Wait", "Equals LambdaReturned") in passed(found)


def test_a_branch_that_runs_out_is_followed_by_silence_until_the_return() -> None:
    once = say("Hold", "", Text="x" * 15)
    found = run(native(hold=once), lambdas={"Ask": reply(20.0, text="yes")})
    assert found.find_heard("your answer") == 20.0
    assert found.longest_silence == 19.0


def test_a_branch_that_ends_the_call_ends_it() -> None:
    found = run(native(hold=say("Hold", "End", Text="x" * 15)), lambdas={"Ask": reply(20.0)})
    assert (found.end, found.seconds) == ("disconnected", 1.0)


def test_a_lambda_may_take_60_seconds_and_no_longer() -> None:
    longest = change(wait("Wait", "Load", playing="Hold", late="Late"))
    assert heard(run(native(waits=longest), lambdas={"Ask": reply(59.0, text="yes")}))[-1] == "Your answer: yes."
    found = run(native(waits=longest), lambdas={"Ask": reply(70.0, text="yes")})
    assert "Your answer: yes." not in heard(found)


def test_a_lambda_that_fails_returns_too_and_loading_it_says_why() -> None:
    found = run(native(), lambdas={"Ask": fail(1.0)})
    assert ("Load", "NoMatchingError") in passed(found)
    assert "it is down" in reasons(found)[-1]
    assert found.seconds == 4.0  # four tries


def test_a_result_that_is_not_there_yet_is_in_progress() -> None:
    flow = make_flow(start("Ask", "Load"), load("Load", "Speak", identifier="$.LambdaInvocation.InvocationId"), SPEAK)
    assert passed(run(flow, lambdas={"Ask": reply(5.0)}))[1] == ("Load", "InProgress")


def test_an_id_that_is_nobodys_is_waited_for_in_vain() -> None:
    waits = wait("Wait", "Load", playing="Hold", late="Late", identifier="$.FlowAttributes.forgotten")
    found = run(native(waits=waits), lambdas={"Ask": reply(2.0)})
    assert found.find_heard("too late") == 60.0


def test_the_id_is_that_of_the_latest_invocation() -> None:
    flow = make_flow(start("A", "B"), start("B", "Moment"), say("Moment", "Load", Text="x" * 60),
                     load("Load", "Speak", identifier="$.LambdaInvocation.InvocationId"), SPEAK)  # fmt: skip
    assert heard(run(flow, lambdas={"A": reply(1.0, text="a"), "B": reply(1.0, text="b")}))[-1] == "Your answer: b."


def test_external_is_only_replaced_when_the_result_is_loaded() -> None:
    flow = make_flow(call("First", "Ask"), start("Ask", "Moment"), say("Moment", "Speak", Text="x" * 60), SPEAK)
    work: dict[str, Work] = {"First": reply(text="old"), "Ask": reply(1.0, text="new")}
    assert heard(run(flow, lambdas=work))[-1] == "Your answer: old."


def test_a_wait_within_a_wait_takes_the_error_branch() -> None:
    inner = wait("Inner", "Load", playing="Hold", late="Late")
    outer = wait("Wait", "Load", playing="Inner", late="Late")
    found = run(native(waits=outer, more=(inner,)), lambdas={"Ask": reply(5.0)})
    assert ("Inner", "NoMatchingError") in passed(found)
    assert any("within the Continue branch" in why for why in reasons(found))


@pytest.mark.parametrize("kind", [CUSTOMER_QUEUE, AGENT_WHISPER, QUEUE_TRANSFER])
def test_voice_waits_in_inbound_flows_only(kind: str) -> None:
    found = run(native(), lambdas={"Ask": reply(2.0, text="yes")}, flow_type=kind)
    assert ("Wait", "NoMatchingError") in passed(found)


def plain_wait(**parameters: Any) -> Action:
    ways = [
        ("Equals", "WaitCompleted", "Late"),
        ("Equals", "CustomerReturned", "Speak"),
        ("Equals", "LambdaReturned", "Load"),
    ]
    return Action.make("Wait", "Wait", parameters={"TimeLimitSeconds": "30", **parameters}, conditions=ways,
                       errors=[("NoMatchingError", "End")])  # fmt: skip


def test_a_plain_wait_is_for_chat_only() -> None:
    flow = native(waits=plain_wait())
    assert run(flow, lambdas={"Ask": reply()}, caller=CHAT).find_heard("too late") == 30.0
    assert ("Wait", "NoMatchingError") in passed(run(flow, lambdas={"Ask": reply()}))


def test_a_silent_customer_who_writes_again_ends_a_wait_for_that() -> None:
    flow = native(waits=plain_wait(Events=["CustomerReturned"]))
    found = run(flow, lambdas={"Ask": reply()}, caller=Caller(channel="CHAT", returns=(12.0,)))
    assert found.find_heard("your answer") == 12.0


def test_chat_waits_for_a_lambda_without_a_branch() -> None:
    event = {"LambdaReturned": {"AsyncLambdaCompletionEvent": {"Identifier": "$.FlowAttributes.kept"}}}
    flow = native(waits=plain_wait(InterruptibleEvents=event))
    assert run(flow, lambdas={"Ask": reply(7.0, text="yes")}, caller=CHAT).find_heard("answer: yes") == 7.0


@pytest.mark.parametrize("second", [0.0, 0.7, 10.0, 20.4, 20.6, 21.0])
def test_a_caller_may_hang_up_while_it_waits(second: float) -> None:
    found = run(native(), lambdas={"Ask": reply(20.5, text="yes")}, caller=Caller(hang_up_after=second))
    assert (found.end, found.seconds) == ("hung_up", second)


def test_a_prompt_may_be_played_to_its_end_where_connect_is_taken_to_do_so() -> None:
    found = run(native(), lambdas={"Ask": reply(20.5, text="yes")}, cuts_prompt_on_return=False)
    assert found.find_heard("your answer: yes") == 21.0


@pytest.mark.parametrize(("took", "at"), [(0.3, 2.0), (5.0, 5.0)])
def test_a_wait_lasts_as_long_as_it_must_at_least(took: float, at: float) -> None:
    event = {"LambdaReturned": {"AsyncLambdaCompletionEvent": {"Identifier": "$.FlowAttributes.kept"}}}
    flow = native(waits=plain_wait(InterruptibleEvents=event, MinimumWaitTimeSeconds="2"))
    assert run(flow, lambdas={"Ask": reply(took, text="yes")}, caller=CHAT).find_heard("answer: yes") == at


@pytest.mark.parametrize(
    "events", ["LambdaReturned", ["LambdaReturned"], {"LambdaReturned": "x"}, {"LambdaReturned": {}}, True]
)
def test_events_that_are_none_are_waited_for_in_vain(events: Any) -> None:
    found = run(native(waits=plain_wait(InterruptibleEvents=events)), lambdas={"Ask": reply(2.0)}, caller=CHAT)
    assert found.find_heard("too late") == 30.0


@pytest.mark.parametrize("given", ["text", ["a"], 3])
def test_attributes_for_a_lambda_that_are_no_map_take_the_error_branch(given: Any) -> None:
    found = run(make_flow(call("Ask", "Speak", LambdaInvocationAttributes=given), SPEAK), lambdas={"Ask": reply()})
    assert passed(found)[0] == ("Ask", "NoMatchingError")
