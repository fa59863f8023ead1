"""The linter's rules on a flow as a document, and on the types of its actions."""

from __future__ import annotations

import json

import pytest

from flows.action_type import ActionType
from flows.actions import ACTIONS, REFUSED_TYPES
from flows.flow_types import AGENT_HOLD, CUSTOMER_QUEUE, CUSTOMER_WHISPER
from flows.language import Action, Flow, parse_flow
from flows.linter import lint
from tests.flows.building import END, call, change, describe, find, make_flow, pick, say


def make_row(count: int, *, text: str = "Hello.") -> Flow:
    """A flow of this many actions, prompts and the end."""
    names = [f"Say {number}" for number in range(count - 1)]
    return make_flow(*[say(name, then, Text=text) for name, then in zip(names, [*names[1:], "End"], strict=True)])


def test_a_sound_flow_has_no_finding() -> None:
    assert lint(make_flow(say("Hello", "Look up"), call("Look up", "End"))) == []


def test_a_version_that_connect_does_not_read_is_refused() -> None:
    content = json.loads(make_row(2).to_json())
    for version in ("2020-01-01", None, 20191030):
        assert ("VERSION", "") in find(parse_flow(json.dumps({**content, "Version": version})))
    assert find(parse_flow(json.dumps(content))) == set()


def test_a_repeated_key_is_found() -> None:
    text = make_row(2).to_json()
    assert find(parse_flow(text.replace('"StartAction"', '"StartAction":"x","StartAction"'))) == {("REPEATED_KEY", "")}


def test_250_actions_are_taken_and_251_are_not() -> None:
    assert find(make_row(250)) == set()
    assert find(make_row(251)) == {("TOO_MANY_ACTIONS", "")}


def test_content_counts_without_white_space() -> None:
    flow = make_row(100, text="x" * 2350)
    assert 240_000 < len(flow.to_json()) < 256_000
    assert find(flow) == set()
    assert pick(make_row(110, text="x" * 2400), "CONTENT_OVER_256000").severity == "error"


def test_content_that_only_white_space_makes_too_long_is_a_warning() -> None:
    content = make_row(2).to_json() + " " * 256_000
    wrapped = parse_flow(json.dumps({"Name": "Support", "Content": content}))
    assert pick(wrapped, "CONTENT_OVER_256000").severity == "warning"
    assert find(parse_flow(content)) == set()


def test_a_shared_identifier_is_found_once() -> None:
    flow = make_flow(say("A", "B"), say("B", "End"), say("B", "End", Text="Another."))
    assert find(flow) == {("DUPLICATE_IDENTIFIER", "B")}


@pytest.mark.parametrize(
    "name", ["", "x" * 51, *(f"a{letter}b" for letter in "%:(\\/)=$,;[]{}"), "__proto__", "toString", "constructor"]
)
def test_an_identifier_that_connect_refuses_is_found(name: str) -> None:
    flow = Flow.make([say("First", name), say(name, "End"), END], start="First")
    assert ("BAD_IDENTIFIER", name) in find(flow)


@pytest.mark.parametrize("name", ["x" * 50, "Play prompt #1 - 質問", "proto__", "5f1f9e6c-0a4b-4b62-9e5b-0f3a1d0f6b3e"])
def test_an_unusual_identifier_is_taken(name: str) -> None:
    assert find(make_flow(say(name, "End"))) == set()


@pytest.mark.parametrize("start", ["", "hello", "Nobody"])
def test_a_start_that_is_no_action_is_found(start: str) -> None:
    assert find(Flow.make([say("Hello", "End"), END], start=start)) == {("MISSING_START_ACTION", "")}


def test_a_flow_without_actions_has_no_start() -> None:
    assert find(Flow.make([], start="A")) == {("MISSING_START_ACTION", "")}


def test_a_branch_to_an_action_that_does_not_exist_is_found_with_the_branch() -> None:
    flow = make_flow(call("Look up", "end", failing="Nowhere"))
    messages = {found.message: found.fix for found in lint(flow) if found.rule == "DANGLING_TARGET"}
    assert len(messages) == 2
    assert any("NoMatchingError" in message and "'Nowhere'" in message for message in messages)
    assert any("'End'" in fix and "case" in fix for fix in messages.values())


def test_a_branch_that_leads_nowhere_is_found() -> None:
    assert ("DANGLING_TARGET", "Look up") in find(make_flow(call("Look up", "End", failing="")))


def test_an_action_that_nothing_leads_to_is_found() -> None:
    flow = make_flow(say("Hello", "End"), say("Lost", "Lost too"), say("Lost too", "End"))
    assert find(flow) == {("UNREACHABLE_ACTION", "Lost"), ("UNREACHABLE_ACTION", "Lost too")}


def test_an_action_that_only_an_error_leads_to_is_reachable() -> None:
    assert find(make_flow(call("Look up", "End", failing="Sorry"), say("Sorry", "End"))) == set()


def test_an_unknown_type_is_only_mentioned_and_its_branches_are_followed() -> None:
    flow = make_flow(Action.make("Tea", "BrewTea", next_action="Hello"), say("Hello", "End"))
    assert pick(flow, "UNKNOWN_ACTION").severity == "info"
    assert find(flow) == {("UNKNOWN_ACTION", "Tea")}


def test_a_slip_in_a_type_is_recognised() -> None:
    flow = make_flow(Action.make("Hello", "messageParticipant", next_action="End"))
    assert "'MessageParticipant'" in pick(flow, "UNKNOWN_ACTION").fix


@pytest.mark.parametrize("kind", sorted(REFUSED_TYPES))
def test_a_type_that_connect_refuses_is_found_with_the_right_one(kind: str) -> None:
    found = pick(make_flow(Action.make("Hello", kind, next_action="End")), "REFUSED_ACTION_TYPE")
    assert found.severity == "error"
    assert REFUSED_TYPES[kind] in found.fix


def test_no_type_is_both_known_and_refused() -> None:
    assert not ACTIONS.keys() & REFUSED_TYPES.keys()


def test_an_action_in_a_type_of_flow_that_does_not_support_it_is_found() -> None:
    flow = parse_flow(describe(make_row(2), AGENT_HOLD))
    assert ("WRONG_FLOW_TYPE", "Say 0") in find(flow)
    assert pick(make_row(2), "WRONG_FLOW_TYPE", flow_type=CUSTOMER_WHISPER).action == "End"


def test_an_action_in_a_type_of_flow_that_supports_it_is_not() -> None:
    assert find(parse_flow(describe(make_row(2), CUSTOMER_QUEUE))) == set()


def test_the_designers_metadata_makes_a_wrong_type_a_warning() -> None:
    flow = make_flow(say("Hello", "End"), metadata={"type": "agentHold"})
    assert {found.severity for found in lint(flow)} == {"warning"}


def test_rules_on_types_are_silent_where_the_type_is_unknown() -> None:
    flow = make_flow(Action.make("Music", "MessageParticipantIteratively", parameters={"Messages": [{"Text": "la"}]}))
    assert find(flow) == {("UNREACHABLE_ACTION", "End")}


def test_every_type_of_the_table_has_a_name_and_means_something() -> None:
    for kind, known in ACTIONS.items():
        assert isinstance(known, ActionType)
        assert known.block, kind
        assert not {*known.errors} & {*known.optional_errors}, kind
        assert set(known.required_results) <= set(known.results) or kind == "Wait", kind
        assert not known.refused.keys() & known.parameters.keys(), kind


def test_uuids_are_named_by_their_block_and_words() -> None:
    name = "5f1f9e6c-0a4b-4b62-9e5b-0f3a1d0f6b3e"
    flow = make_flow(change(say(name, "End", Text="Welcome to the bank"), Transitions={}))
    assert 'Play prompt 5f1f9e6c ("Welcome to the bank")' in pick(flow, "MISSING_NEXT_ACTION").message


def test_the_gravest_findings_come_first() -> None:
    flow = make_flow(call("Look up", "Gone", seconds="3"), say("Lost", "End"))
    assert [found.severity for found in lint(flow)] == ["error", "warning", "warning"]
