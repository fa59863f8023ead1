"""The flow language: every shape on disk is read, nothing is lost, and what is no flow is explained."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.flow_types import CUSTOMER_QUEUE, MODULE, WORDS, read_flow_type
from flows.language import Action, Flow, FlowError, parse_flow
from flows.report import FileFinding, lint_source, render_json, render_text
from tests.flows.building import call, compare, describe, loop, make_flow, say, wait

POLL = make_flow(
    call("Ask", "Status"),
    compare("Status", "$.External.statusCode", "End", **{"202": "Hold", "200": "Answer"}),
    say("Hold", "Backstop"),
    loop("Backstop", "Poll", "End"),
    call("Poll", "Status", failing="Hold"),
    say("Answer", "End", SSML="$.External.ssml"),
    metadata={
        "entryPointPosition": {"x": 40, "y": 40.5},
        "ActionMetadata": {"Ask": {"position": {"x": 1, "y": 2}}, "Poll": {"Position": {"x": 3, "y": 4}}},
        "name": "Support",
        "type": "customerQueue",
    },
)
CONTENT = json.loads(POLL.to_json())
MODULE_CONTENT = {**CONTENT, "Settings": {"InputParameters": [], "OutputParameters": [], "Transitions": []}}
TEXT = json.dumps(CONTENT)


def read_error(source: bytes | str) -> FlowError:
    with pytest.raises(FlowError) as caught:
        parse_flow(source)
    return caught.value


@pytest.mark.parametrize(
    "source",
    [
        TEXT,
        json.dumps(TEXT),
        json.dumps({"ContactFlow": {"Name": "Support", "Type": "CUSTOMER_QUEUE", "Content": TEXT}}),
        json.dumps({"ContactFlow": {"Name": "Support", "Type": "CUSTOMER_QUEUE", "Content": CONTENT}}),
        json.dumps({"Name": "Support", "Type": "CUSTOMER_QUEUE", "Content": TEXT}),
        json.dumps({"ContactFlowModule": {"Name": "Support", "Content": TEXT}}),
    ],
    ids=["content", "content as a text", "describe", "describe with an object", "name, type, content", "module"],
)
def test_each_shape_on_disk_gives_the_same_actions(source: str) -> None:
    flow = parse_flow(source)
    assert flow.actions == POLL.actions
    assert flow.name == "Support"
    assert flow.start == "Ask"


def test_the_type_comes_from_describe_output_before_the_designers_metadata() -> None:
    assert parse_flow(TEXT).type == CUSTOMER_QUEUE
    assert parse_flow(TEXT).declared_type == ""
    declared = parse_flow(json.dumps({"Name": "S", "Type": "AGENT_WHISPER", "Content": TEXT}))
    assert (declared.type, declared.declared_type) == ("AGENT_WHISPER", "AGENT_WHISPER")


@pytest.mark.parametrize(
    "source",
    [
        json.dumps(MODULE_CONTENT),
        json.dumps({"ContactFlowModule": {"Name": "M", "Content": TEXT}}),
        json.dumps({"ContactFlowModule": {"Name": "M", "Content": TEXT, "Settings": "{}"}}),
        Flow.make([Action.make("Return", "EndFlowModuleExecution")], start="Return").to_json(),
    ],
    ids=["settings in the content", "module's describe output", "settings beside the content", "return block"],
)
def test_modules_are_told_from_flows(source: str) -> None:
    assert parse_flow(source).is_module
    assert not parse_flow(TEXT).is_module


@pytest.mark.parametrize("kind", sorted(set(WORDS) - {MODULE}))
def test_every_type_of_flow_is_known_by_the_apis_name_and_the_consoles(kind: str) -> None:
    console = kind.title().replace("_", "")
    assert read_flow_type(kind) == read_flow_type(console[0].lower() + console[1:]) == kind


def test_both_spellings_of_positions_are_read() -> None:
    assert POLL.find_position() == (40, 40.5)
    assert POLL.find_position("Ask") == (1, 2)
    assert POLL.find_position("Poll") == (3, 4)
    assert POLL.find_position("Hold") is None
    assert parse_flow(TEXT.replace("entryPointPosition", "EntryPointPosition")).find_position() == (40, 40.5)


def test_an_actions_ways_out_are_read_in_their_order() -> None:
    ways = POLL.by_id["Status"].transitions
    assert [(way.kind, way.operand or way.error, way.target) for way in ways] == [
        ("next", "", "End"),
        ("condition", "202", "Hold"),
        ("condition", "200", "Answer"),
        ("error", "NoMatchingCondition", "End"),
    ]
    assert POLL.by_id["Poll"].target_of_error("NoMatchingError") == "Hold"
    assert POLL.by_id["End"].next == ""


def test_unknown_actions_and_keys_are_kept() -> None:
    content = {
        **CONTENT,
        "Later": [1, None],
        "Actions": [{"Identifier": "A", "Type": "BrewTea", "Parameters": {"Sugar": 2}, "More": True}],
    }
    flow = parse_flow(json.dumps(content))
    assert flow.actions[0].type == "BrewTea"
    assert flow.actions[0].parameters == {"Sugar": 2}
    assert json.loads(flow.to_json()) == content


@pytest.mark.parametrize("indent", [None, 1])
def test_what_is_read_is_written_back_the_same(indent: int | None) -> None:
    content = {**MODULE_CONTENT, "Actions": [*CONTENT["Actions"], {"Identifier": "é", "Type": "X"}], "n": 1.5e-7}
    assert json.loads(parse_flow(json.dumps(content)).to_json(indent=indent)) == content


def test_absent_and_empty_parts_of_an_action_stay_what_they_are() -> None:
    bodies: list[dict[str, Any]] = [
        {"Identifier": "A", "Type": "DisconnectParticipant"},
        {"Identifier": "B", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}},
        {"Identifier": "C", "Type": "Compare", "Transitions": {"NextAction": "", "Errors": None}},
    ]
    flow = parse_flow(json.dumps({**CONTENT, "Actions": bodies}))
    assert json.loads(flow.to_json())["Actions"] == bodies
    assert [action.transitions[:0] for action in flow.actions] == [(), (), ()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_encoding_of_json_is_read(encoding: str) -> None:
    text = TEXT.replace("One moment", "Einen Moment, schönen Dank 質問")
    assert "質問" in parse_flow(text.encode(encoding)).to_json()


def test_a_byte_order_mark_in_text_is_no_part_of_it() -> None:
    assert parse_flow("\ufeff" + TEXT).actions == POLL.actions


def test_half_a_surrogate_pair_is_written_so_that_it_can_be_stored() -> None:
    flow = parse_flow(TEXT.replace("One moment", "\\ud800"))
    assert json.loads(flow.to_json().encode()) == flow.content


def test_a_legacy_export_is_explained() -> None:
    error = read_error(json.dumps({"modules": [{"id": "1", "type": "PlayPrompt"}], "version": "1", "start": "1"}))
    assert error.rule == "LEGACY_EXPORT"
    assert "before 2022" in error.message
    assert "export it again" in error.advice


def test_an_illegal_escape_within_the_content_is_explained_with_its_place() -> None:
    broken = TEXT.replace("One moment", "I\\'m here")
    error = read_error(json.dumps({"ContactFlow": {"Name": "Support", "Content": broken}}))
    assert error.rule == "NOT_JSON"
    assert error.place == f"line 1, column {broken.index(chr(92)) + 1} of Content"
    assert "write ' without a backslash" in error.advice


@pytest.mark.parametrize(
    ("source", "rule", "says"),
    [
        ("", "NOT_JSON", "nothing"),
        (" \n ", "NOT_JSON", "nothing"),
        ('{"Actions": [,]}', "NOT_JSON", "line 1, column 14"),
        (b"PK\x03\x04\x14\xff\xfe\x00", "NOT_JSON", "byte 6"),
        ('{"Actions": [NaN]}', "NOT_JSON", "NaN"),
        ('{"Actions": [1e999]}', "NOT_JSON", "1e999"),
        ('{"Actions": [' + "9" * 5000 + "]}", "NOT_JSON", "number"),
        ("[" * 100_000, "NOT_A_FLOW", "nests"),
        ("[" * 200 + "]" * 200, "NOT_A_FLOW", "nests"),
        ("null", "NOT_A_FLOW", "null"),
        ("[]", "NOT_A_FLOW", "a list"),
        ("7", "NOT_A_FLOW", "a number"),
        ("{}", "NOT_A_FLOW", "empty"),
        ('{"Resources": {}}', "NOT_A_FLOW", "CloudFormation"),
        ('{"ContactFlowSummaryList": []}', "NOT_A_FLOW", "names"),
        ('{"Version": "2019-10-30", "StartAction": "A"}', "NOT_A_FLOW", "without 'Actions'"),
        ('{"Actions": {}}', "NOT_A_FLOW", "no list"),
        (json.dumps(json.dumps(json.dumps(json.dumps(json.dumps(json.dumps("x")))))), "NOT_A_FLOW", "a text"),
    ],
)
def test_what_is_no_flow_is_named(source: bytes | str, rule: str, says: str) -> None:
    error = read_error(source)
    assert error.rule == rule
    assert says in str(error)


@pytest.mark.parametrize(
    ("action", "place"),
    [
        ("A", "Actions[0]"),
        ({"Type": "Compare"}, "Actions[0].Identifier"),
        ({"Identifier": 7, "Type": "Compare"}, "Actions[0].Identifier"),
        ({"Identifier": "A"}, "Actions[0].Type"),
        ({"Identifier": "A", "Type": "Compare", "Parameters": []}, "Actions[0].Parameters"),
        ({"Identifier": "A", "Type": "Compare", "Transitions": "B"}, "Actions[0].Transitions"),
        ({"Identifier": "A", "Type": "Compare", "Transitions": {"NextAction": 1}}, "Actions[0].Transitions.NextAction"),
        ({"Identifier": "A", "Type": "Compare", "Transitions": {"Errors": {}}}, "Actions[0].Transitions.Errors"),
        (
            {"Identifier": "A", "Type": "Compare", "Transitions": {"Errors": [{"NextAction": "B"}]}},
            "Actions[0].Transitions.Errors[0].ErrorType",
        ),
        (
            {"Identifier": "A", "Type": "Compare", "Transitions": {"Conditions": [{"NextAction": "B"}]}},
            "Actions[0].Transitions.Conditions[0].Condition",
        ),
        (
            {"Identifier": "A", "Type": "Compare", "Transitions": {"Conditions": ["B"]}},
            "Actions[0].Transitions.Conditions[0]",
        ),
    ],
)
def test_a_malformed_action_is_named_with_its_json_path(action: Any, place: str) -> None:
    error = read_error(json.dumps({**CONTENT, "Actions": [action]}))
    assert (error.rule, error.place) == ("MALFORMED_ACTION", place)
    assert error.advice


def test_keys_that_stand_twice_are_kept_in_mind() -> None:
    twice = TEXT.replace('"StartAction"', '"StartAction": "Gone", "StartAction"')
    assert parse_flow(twice).repeated_keys == ("StartAction",)
    assert parse_flow(json.dumps({"Content": twice})).repeated_keys == ("StartAction",)


def test_the_first_of_two_actions_with_one_identifier_counts() -> None:
    flow = make_flow(say("A", "End", Text="first"), say("A", "End", Text="second"))
    assert flow.by_id["A"].parameters == {"Text": "first"}
    assert len(flow.actions) == 3


def test_names_that_mean_something_to_programs_mean_nothing_here() -> None:
    flow = parse_flow(TEXT.replace("Hold", "__proto__").replace("One moment", "{0} %s ${x}"))
    assert flow.by_id["__proto__"].next == "Backstop"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=4)
            | st.sampled_from(["Actions", "Content", "ContactFlow", "modules", "StartAction", "Metadata", "Settings"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def read_or_explain(source: bytes | str) -> None:
    """Either a flow, which can be linted and written, or an explanation; both can be shown."""
    findings = [FileFinding("flow.json", finding) for finding in lint_source(source)]
    render_text(findings, files=1).encode()
    assert len(json.loads(render_json(findings))) == len(findings)
    try:
        flow = parse_flow(source)
    except FlowError:
        assert [found.finding.severity for found in findings] == ["error"]
    else:
        assert json.loads(flow.to_json().encode()) == flow.content


@given(JSON)
def test_any_json_is_a_flow_or_explained(value: Any) -> None:
    read_or_explain(json.dumps(value))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_flow_or_explained(source: bytes) -> None:
    read_or_explain(source)


RICH = make_flow(*POLL.actions[:-1], wait("Wait", "End", playing="Hold"), metadata=POLL.metadata)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(st.data())
def test_a_flow_with_anything_in_any_place_is_a_flow_or_explained(data: st.DataObject) -> None:
    content = json.loads(RICH.to_json())
    for _ in range(data.draw(st.integers(1, 3))):
        around: Any = content
        while isinstance(around, dict | list) and around:
            key = data.draw(st.sampled_from(sorted(around) if isinstance(around, dict) else range(len(around))))
            inner = around[key]
            if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
                around[key] = data.draw(JSON)
                break
            around = inner
    read_or_explain(json.dumps(content))


@given(st.integers(0, len(TEXT) - 1), st.text(max_size=3))
def test_a_damaged_file_is_a_flow_or_explained(position: int, noise: str) -> None:
    read_or_explain(TEXT[:position] + noise + TEXT[position + 1 :])


def test_every_type_of_flow_can_be_described() -> None:
    for kind in set(WORDS) - {MODULE}:
        assert parse_flow(describe(POLL, kind)).declared_type == kind
