"""Connect's rules for Lambdas: 8 s, three retries, 20 s in a row, what a reply may be, and which may be invoked at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flows.language import Action
from flows.runner.contact import Caller
from flows.runner.virtual_clock import VirtualClock
from tests.flows.building import call, load, make_flow, save, say, start
from tests.flows.running import fail, heard, passed, reasons, reply, run

OK = say("OK", "End", Text="It worked.")
ERROR = ("Ask", "NoMatchingError")


def give(value: Any) -> Any:
    return lambda clock, event: value


def keep(events: list[dict[str, Any]]) -> Any:
    def work(_: VirtualClock, event: dict[str, Any]) -> dict[str, str]:
        events.append(event)
        return {}

    return work


def ask_once(*, seconds: str = "8", **parameters: Any) -> Any:
    return make_flow(call("Ask", "OK", seconds=seconds, **parameters), OK)


@pytest.mark.parametrize(
    ("takes", "limit", "is_in_time"), [(7.9, "8", True), (8.1, "8", False), (2.9, "3", True), (3.1, "3", False)]
)
def test_a_lambda_has_the_time_that_its_block_says(takes: float, limit: str, is_in_time: bool) -> None:
    found = run(ask_once(seconds=limit), lambdas={"Ask": reply(takes)})
    assert passed(found)[0] == (("Ask", "next") if is_in_time else ERROR)
    assert found.lambda_seconds == min(takes, float(limit))


def test_no_block_may_allow_more_than_8_seconds() -> None:
    found = run(ask_once(seconds="60"), lambdas={"Ask": reply(9)})
    assert passed(found)[0] == ERROR
    assert found.seconds == 8.0


def test_a_block_without_a_limit_has_3_seconds() -> None:
    block = Action.make("Ask", "InvokeLambdaFunction", parameters={"LambdaFunctionARN": "Ask"}, next_action="OK",
                        errors=[("NoMatchingError", "End")])  # fmt: skip
    assert run(make_flow(block, OK), lambdas={"Ask": reply(4)}).seconds == 3.0


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_a_lambda_that_raises_is_tried_up_to_three_times_more(failures: int) -> None:
    tries: list[float] = []
    found = run(ask_once(), lambdas={"Ask": fail(0.5, times=failures, tries=tries)})
    assert heard(found) == ["It worked."]
    assert len(tries) == failures + 1


def test_the_fourth_failure_is_the_last() -> None:
    tries: list[float] = []
    found = run(ask_once(), lambdas={"Ask": fail(0.5, tries=tries)})
    assert passed(found)[0] == ERROR
    assert len(tries) == 4
    assert reasons(found)[0] == "the Lambda gave nothing: RuntimeError: it is down"


def test_tries_share_the_blocks_time() -> None:
    tries: list[float] = []
    found = run(ask_once(), lambdas={"Ask": fail(6.0, tries=tries)})
    assert passed(found)[0] == ERROR
    assert (len(tries), found.seconds) == (2, 8.0)


def test_a_lambda_that_is_too_slow_is_not_tried_again() -> None:
    began: list[float] = []

    def slow(clock: VirtualClock, _: dict[str, Any]) -> dict[str, str]:
        began.append(clock.now())
        clock.sleep(10)
        return {}

    run(ask_once(), lambdas={"Ask": slow})
    assert len(began) == 1


# -- 20 s in a row


def test_lambdas_in_a_row_have_20_seconds_together() -> None:
    flow = make_flow(call("A", "B"), call("B", "C"), call("C", "OK", failing="End"), OK)
    found = run(flow, lambdas={name: reply(7.5) for name in "ABC"})
    assert passed(found)[2] == ("C", "NoMatchingError")
    assert found.seconds == 20.0
    assert "the Lambdas since the last prompt took 20 s together" in reasons(found)[0]


def test_a_prompt_between_them_begins_the_20_seconds_anew() -> None:
    flow = make_flow(call("A", "B"), call("B", "Moment"), say("Moment", "C"), call("C", "OK"), OK)
    assert heard(run(flow, lambdas={name: reply(7.5) for name in "ABC"}))[-1] == "It worked."


def test_a_prompt_that_fails_does_not() -> None:
    flow = make_flow(
        call("A", "B"), call("B", "Moment"), say("Moment", "C", Text="$.External.nothing"), call("C", "OK"), OK
    )
    assert heard(run(flow, lambdas={name: reply(7.5) for name in "ABC"})) == []


# -- the reply


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("a text", "the reply is not an object, but str"),
        (["a", "list"], "the reply is not an object, but list"),
        (None, "the reply is not an object, but NoneType"),
        ({"text": "x" * 33_000}, "more than 32 KB"),
        ({"count": 3}, "STRING_MAP takes texts only, and 'count' is 3"),
        ({"nothing": None}, "STRING_MAP takes texts only, and 'nothing' is None"),
    ],
)
def test_a_reply_that_connect_refuses_takes_the_error_branch(value: Any, why: str) -> None:
    found = run(ask_once(ResponseValidation={"ResponseType": "STRING_MAP"}), lambdas={"Ask": give(value)})
    assert passed(found)[0] == ERROR
    assert why in reasons(found)[0]


def test_json_may_be_nested_and_is_read_step_by_step() -> None:
    flow = make_flow(
        call("Ask", "Speak", ResponseValidation={"ResponseType": "JSON"}),
        say("Speak", "End", Text="$.External.Name.First has $.External.count and $.External.list."),
    )
    value = {"Name": {"First": "Ann"}, "count": 3, "list": [1, 2]}
    assert heard(run(flow, lambdas={"Ask": give(value)})) == ["Ann has 3 and ."]


def test_each_reply_replaces_the_one_before() -> None:
    flow = make_flow(call("A", "B"), call("B", "Speak"), say("Speak", "End", Text="[$.External.a][$.External.b]"))
    assert heard(run(flow, lambdas={"A": reply(a="1"), "B": reply(b="2")})) == ["[][2]"]


def test_a_failure_leaves_the_last_reply_as_it_was() -> None:
    flow = make_flow(call("A", "B"), call("B", "End", failing="Speak"), say("Speak", "End", Text="[$.External.a]"))
    assert heard(run(flow, lambdas={"A": reply(a="1"), "B": fail()})) == ["[1]"]


def test_the_event_is_connects() -> None:
    given: list[dict[str, Any]] = []
    caller = Caller(address="+15550100", language="de-DE", contact_id="c1", attributes={"question": "Why?"})
    run(
        ask_once(LambdaInvocationAttributes={"question": "$.Attributes.question"}),
        lambdas={"Ask": keep(given)},
        caller=caller,
    )
    details = given[0]["Details"]
    contact = details["ContactData"]
    assert details["Parameters"] == {"question": "Why?"}
    assert contact["CustomerEndpoint"] == {"Address": "+15550100", "Type": "TELEPHONE_NUMBER"}
    assert (contact["ContactId"], contact["LanguageCode"], contact["Channel"]) == ("c1", "de-DE", "VOICE")
    json.dumps(given[0])


def test_a_withheld_number_is_no_endpoint() -> None:
    given: list[dict[str, Any]] = []
    run(ask_once(), lambdas={"Ask": keep(given)}, caller=Caller(address=""))
    assert given[0]["Details"]["ContactData"]["CustomerEndpoint"] is None


# -- only what is allowed


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:lambda:us-east-1:999999999999:function:somebody-elses",
        "somebody-elses",
        "$.Attributes.which",
        "os.system",
        "",
    ],
)
def test_no_lambda_is_invoked_that_is_not_allowed(arn: str) -> None:
    asked: list[dict[str, Any]] = []
    found = run(
        ask_once(LambdaFunctionARN=arn),
        lambdas={"Ask": keep(asked)},
        caller=Caller(attributes={"which": "somebody-elses"}),
    )
    assert passed(found)[0] == ERROR
    assert asked == []
    assert "Connect may not invoke" in reasons(found)[0]


def test_nor_asynchronously() -> None:
    flow = make_flow(start("Steal", "Keep"), save("Keep", "Moment", "$.LambdaInvocation.InvocationId"),
                     say("Moment", "Load"), load("Load", "OK"), OK)  # fmt: skip
    found = run(flow)
    assert ("Load", "NoMatchingError") in passed(found)
    assert "Connect may not invoke 'Steal'" in reasons(found)[-1]


def test_an_alias_is_that_functions() -> None:
    arn = "arn:aws:lambda:us-east-1:111122223333:function:Ask:live"
    assert heard(run(ask_once(LambdaFunctionARN=arn), lambdas={"Ask": reply()})) == ["It worked."]


def test_lambda_time_and_calls_are_counted() -> None:
    flow = make_flow(call("A", "B"), call("B", "OK"), OK)
    found = run(flow, lambdas={"A": reply(1.5), "B": reply(2.0)})
    assert (found.lambda_calls, found.lambda_seconds, found.longest_silence) == (2, 3.5, 3.5)
