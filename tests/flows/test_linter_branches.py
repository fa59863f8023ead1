"""The linter's rules on ways out: what each type of action must have, may have and must not have."""

from __future__ import annotations

from typing import Any

import pytest

from flows.action_type import ActionType
from flows.actions import ACTIONS, find_required_errors
from flows.language import Action
from tests.flows.building import ask, call, change, compare, find, loop, make_flow, pick, say, wait

# Parameters that make an action of each type complete, so that only its branches are looked at
COMPLETE: dict[str, dict[str, Any]] = {
    "MessageParticipant": {"Text": "Hello."},
    "MessageParticipantIteratively": {"Messages": [{"Text": "Hello."}]},
    "GetParticipantInput": {"Text": "Press 1.", "InputTimeLimitSeconds": "5", "StoreInput": "False"},
    "ConnectParticipantWithLexBot": {"Text": "Ask.", "LexV2Bot": {"AliasArn": "arn:aws:lex:x"}},
    "ShowView": {"ViewResource": {"Id": "view"}, "InvocationTimeLimitSeconds": "400"},
    "InvokeLambdaFunction": {"LambdaFunctionARN": "arn:aws:lambda:x", "InvocationTimeLimitSeconds": "8"},
    "LoadLambdaFunctionResult": {"LambdaInvocationId": "$.Attributes.kept"},
    "Wait": {"TimeLimitSeconds": "60"},
    "Compare": {"ComparisonValue": "$.Channel"},
    "Loop": {"LoopCount": "3"},
    "CheckMetricData": {"MetricType": "NumberOfAgentsStaffed"},
    "TransferToFlow": {"ContactFlowId": "flow"},
    "CreateCallbackContact": {
        "InitialCallDelaySeconds": "5",
        "MaximumConnectionAttempts": "1",
        "RetryDelaySeconds": "600",
    },
    "UpdateContactCallbackNumber": {"CallbackNumber": "$.StoredCustomerInput"},
    "UpdateContactAttributes": {"Attributes": {"a": "b"}},
    "UpdateFlowAttributes": {"FlowAttributes": {"a": {"Value": "b"}}},
    "UpdateContactTextToSpeechVoice": {"TextToSpeechVoice": "Joanna"},
    "UpdateContactRecordingBehavior": {"RecordingBehavior": {"RecordedParticipants": ["Agent"]}},
    "UpdateFlowLoggingBehavior": {"FlowLoggingBehavior": "Enabled"},
    "TagContact": {"Tags": {"a": "b"}},
    "UntagContact": {"TagKeys": ["a"]},
    "InvokeFlowModule": {"FlowModuleId": "module"},
}
RESULTS = {
    "Wait": ["WaitCompleted"],
    "Loop": ["ContinueLooping", "DoneLooping"],
    "CheckHoursOfOperation": ["True", "False"],
    "CheckMetricData": ["0"],
}
OPERATORS = {"CheckMetricData": "NumberGreaterThan"}


def make_complete(kind: str, *, without: str = "", extra: str = "") -> Action:
    """An action of this type with all that Connect asks of it, but for one error branch, or with one more."""
    known = ACTIONS[kind]
    parameters = COMPLETE.get(kind, {})
    errors = [*find_required_errors(kind, parameters), extra]
    return Action.make(
        "It",
        kind,
        parameters=parameters,
        next_action="" if known.is_end else "End",
        conditions=[(OPERATORS.get(kind, "Equals"), result, "End") for result in RESULTS.get(kind, [])],
        errors=[(error, "End") for error in errors if error and error != without],
    )


def find_at_it(action: Action) -> set[str]:
    """The rules that are broken at the action, leading into it from a prompt."""
    return {rule for rule, at in find(make_flow(say("Hello", "It"), action)) if at == "It"}


@pytest.mark.parametrize("kind", sorted(ACTIONS))
def test_a_complete_action_of_each_type_has_no_finding(kind: str) -> None:
    assert find_at_it(make_complete(kind)) == set()


REQUIRED = [(kind, error) for kind in sorted(ACTIONS) for error in find_required_errors(kind, COMPLETE.get(kind, {}))]


@pytest.mark.parametrize(("kind", "error"), REQUIRED)
def test_each_error_branch_that_connect_asks_for_is_missed(kind: str, error: str) -> None:
    assert find_at_it(make_complete(kind, without=error)) == {"MISSING_ERROR_BRANCH"}


def test_a_prompt_without_an_error_branch_is_taken_as_connect_takes_it() -> None:
    assert find(make_flow(change(say("Hello", "End"), Transitions={"NextAction": "End"}))) == set()


def test_a_chat_recording_needs_one_more_error_branch() -> None:
    kind = "UpdateContactRecordingAndAnalyticsBehavior"
    assert "InFlightRedactionConfigurationFailed" in find_required_errors(kind, {"ChatBehavior": {}})
    assert "InFlightRedactionConfigurationFailed" not in find_required_errors(kind, {"VoiceBehavior": {}})


CLOSED = [kind for kind, known in sorted(ACTIONS.items()) if known.is_closed and not known.is_end]


@pytest.mark.parametrize("kind", CLOSED)
def test_an_error_branch_that_connect_refuses_is_found(kind: str) -> None:
    assert find_at_it(make_complete(kind, extra="SomethingElse")) == {"UNKNOWN_ERROR_BRANCH"}


def test_an_error_branch_of_an_open_type_is_taken() -> None:
    assert find_at_it(make_complete("GetCase", extra="ContactNotLinked")) == set()


def test_stored_input_has_no_branch_for_its_keys() -> None:
    stored = {"InputTimeLimitSeconds": "5", "StoreInput": "True", "InputValidation": {"CustomValidation": {}}}
    errors = [("NoMatchingError", "End"), ("NoMatchingCondition", "End")]
    action = Action.make("It", "GetParticipantInput", parameters=stored, next_action="End", errors=errors)
    assert find_at_it(action) == {"UNKNOWN_ERROR_BRANCH"}
    action = Action.make("It", "GetParticipantInput", parameters=stored, next_action="End", errors=errors[:1])
    assert find_at_it(action) == set()


@pytest.mark.parametrize("kind", [kind for kind, known in sorted(ACTIONS.items()) if known.next == "required"])
def test_an_action_that_goes_nowhere_is_found(kind: str) -> None:
    action = make_complete(kind)
    ways = {key: value for key, value in action.body["Transitions"].items() if key != "NextAction"}
    assert find_at_it(change(action, Transitions=ways)) == {"MISSING_NEXT_ACTION"}


@pytest.mark.parametrize("kind", [kind for kind, known in sorted(ACTIONS.items()) if known.next == "optional"])
def test_an_action_that_plays_on_needs_no_next(kind: str) -> None:
    action = make_complete(kind)
    ways = {key: value for key, value in action.body["Transitions"].items() if key != "NextAction"}
    assert find_at_it(change(action, Transitions=ways)) == set()


@pytest.mark.parametrize("kind", [kind for kind, known in sorted(ACTIONS.items()) if known.is_end])
@pytest.mark.parametrize(
    "ways", [{"NextAction": "End"}, {"Errors": [{"NextAction": "End", "ErrorType": "NoMatchingError"}]}]
)
def test_an_end_that_goes_on_is_found(kind: str, ways: dict[str, Any]) -> None:
    assert find_at_it(change(make_complete(kind), Transitions=ways)) == {"END_WITH_TRANSITIONS"}


@pytest.mark.parametrize("ways", [None, {}, {"Errors": [], "Conditions": []}, {"NextAction": ""}])
def test_an_end_may_be_written_in_any_empty_way(ways: dict[str, Any] | None) -> None:
    assert find_at_it(change(make_complete("DisconnectParticipant"), Transitions=ways)) == set()


@pytest.mark.parametrize("kind", sorted(RESULTS))
def test_each_condition_that_connect_asks_for_is_missed(kind: str) -> None:
    action = make_complete(kind)
    for left_out in action.body["Transitions"]["Conditions"]:
        conditions = [one for one in action.body["Transitions"]["Conditions"] if one is not left_out]
        ways = {**action.body["Transitions"], "Conditions": conditions}
        assert find_at_it(change(action, Transitions=ways)) == {"MISSING_CONDITION"}


def test_a_wait_needs_a_condition_for_each_event() -> None:
    events = {"TimeLimitSeconds": "60", "Events": ["CustomerReturned"]}
    action = change(make_complete("Wait"), Parameters=events)
    assert pick(make_flow(action), "MISSING_CONDITION").severity == "error"
    assert "MISSING_CONDITION" not in find_at_it(wait("It", "End", playing="End"))


def test_what_is_not_documented_of_a_wait_is_only_a_warning() -> None:
    action = change(make_complete("Wait"), Parameters={"TimeLimitSeconds": "60", "ContinueExecution": "TRUE"})
    assert pick(make_flow(action), "MISSING_CONDITION").severity == "warning"


@pytest.mark.parametrize(
    "action",
    [
        Action.make(
            "It", "Loop", parameters={"LoopCount": "3"}, next_action="End", conditions=[("Equals", "Done", "End")]
        ),
        Action.make("It", "InvokeLambdaFunction", next_action="End", conditions=[("Equals", "200", "End")]),
        Action.make("It", "GetParticipantInput", next_action="End", conditions=[("Equals", "12", "End")]),
        Action.make("It", "GetParticipantInput", next_action="End", conditions=[("Equals", "A", "End")]),
        Action.make("It", "GetParticipantInput", next_action="End", conditions=[("TextStartsWith", "1", "End")]),
        Action.make("It", "CheckHoursOfOperation", next_action="End", conditions=[("Equals", "Maybe", "End")]),
        Action.make("It", "Wait", next_action="End", conditions=[("Equals", "LambdaReturned", "End")]),
        change(ask("It", "End"), Parameters={"InputTimeLimitSeconds": "5", "StoreInput": "True"}),
    ],
    ids=["loop", "lambda", "two keys", "a letter", "not equals", "hours", "wait", "stored input"],
)
def test_a_condition_that_the_type_does_not_take_is_found(action: Action) -> None:
    assert "UNKNOWN_CONDITION" in find_at_it(action)


@pytest.mark.parametrize("key", [*"0123456789*#"])
def test_every_key_can_be_a_menus_choice(key: str) -> None:
    conditions = [{"NextAction": "End", "Condition": {"Operator": "Equals", "Operands": [key]}}]
    action = ask("It", "End")
    assert find_at_it(change(action, Transitions={**action.body["Transitions"], "Conditions": conditions})) == set()


def make_compare(condition: Any) -> Action:
    action = compare("It", "$.External.statusCode", "End")
    conditions = [{"NextAction": "End", "Condition": condition}]
    return change(action, Transitions={**action.body["Transitions"], "Conditions": conditions})


def nest(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {"Operator": "Equals", "Operands": ["1"]}
    for _ in range(depth - 1):
        inner = {"Operator": "And", "Operands": [inner]}
    return inner


@pytest.mark.parametrize(
    "condition",
    [
        {"Operator": "NumericEquals", "Operands": ["1"]},
        {"Operands": ["1"]},
        {"Operator": "Equals", "Operands": []},
        {"Operator": "Equals", "Operands": ["1", "2"]},
        {"Operator": "Equals", "Operands": "1"},
        nest(6),
        {"Operator": "Or", "Operands": [nest(1)] * 51},
    ],
    ids=["operator", "no operator", "no operand", "two operands", "no list", "six deep", "51 inside"],
)
def test_what_is_no_condition_is_found(condition: Any) -> None:
    assert find_at_it(make_compare(condition)) == {"BAD_CONDITION"}


@pytest.mark.parametrize(
    "condition",
    [{"Operator": "NumberLessOrEqualTo", "Operands": ["1"]}, nest(5), {"Operator": "Or", "Operands": [nest(1)] * 50}],
)
def test_what_is_a_condition_is_taken(condition: Any) -> None:
    assert find_at_it(make_compare(condition)) == set()


@pytest.mark.parametrize(("operand", "written"), [(200, '"200"'), (True, '"true"'), (2.5, '"2.5"')])
def test_a_status_that_is_compared_with_no_text_is_found(operand: Any, written: str) -> None:
    action = make_compare({"Operator": "Equals", "Operands": [operand]})
    assert find_at_it(action) == {"NON_STRING_STATUS_COMPARE"}
    assert written in pick(make_flow(action), "NON_STRING_STATUS_COMPARE").fix


def test_a_status_that_is_compared_with_a_text_is_not() -> None:
    assert find_at_it(make_compare({"Operator": "Equals", "Operands": ["200"]})) == set()


def test_every_type_says_what_conditions_it_takes() -> None:
    for kind, known in ACTIONS.items():
        assert isinstance(known, ActionType)
        assert bool(known.results) == (known.conditions == "results"), kind


def test_a_lambda_and_a_loop_as_the_designer_writes_them_have_no_finding() -> None:
    flow = make_flow(say("Hello", "Backstop"), loop("Backstop", "Poll", "End"), call("Poll", "Hello"))
    assert find(flow) == set()
