"""What branches: every operator of Compare, Loop's count, hours, figures and percentages, and attributes of every kind."""

from __future__ import annotations

from typing import Any

import pytest

from flows.language import Action, read_action
from flows.runner.contact import Caller, Turn
from flows.runner.outcome import STUCK
from tests.flows.building import call, compare, loop, make_flow, say
from tests.flows.running import heard, passed, reasons, reply, run

YES, NO = say("Yes", "End", Text="Yes."), say("No", "End", Text="No.")


def decide(value: str, condition: dict[str, Any], **attributes: str) -> str:
    """What a Compare with one condition comes to."""
    block = {
        "Identifier": "Which",
        "Type": "Compare",
        "Parameters": {"ComparisonValue": value},
        "Transitions": {
            "NextAction": "No",
            "Conditions": [{"NextAction": "Yes", "Condition": condition}],
            "Errors": [{"NextAction": "No", "ErrorType": "NoMatchingCondition"}],
        },
    }
    flow = make_flow(read_action(block, place="here"), YES, NO)
    return heard(run(flow, caller=Caller(attributes=attributes)))[0]


@pytest.mark.parametrize(
    ("operator", "operand", "holds", "fails"),
    [
        ("Equals", "red", "red", "Red"),
        ("TextStartsWith", "re", "red", "bred"),
        ("TextEndsWith", "ed", "red", "reds"),
        ("TextContains", "e", "red", "rd"),
        ("NumberGreaterThan", "3", "10", "3"),
        ("NumberGreaterOrEqualTo", "3", "3.0", "2.99"),
        ("NumberLessThan", "10", "9", "10"),
        ("NumberLessOrEqualTo", "10", "10", "11"),
    ],
)
def test_every_operator(operator: str, operand: str, holds: str, fails: str) -> None:
    condition = {"Operator": operator, "Operands": [operand]}
    assert decide("$.Attributes.x", condition, x=holds) == "Yes."
    assert decide("$.Attributes.x", condition, x=fails) == "No."


@pytest.mark.parametrize("operator", ["NumberGreaterThan", "NumberLessThan", "NumberGreaterOrEqualTo"])
def test_what_is_no_number_is_neither_more_nor_less(operator: str) -> None:
    assert decide("$.Attributes.x", {"Operator": operator, "Operands": ["3"]}, x="three") == "No."


def test_an_attribute_that_is_not_there_is_an_empty_text() -> None:
    assert decide("$.Attributes.x", {"Operator": "Equals", "Operands": [""]}) == "Yes."


def test_an_operand_may_refer_to_an_attribute() -> None:
    condition = {"Operator": "Equals", "Operands": ["$.Attributes.y"]}
    assert decide("$.Attributes.x", condition, x="1", y="1") == "Yes."


def test_an_operator_that_connect_does_not_know_never_holds() -> None:
    assert decide("$.Attributes.x", {"Operator": "Resembles", "Operands": ["a"]}, x="a") == "No."


@pytest.mark.parametrize(("operator", "said"), [("And", "No."), ("Or", "Yes.")])
def test_conditions_may_be_joined(operator: str, said: str) -> None:
    inner = [{"Operator": "TextStartsWith", "Operands": ["r"]}, {"Operator": "TextEndsWith", "Operands": ["x"]}]
    assert decide("$.Attributes.x", {"Operator": operator, "Operands": inner}, x="red") == said


def test_the_first_condition_that_holds_is_taken() -> None:
    ways = [("TextContains", "e", "Yes"), ("Equals", "red", "No")]
    block = Action.make(
        "Which",
        "Compare",
        parameters={"ComparisonValue": "red"},
        conditions=ways,
        errors=[("NoMatchingCondition", "End")],
    )
    assert heard(run(make_flow(block, YES, NO))) == ["Yes."]


# -- Loop


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_loop_continues_so_often_then_is_done_once(count: int) -> None:
    flow = make_flow(loop("Again", "Word", "End", count=str(count)), say("Word", "Again", Text="Round."))
    assert heard(run(flow)) == ["Round."] * count


def test_a_loop_that_is_done_begins_anew() -> None:
    flow = make_flow(
        loop("Outer", "Inner", "End", count="2"),
        loop("Inner", "Word", "Outer", count="3"),
        say("Word", "Inner", Text="Round."),
    )
    assert heard(run(flow)) == ["Round."] * 6


def test_a_loops_count_may_be_an_attribute() -> None:
    flow = make_flow(loop("Again", "Word", "End", count="$.Attributes.n"), say("Word", "Again", Text="Round."))
    assert len(heard(run(flow, caller=Caller(attributes={"n": "2"})))) == 2


def test_a_flow_that_goes_round_without_end_is_stuck_and_says_so() -> None:
    flow = make_flow(compare("A", "$.Channel", "B", VOICE="B"), compare("B", "$.Channel", "A", VOICE="A"))
    found = run(flow)
    assert (found.end, found.is_proper) == (STUCK, False)
    assert found.why == "the flow goes round without end: A -> B"


def test_so_is_one_that_talks_for_ever() -> None:
    found = run(make_flow(say("On", "On", Text="x" * 1500)))
    assert (found.end, found.seconds) == (STUCK, 1_800.0)


# -- attributes


def test_contact_attributes_are_set_and_read_with_both_spellings() -> None:
    block = Action.make(
        "Set",
        "UpdateContactAttributes",
        parameters={"Attributes": {"size": "$.Attributes.x cm"}, "TargetContact": "Current"},
        next_action="Say",
        errors=[("NoMatchingError", "End")],
    )
    flow = make_flow(block, say("Say", "End", Text="$.Attributes.size, $.Attributes['size']"))
    found = run(flow, caller=Caller(attributes={"x": "3"}))
    assert heard(found) == ["3 cm, 3 cm"]
    assert found.attributes == {"x": "3", "size": "3 cm"}


@pytest.mark.parametrize(("value", "way"), [({"Value": "v"}, "next"), ("v", "NoMatchingError")])
def test_flow_attributes_are_objects_with_a_value(value: Any, way: str) -> None:
    block = Action.make(
        "Set",
        "UpdateFlowAttributes",
        parameters={"FlowAttributes": {"a": value}},
        next_action="Say",
        errors=[("NoMatchingError", "Say")],
    )
    found = run(make_flow(block, say("Say", "End", Text="[$.FlowAttributes.a]")))
    assert passed(found)[0] == ("Set", way)
    assert heard(found) == ["[v]" if way == "next" else "[]"]


def test_attributes_of_more_than_32_kb_take_the_error_branch() -> None:
    block = Action.make(
        "Set",
        "UpdateContactAttributes",
        parameters={"Attributes": {"long": "$.Attributes.x$.Attributes.x"}},
        next_action="End",
        errors=[("NoMatchingError", "No")],
    )
    found = run(make_flow(block, NO), caller=Caller(attributes={"x": "x" * 17_000}))
    assert heard(found) == ["No."]


def test_a_reply_is_read_as_external_and_as_lambda_invocation() -> None:
    flow = make_flow(call("Ask", "Say"), say("Say", "End", Text="$.External.a $.LambdaInvocation.ResultData.a"))
    assert heard(run(flow, lambdas={"Ask": reply(a="1")})) == ["1 1"]


def test_what_a_bot_understood_is_read_as_lex() -> None:
    bot = Action.make(
        "Bot",
        "ConnectParticipantWithLexBot",
        parameters={"Text": "Yes?", "LexSessionAttributes": {"shop": "North"}},
        conditions=[("Equals", "Buy", "Say")],
        errors=[("NoMatchingCondition", "No"), ("NoMatchingError", "End")],
    )
    words = "$.Lex.IntentName $.Lex.Slots.what $.Lex.SessionAttributes.shop"
    flow = make_flow(bot, say("Say", "End", Text=words), NO)
    turn = Turn("Buy", slots={"what": "tea"}, seconds=2.5)
    found = run(flow, caller=Caller(turns=(turn,)))
    assert heard(found)[1] == "Buy tea North"
    assert found.longest_silence == 2.5
    assert heard(run(flow, caller=Caller(turns=(Turn(),))))[1] == "No."
    assert passed(run(flow))[0] == ("Bot", "NoMatchingError")


@pytest.mark.parametrize("text", ["It costs $5.", "$", "$.", "$.Nowhere.at.all!", "100 $ or more"])
def test_a_dollar_is_only_a_reference_where_it_is_one(text: str) -> None:
    said = heard(run(make_flow(say("Say", "End", Text=text + " End"))))
    assert said == [text.replace("$.Nowhere.at.all", "") + " End"]


# -- what the instance says


@pytest.mark.parametrize(("hours", "way"), [({}, "Equals True"), ({"h1": False}, "Equals False")])
def test_hours_are_those_of_the_instance(hours: dict[str, bool], way: str) -> None:
    block = Action.make(
        "Open?",
        "CheckHoursOfOperation",
        parameters={"HoursOfOperationId": "h1"},
        conditions=[("Equals", "True", "Yes"), ("Equals", "False", "No")],
        errors=[("NoMatchingError", "No")],
    )
    assert passed(run(make_flow(block, YES, NO), hours=hours))[0] == ("Open?", way)


def test_figures_are_those_of_the_instance() -> None:
    block = Action.make(
        "Agents?",
        "CheckMetricData",
        parameters={"MetricType": "NumberOfAgentsAvailable"},
        conditions=[("NumberGreaterThan", "0", "Yes")],
        errors=[("NoMatchingCondition", "No"), ("NoMatchingError", "No")],
    )
    flow = make_flow(block, YES, NO)
    assert heard(run(flow)) == ["No."]
    assert heard(run(flow, metrics={"NumberOfAgentsAvailable": 2})) == ["Yes."]


@pytest.mark.parametrize(("drawn", "said"), [(10, "Yes."), (60, "No.")])
def test_percentages_are_drawn(drawn: int, said: str) -> None:
    block = Action.make(
        "Draw",
        "DistributeByPercentage",
        conditions=[("NumberLessThan", "51", "Yes")],
        errors=[("NoMatchingCondition", "No")],
    )
    assert heard(run(make_flow(block, YES, NO), percentage=lambda: drawn)) == [said]


# -- what is not played


def test_an_action_that_is_not_played_takes_its_error_branch_and_says_so() -> None:
    block = Action.make("Secret", "AuthenticateParticipant", next_action="Yes", errors=[("NoMatchingError", "No")])
    found = run(make_flow(block, YES, NO))
    assert heard(found) == ["No."]
    assert "AuthenticateParticipant is not played here: it takes its error branch" in reasons(found)


def test_one_without_an_error_branch_is_passed_over() -> None:
    found = run(make_flow(Action.make("New", "SomethingOf2031", next_action="Yes"), YES))
    assert heard(found) == ["Yes."]
    assert any("SomethingOf2031 is not played here" in why for why in reasons(found))


def test_a_branch_that_is_not_there_ends_the_call_as_a_fault_of_the_flow() -> None:
    found = run(
        make_flow(Action.make("Ask", "InvokeLambdaFunction", parameters={"LambdaFunctionARN": "x"}, next_action="End"))
    )
    assert (found.end, found.is_proper) == ("failed", False)
    assert "there is no branch for it" in found.why


def test_a_target_that_is_not_there_does_too() -> None:
    assert "there is no action 'Nowhere'" in run(make_flow(say("Hello", "Nowhere"))).why
