"""The linter's rules on parameters: names, JSON types and values."""

from __future__ import annotations

from typing import Any

import pytest

from flows.language import Action
from tests.flows.building import ARN, ask, call, compare, find, loop, make_flow, pick, save, say
from tests.flows.test_linter_branches import COMPLETE, find_at_it, make_complete


def make(kind: str, **parameters: Any) -> Action:
    """A complete action of this type with these parameters instead, or besides."""
    known = {**COMPLETE.get(kind, {}), **parameters}
    kept = {name: value for name, value in known.items() if value is not None}
    action = make_complete(kind)
    return Action.make(
        "It",
        kind,
        parameters=kept,
        next_action=action.next,
        conditions=[(way.operator, way.operand, way.target) for way in action.conditions],
        errors=[(way.error, way.target) for way in action.errors],
    )


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("InvokeLambdaFunction", "LambdaFunctionARN"),
        ("LoadLambdaFunctionResult", "LambdaInvocationId"),
        ("Wait", "TimeLimitSeconds"),
        ("Compare", "ComparisonValue"),
        ("Loop", "LoopCount"),
        ("CheckMetricData", "MetricType"),
        ("TransferToFlow", "ContactFlowId"),
        ("GetParticipantInput", "StoreInput"),
        ("GetParticipantInput", "InputTimeLimitSeconds"),
        ("UpdateContactAttributes", "Attributes"),
        ("UpdateFlowLoggingBehavior", "FlowLoggingBehavior"),
        ("InvokeFlowModule", "FlowModuleId"),
    ],
)
def test_a_parameter_that_connect_asks_for_is_missed(kind: str, name: str) -> None:
    assert "MISSING_PARAMETER" in find_at_it(make(kind, **{name: None}))
    assert find_at_it(make(kind)) == set()


def test_a_prompt_needs_something_to_play() -> None:
    assert find_at_it(make("MessageParticipant", Text=None)) == {"MISSING_PARAMETER"}


@pytest.mark.parametrize(
    "parameters",
    [{"Text": "Hello."}, {"SSML": "<speak/>"}, {"PromptId": "arn"}, {"Media": {"Uri": "s3://a/b.wav"}}],
)
def test_each_way_to_say_something_is_enough(parameters: dict[str, Any]) -> None:
    assert find(make_flow(say("It", "End", **parameters))) == set()


def test_a_bot_needs_words_or_an_initial_message() -> None:
    assert find_at_it(make("ConnectParticipantWithLexBot", Text=None)) == {"MISSING_PARAMETER"}
    initial = {"LexInitializationData": {"InitialMessage": "$.Media.InitialMessage"}}
    assert find_at_it(make("ConnectParticipantWithLexBot", Text=None, **initial)) == set()


def test_stored_input_needs_a_validation() -> None:
    errors = [("NoMatchingError", "End")]
    stored = {"Text": "Your number?", "InputTimeLimitSeconds": "5", "StoreInput": "True"}
    action = Action.make("It", "GetParticipantInput", parameters=stored, next_action="End", errors=errors)
    assert find_at_it(action) == {"MISSING_PARAMETER"}


@pytest.mark.parametrize(
    ("kind", "name", "right"),
    [
        ("Wait", "TimeoutSeconds", "TimeLimitSeconds"),
        ("TransferContactToQueue", "QueueId", "UpdateContactTargetQueue"),
        ("InvokeLambdaFunction", "FunctionArn", "LambdaFunctionARN"),
        ("InvokeLambdaFunction", "RequestAttributes", "LambdaInvocationAttributes"),
        ("UpdateContactTextToSpeechVoice", "VoiceId", "TextToSpeechVoice"),
        ("UpdateFlowLoggingBehavior", "LoggingBehavior", "FlowLoggingBehavior"),
        ("ConnectParticipantWithLexBot", "BotAliasArn", "LexV2Bot"),
        ("DisconnectParticipant", "Reason", "{}"),
    ],
)
def test_a_name_that_connect_refuses_is_found_with_the_right_one(kind: str, name: str, right: str) -> None:
    action = make(kind, **{name: "60"})
    assert find_at_it(action) == {"REFUSED_PARAMETER"}
    assert right in pick(make_flow(say("Hello", "It"), action), "REFUSED_PARAMETER").fix


def test_a_name_that_the_table_does_not_hold_is_taken() -> None:
    assert find_at_it(make("MessageParticipant", SkipWhenDTMFBufferEnabled="True")) == set()


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("MessageParticipant", {"SSML": "<speak>Hello.</speak>"}),
        ("UpdateContactTargetQueue", {"QueueId": "q", "AgentId": "a"}),
        ("ConnectParticipantWithLexBot", {"LexBot": {"Name": "a"}}),
        ("UpdateContactRoutingBehavior", {"QueuePriority": "1", "QueueTimeAdjustmentSeconds": "60"}),
    ],
)
def test_parameters_that_exclude_each_other_are_found(kind: str, parameters: dict[str, Any]) -> None:
    assert find_at_it(make(kind, **parameters)) == {"CONFLICTING_PARAMETERS"}
    assert find_at_it(make(kind)) == set()


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("MessageParticipant", {"Text": 7}),
        ("MessageParticipant", {"Text": ["Hello."]}),
        ("InvokeLambdaFunction", {"InvocationTimeLimitSeconds": 8}),
        ("GetParticipantInput", {"StoreInput": False}),
        ("UpdateContactAttributes", {"Attributes": {"attempts": 1}}),
        ("UpdateContactAttributes", {"Attributes": [["a", "b"]]}),
        ("UpdateFlowAttributes", {"FlowAttributes": {"kept": "flat"}}),
        ("UpdateFlowAttributes", {"FlowAttributes": {"kept": {"Value": 1}}}),
        ("Wait", {"Events": "CustomerReturned"}),
        ("Wait", {"TimeLimitSeconds": 60}),
        ("TagContact", {"Tags": "a:b"}),
    ],
)
def test_a_parameter_of_the_wrong_json_type_is_found(kind: str, parameters: dict[str, Any]) -> None:
    action = make(kind, **parameters)
    assert "WRONG_PARAMETER_TYPE" in find_at_it(action)
    assert pick(make_flow(action), "WRONG_PARAMETER_TYPE").severity == "error"


def test_a_loop_count_as_a_number_is_only_a_warning_since_connect_took_one() -> None:
    flow = make_flow(say("Hello", "It"), make("Loop", LoopCount=3))
    assert pick(flow, "WRONG_PARAMETER_TYPE").severity == "warning"


def test_what_a_view_or_a_lambda_is_given_may_hold_anything() -> None:
    data = {"Sections": [{"Items": [{"Copyable": True, "Rows": 3}]}]}
    assert find_at_it(make("ShowView", ViewData=data)) == set()
    assert find_at_it(make("InvokeLambdaFunction", LambdaInvocationAttributes={"limits": [1, True, None]})) == set()


@pytest.mark.parametrize("count", ["-1", "101", "1000"])
def test_a_loop_counts_from_0_to_100(count: str) -> None:
    assert ("LOOP_COUNT", "It") in find(make_flow(loop("It", "Hello", "End", count=count), say("Hello", "It")))


@pytest.mark.parametrize("count", ["0", "100", "$.Attributes.count", "${LoopCount}", "{{count}}"])
def test_a_loop_count_within_bounds_or_not_yet_known_is_taken(count: str) -> None:
    assert find(make_flow(loop("It", "Hello", "End", count=count), say("Hello", "It"))) == set()


@pytest.mark.parametrize("count", ["three", "1.5", "", "٣"])
def test_a_loop_count_that_is_no_number_is_found(count: str) -> None:
    assert ("LOOP_COUNT", "It") in find(make_flow(loop("It", "Hello", "End", count=count), say("Hello", "It")))


@pytest.mark.parametrize(
    ("seconds", "kind", "is_found"),
    [
        ("8", "SYNCHRONOUS", False),
        ("9", "SYNCHRONOUS", True),
        ("0", "SYNCHRONOUS", True),
        ("60", "SYNCHRONOUS", True),
        ("60", "ASYNCHRONOUS", False),
        ("61", "ASYNCHRONOUS", True),
        ("$.Attributes.limit", "SYNCHRONOUS", True),
        ("${LambdaTimeout}", "SYNCHRONOUS", False),
    ],
)
def test_a_lambda_has_8_seconds_or_60_while_the_flow_goes_on(seconds: str, kind: str, is_found: bool) -> None:
    flow = make_flow(call("It", "End", seconds=seconds, InvocationType=kind))
    assert (("LAMBDA_TIMEOUT", "It") in find(flow)) == is_found


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("Compare", {"ComparisonValue": "202"}),
        ("UpdateContactCallbackNumber", {"CallbackNumber": "+4930123456"}),
        ("Wait", {"TimeLimitSeconds": "604801"}),
        ("Wait", {"TimeLimitSeconds": "soon"}),
        ("GetParticipantInput", {"InputTimeLimitSeconds": "0"}),
        ("CheckMetricData", {"MetricType": "NumberOfAgents"}),
        ("UpdateFlowLoggingBehavior", {"FlowLoggingBehavior": "Enable"}),
        ("UpdateContactAttributes", {"TargetContact": "Other"}),
        ("CreateCallbackContact", {"RetryDelaySeconds": "300000"}),
    ],
)
def test_a_value_that_a_parameter_cannot_have_is_found(kind: str, parameters: dict[str, Any]) -> None:
    assert find_at_it(make(kind, **parameters)) == {"BAD_PARAMETER_VALUE"}


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("Compare", {"ComparisonValue": "$['Attributes']['x']"}),
        ("Compare", {"ComparisonValue": "{{attribute}}"}),
        ("Wait", {"TimeLimitSeconds": "604800"}),
        ("Wait", {"TimeLimitSeconds": "$.Attributes.wait"}),
        ("CreateCallbackContact", {"MaximumConnectionAttempts": "0"}),
        ("InvokeLambdaFunction", {"LambdaFunctionARN": "<<lookup lambda>>"}),
        ("TransferToFlow", {"ContactFlowId": "SELECT A FLOW"}),
    ],
)
def test_a_value_at_its_bound_a_reference_or_a_placeholder_is_taken(kind: str, parameters: dict[str, Any]) -> None:
    assert find_at_it(make(kind, **parameters)) == set()


def test_a_longer_time_than_the_designer_takes_is_a_warning_since_exports_have_it() -> None:
    assert pick(make_flow(ask("It", "End", InputTimeLimitSeconds="300")), "BAD_PARAMETER_VALUE").severity == "warning"
    assert find(make_flow(ask("It", "End", InputTimeLimitSeconds="180"))) == set()


def test_a_prompt_that_says_nothing_is_a_warning() -> None:
    assert pick(make_flow(say("It", "End", Text="")), "BAD_PARAMETER_VALUE").severity == "warning"


@pytest.mark.parametrize(("length", "is_found"), [(140, False), (141, True)])
def test_an_arn_of_over_140_characters_cannot_be_associated(length: int, is_found: bool) -> None:
    arn = ARN + "x" * (length - len(ARN) - 5) + ":live"
    assert len(arn) == length
    flow = make_flow(call("It", "End", LambdaFunctionARN=arn))
    assert (("ALIAS_ARN_OVER_140", "It") in find(flow)) == is_found


def test_a_long_placeholder_is_no_arn() -> None:
    arn = "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${" + "x" * 120 + "}"
    assert find(make_flow(call("It", "End", LambdaFunctionARN=arn))) == set()


def test_sound_parameters_have_no_finding() -> None:
    flow = make_flow(save("Keep", "Which", "$.External.ticket"), compare("Which", "$.Channel", "End", VOICE="End"))
    assert find(flow) == set()
