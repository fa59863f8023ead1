"""The linter's rules on what is said, and to whom: length, S3, chat."""

from __future__ import annotations

from typing import Any

import pytest

from flows.flow_types import CONTACT_FLOW, CUSTOMER_QUEUE, CUSTOMER_WHISPER
from flows.language import Action, Flow, parse_flow
from tests.flows.building import ask, compare, describe, find, make_flow, pick, say

MEDIA = {"Uri": "s3://bucket/music.wav", "SourceType": "S3", "MediaType": "Audio"}


def make_music(**message: Any) -> Action:
    return Action.make("It", "MessageParticipantIteratively", parameters={"Messages": [message]}, next_action="End")


@pytest.mark.parametrize(
    ("parameters", "is_found"),
    [
        ({"Text": "x" * 3000}, False),
        ({"Text": "x" * 3001}, True),
        ({"Text": "$.External.text"}, False),
        ({"Text": "x" * 2990 + "$.Attributes.aVeryLongName"}, False),
        ({"SSML": "<speak>" + "x" * 3000 + "</speak>"}, False),
        ({"SSML": "<speak>" + "x" * 3001 + "</speak>"}, True),
        ({"SSML": "<speak>" + '<break time="1s"/>' * 300 + "</speak>"}, False),
        ({"SSML": "<speak>" + '<break time="1s"/>' * 400 + "</speak>"}, True),
    ],
    ids=["3000", "3001", "dynamic", "partly dynamic", "ssml 3000", "ssml 3001", "tags", "over 6000 with tags"],
)
def test_a_prompt_has_at_most_3000_spoken_and_6000_characters(parameters: dict[str, str], is_found: bool) -> None:
    assert (("PROMPT_OVER_3000", "It") in find(make_flow(say("It", "End", **parameters)))) == is_found


@pytest.mark.parametrize("action", [ask("It", "End", Text="x" * 3001), make_music(Text="x" * 3001)])
def test_a_menu_and_looping_prompts_have_the_same_limit(action: Action) -> None:
    assert ("PROMPT_OVER_3000", "It") in find(make_flow(action))


@pytest.mark.parametrize("kind", [CUSTOMER_QUEUE, CUSTOMER_WHISPER])
def test_a_prompt_from_s3_in_a_queue_or_whisper_flow_is_found(kind: str) -> None:
    flow = make_flow(say("It", "End", Media=MEDIA))
    assert pick(parse_flow(describe(flow, kind)), "S3_PROMPT_IN_QUEUE_FLOW").severity == "error"


def test_looping_prompts_from_s3_are_a_warning_since_the_designer_offers_them() -> None:
    flow = parse_flow(describe(make_flow(make_music(Media=MEDIA)), CUSTOMER_QUEUE))
    assert pick(flow, "S3_PROMPT_IN_QUEUE_FLOW").severity == "warning"


def test_a_prompt_from_s3_elsewhere_or_of_the_library_is_sound() -> None:
    assert find(parse_flow(describe(make_flow(say("It", "End", Media=MEDIA)), CONTACT_FLOW))) == set()
    assert find(parse_flow(describe(make_flow(say("It", "End", PromptId="arn")), CUSTOMER_QUEUE))) == set()
    assert find(make_flow(say("It", "End", Media=MEDIA))) == set()


def make_channels(chat: str, *actions: Action) -> Flow:
    """A flow that asks for the channel, and says the same to both."""
    return make_flow(
        compare("Channel", "$.Channel", "Spoken", CHAT=chat), say("Spoken", "End", SSML="<speak/>"), *actions
    )


def test_ssml_that_chat_comes_to_is_found() -> None:
    assert find(make_channels("Spoken")) == {("SSML_ON_CHAT", "Spoken")}
    assert pick(make_channels("Spoken"), "SSML_ON_CHAT").severity == "warning"


def test_ssml_beside_a_text_for_chat_is_sound() -> None:
    assert find(make_channels("Written", say("Written", "End", Text="Hello."))) == set()


def test_ssml_is_sound_where_nothing_says_that_chat_comes() -> None:
    assert find(make_flow(say("Spoken", "End", SSML="<speak/>"))) == set()


def test_a_caller_of_the_linter_can_say_that_chat_comes() -> None:
    flow = make_flow(say("Spoken", "End", SSML="<speak/>"))
    assert find(flow, channels=["CHAT"]) == {("SSML_ON_CHAT", "Spoken")}
    assert find(flow, channels=["VOICE"]) == set()


def test_what_is_left_when_voice_is_sorted_out_is_not_voice() -> None:
    flow = make_flow(compare("Channel", "$.Channel", "Written", VOICE="End"), say("Written", "End", SSML="<speak/>"))
    assert find(flow) == {("SSML_ON_CHAT", "Written")}


def test_a_channel_that_was_sorted_out_before_does_not_come_again() -> None:
    flow = make_flow(
        compare("Channel", "$.Channel", "Voice?", CHAT="Written"),
        say("Written", "Voice?", Text="Hello."),
        compare("Voice?", "$.Channel", "End", VOICE="Spoken"),
        say("Spoken", "End", SSML="<speak/>"),
    )
    assert find(flow) == set()


def test_data_that_chooses_the_format_decides_who_hears_what() -> None:
    flow = make_channels("Format", compare("Format", "$.External.play", "End", ssml="Spoken"))
    assert find(flow) == set()


@pytest.mark.parametrize("action", [ask("It", "End"), say("It", "End", PromptId="arn"), say("It", "End", Media=MEDIA)])
def test_what_only_voice_can_hear_or_answer_is_found_where_chat_comes_to_it(action: Action) -> None:
    flow = make_flow(compare("Channel", "$.Channel", "End", CHAT="It"), action)
    assert find(flow) == {("VOICE_ONLY_ON_CHAT", "It")}
    assert find(make_flow(compare("Channel", "$.Channel", "End", VOICE="It"), action)) == set()
