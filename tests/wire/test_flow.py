"""The contract with the flow: any event in, a flat map of strings out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectgenai.wire.flow import FlowCall, Reply, choose_language

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
)
KEYS = {"statusCode", "ticket", "cursor", "play", "text", "ssml", "audio", "source", "reason", "estimate"}
OFFERED = {"en-US": 1, "de-DE": 2, "en-GB": 3}


def event(**contact: object) -> dict[str, object]:
    return {
        "Name": "ContactFlowEvent",
        "Details": {"ContactData": contact, "Parameters": {"topic": "faq", "question": "Why?"}},
    }


@given(JSON)
def test_an_event_of_any_shape_is_a_call(anything: object) -> None:
    for shape in (anything, {"Details": anything}, {"Details": {"ContactData": anything, "Parameters": anything}}):
        assert FlowCall.from_event(shape).contact_id


@pytest.mark.parametrize("channel", ["VOICE", "CHAT", "TASK", "EMAIL", "Voice", "SOMETHING_NEW"])
def test_every_channel_is_accepted(channel: str) -> None:
    assert FlowCall.from_event(event(Channel=channel, ContactId="c")).channel == channel.upper()


def test_null_endpoints_and_queues_are_no_caller() -> None:
    call = FlowCall.from_event(
        event(ContactId="c", CustomerEndpoint=None, SystemEndpoint=None, Queue=None, InitialContactId=None)
    )
    assert (call.caller, call.initial_contact_id) == ("", "c")


def test_the_callers_number_and_language_come_from_the_contact_unless_the_flow_says_otherwise() -> None:
    given = event(
        ContactId="c", LanguageCode="de-DE", CustomerEndpoint={"Address": "+1555", "Type": "TELEPHONE_NUMBER"}
    )
    assert (FlowCall.from_event(given).language, FlowCall.from_event(given).caller) == ("de-DE", "+1555")
    given["Details"]["Parameters"] |= {"language": "en-GB", "caller": "+49"}  # type: ignore[index]
    assert (FlowCall.from_event(given).language, FlowCall.from_event(given).caller) == ("en-GB", "+49")


def test_half_a_character_is_replaced_so_that_the_event_can_be_stored_and_sent_on() -> None:
    event = {"Details": {"ContactData": {"ContactId": "c\ud800"}, "Parameters": {"question": "Why \udfff?"}}}
    call = FlowCall.from_event(event)
    assert (call.contact_id, call.parameter("question")) == ("c?", "Why ??")


def test_two_contacts_without_an_id_are_not_the_same_contact() -> None:
    assert FlowCall.from_event({}).contact_id != FlowCall.from_event({}).contact_id


def test_a_number_as_parameter_is_read_as_text() -> None:
    assert FlowCall.from_event({"Details": {"Parameters": {"budget": 7}}}).parameter("budget") == "7"


@given(st.text(max_size=50), st.text(max_size=20))
def test_a_reply_has_every_key_and_only_strings(text: str, reason: str) -> None:
    reply = Reply(status="206", text=text, reason=reason).to_map()
    assert set(reply) == KEYS
    assert all(isinstance(v, str) for v in reply.values())
    assert json.loads(json.dumps(reply)) == reply


def test_play_says_which_of_the_three_to_play() -> None:
    assert Reply(status="202").to_map()["play"] == "nothing"
    assert Reply(status="202", audio="s3://b/k", text="heard").to_map()["play"] == "audio"
    assert Reply(status="200", text="a < b").to_map()["ssml"] == "<speak>a &lt; b</speak>"
    assert Reply(status="202", text="x", ssml="<speak><p>x</p></speak>").to_map()["ssml"] == "<speak><p>x</p></speak>"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("en-GB", "en-GB"), ("en_us", "en-US"), ("en-AU", "en-US"), ("de", "de-DE"), ("", "en-US"), ("tlh", "")],
)
def test_the_nearest_offered_language_is_chosen(wanted: str, found: str) -> None:
    assert choose_language(wanted, offered=OFFERED) == found
