"""What is heard and for how long, what keys do, and what chat reads; and hanging up in any second of it."""

from __future__ import annotations

from typing import Any

import pytest

from flows.flow_types import CUSTOMER_QUEUE
from flows.language import Action
from flows.runner.contact import Caller
from tests.flows.building import ask, make_flow, say
from tests.flows.running import heard, passed, reasons, run

CHAT = Caller(channel="CHAT")


def speak(**parameters: Any) -> Any:
    return make_flow(say("Speak", "End", **parameters))


# -- how long


@pytest.mark.parametrize(
    ("parameters", "seconds", "silence"),
    [
        ({"Text": "x" * 30}, 2.0, 0.0),
        ({"SSML": f"<speak>{'x' * 30}</speak>"}, 2.0, 0.0),
        ({"SSML": f'<speak>{"x" * 30}<break time="1500ms"/>{"y" * 15}</speak>'}, 4.5, 1.5),
        ({"SSML": f'<speak>{"x" * 30}<break time="2s"/></speak>'}, 4.0, 2.0),
        ({"SSML": '<speak><break strength="x-strong"/></speak>'}, 1.0, 1.0),
        ({"SSML": '<speak><break time="60s"/></speak>'}, 10.0, 10.0),
        ({"SSML": "<speak>a &amp; b<prosody rate='slow'> c</prosody></speak>"}, 7 / 15, 0.0),
        ({"Media": {"Uri": "s3://b/long.wav", "SourceType": "S3", "MediaType": "Audio"}}, 7.0, 0.0),
        ({"PromptId": "arn:aws:connect:us-east-1:1:instance/i/prompt/p"}, 3.0, 0.0),
    ],
)
def test_a_prompt_lasts_as_long_as_its_words_pauses_and_recordings(
    parameters: dict[str, Any], seconds: float, silence: float
) -> None:
    found = run(speak(**parameters), audio_seconds=lambda uri: 7.0 if uri.endswith("long.wav") else 3.0)
    assert found.seconds == pytest.approx(seconds, abs=1e-5)
    assert found.longest_silence == pytest.approx(silence, abs=1e-5)
    assert passed(found)[0] == ("Speak", "next")


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"Text": "$.External.nothing"}, "there is nothing to say"),
        ({"Text": "x" * 3_001}, "3001 characters are spoken"),
        ({"SSML": "<speak>" + "<break/>" * 800 + "</speak>"}, "more than one prompt takes"),
        ({"SSML": "<speak>broken"}, "the SSML does not parse"),
        ({"SSML": "<p>no speak</p>"}, "SSML begins with <speak>"),
        ({"SSML": "<!DOCTYPE x [<!ENTITY a 'b'>]><speak>&a;</speak>"}, "no document type"),
        ({"Media": {"Uri": "$.External.audio", "SourceType": "S3", "MediaType": "Audio"}}, "there is no recording"),
    ],
)
def test_what_cannot_be_played_takes_the_error_branch(parameters: dict[str, Any], why: str) -> None:
    found = run(speak(**parameters))
    assert passed(found)[0] == ("Speak", "NoMatchingError")
    assert why in reasons(found)[0]


def test_recordings_from_s3_are_not_played_in_queues() -> None:
    media = {"Media": {"Uri": "s3://b/x.wav", "SourceType": "S3", "MediaType": "Audio"}}
    assert passed(run(speak(**media), flow_type=CUSTOMER_QUEUE))[0] == ("Speak", "NoMatchingError")


def test_a_prompt_of_an_old_flow_that_has_no_error_branch_is_passed_over() -> None:
    old = Action.make("Old", "MessageParticipant", parameters={"Text": "$.External.nothing"}, next_action="New")
    found = run(make_flow(old, say("New", "End", Text="Hello.")))
    assert heard(found) == ["Hello."]
    assert "there is nothing to say" in reasons(found)[0]


def test_silence_is_what_lies_between_two_sounds() -> None:
    pause = '<speak><break time="2s"/></speak>'
    found = run(
        make_flow(
            say("A", "B", Text="x" * 15),
            say("B", "C", SSML=pause),
            say("C", "D", SSML=pause),
            say("D", "End", Text="y" * 15),
        )
    )
    assert (found.longest_silence, found.total_silence) == (4.0, 4.0)
    assert [(e.at, e.seconds) for e in found.events if e.kind == "silence"] == [(1.0, 4.0)]


# -- chat


def test_chat_reads_at_once() -> None:
    found = run(speak(Text="x" * 1_500), caller=CHAT)
    assert (found.seconds, heard(found)) == (0.0, ["x" * 1_500])


def test_chat_reads_ssml_with_its_tags_and_the_transcript_says_so() -> None:
    found = run(speak(SSML="<speak>Hello</speak>"), caller=CHAT)
    assert heard(found) == ["<speak>Hello</speak>"]
    assert "SSML is shown with its tags" in reasons(found)[0]


@pytest.mark.parametrize("parameters", [{"PromptId": "p"}, {"Media": {"Uri": "s3://b/x.wav"}}])
def test_recordings_keys_and_loop_prompts_are_not_for_chat(parameters: dict[str, Any]) -> None:
    assert passed(run(speak(**parameters), caller=CHAT))[0] == ("Speak", "NoMatchingError")
    assert passed(run(make_flow(ask("Menu", "End")), caller=CHAT))[0] == ("Menu", "NoMatchingError")
    assert passed(run(make_flow(repeat("Music")), caller=CHAT))[0] == ("Music", "NoMatchingError")


# -- keys


@pytest.mark.parametrize(
    ("keys", "way", "at"),
    [
        (((0.2, "1"),), "Equals 1", 0.2),
        (((3.0, "1"),), "Equals 1", 3.0),
        (((3.0, "2"),), "NoMatchingCondition", 3.0),
        ((), "InputTimeLimitExceeded", 8 / 15 + 5),
    ],
)
def test_a_key_chooses_and_cuts_the_prompt_short(keys: Any, way: str, at: float) -> None:
    found = run(make_flow(ask("Menu", "Yes"), say("Yes", "End")), caller=Caller(keys=keys))
    assert passed(found)[0] == ("Menu", way)
    assert next(e.at for e in found.events if e.kind == "step") == pytest.approx(at, abs=1e-5)
    assert ("cut" in {event.kind for event in found.events}) == (at == 0.2)


def store(**parameters: Any) -> Any:
    known = {"Text": "Your number?", "InputTimeLimitSeconds": "5", "StoreInput": "True", **parameters}
    errors = [(error, "End") for error in ("InvalidPhoneNumber", "NoMatchingError")]
    block = Action.make("Store", "GetParticipantInput", parameters=known, next_action="Say", errors=errors)
    return make_flow(block, say("Say", "End", Text="[$.StoredCustomerInput]"))


def enter(keys: str, *, every: float = 1.0, began: float = 1.0) -> Caller:
    return Caller(keys=tuple((began + every * number, key) for number, key in enumerate(keys)))


@pytest.mark.parametrize(
    ("keys", "parameters", "stored"),
    [
        ("123#", {}, "123"),
        ("12345", {"InputValidation": {"CustomValidation": {"MaximumLength": "4"}}}, "1234"),
        ("12*34#", {}, "34"),
        ("12*3#", {"DTMFConfiguration": {"DisableCancelKey": "True"}}, "12*3"),
        ("12##3", {"DTMFConfiguration": {"InputTerminationSequence": "##"}}, "12"),
        ("", {}, "Timeout"),
    ],
)
def test_what_is_entered_is_stored(keys: str, parameters: dict[str, Any], stored: str) -> None:
    assert heard(run(store(**parameters), caller=enter(keys)))[1] == f"[{stored}]"


def test_entering_ends_when_no_further_key_comes() -> None:
    settings = {"DTMFConfiguration": {"InterdigitTimeLimitSeconds": "2"}}
    assert heard(run(store(**settings), caller=enter("123", every=3.0)))[1] == "[1]"


def test_a_phone_number_is_checked() -> None:
    validation = {"InputValidation": {"PhoneNumberValidation": {"NumberFormat": "E164"}}}
    assert passed(run(store(**validation), caller=enter("12#")))[0] == ("Store", "InvalidPhoneNumber")
    assert heard(run(store(**validation), caller=enter("15550100123#", every=0.5)))[1] == "[15550100123]"


def test_keys_pressed_before_the_menu_are_not_for_it() -> None:
    flow = make_flow(say("Long", "Menu", Text="x" * 60), ask("Menu", "End"))
    found = run(flow, caller=Caller(keys=((1.0, "1"),)))
    assert ("Menu", "InputTimeLimitExceeded") in passed(found)


# -- Loop prompts


def repeat(name: str, *, interrupt: str = "", **parameters: Any) -> Action:
    known = {
        "Messages": [{"PromptId": "music"}],
        **({"InterruptFrequencySeconds": interrupt} if interrupt else {}),
        **parameters,
    }
    ways = [("Equals", "MessagesInterrupted", "Word")] if interrupt else []
    return Action.make(
        name, "MessageParticipantIteratively", parameters=known, conditions=ways, errors=[("NoMatchingError", "End")]
    )


@pytest.mark.parametrize("seconds", ["21", "21.7", "10"])
def test_music_is_interrupted_when_it_is_due_not_when_a_recording_ends(seconds: str) -> None:
    flow = make_flow(repeat("Music", interrupt=seconds), say("Word", "End", Text="x" * 15))
    found = run(flow, audio_seconds=lambda _: 4.0, flow_type=CUSTOMER_QUEUE)
    assert found.find_heard("x" * 15) == pytest.approx(float(seconds), abs=2e-3)
    assert found.longest_silence <= 2e-3


def test_music_without_an_end_plays_until_the_caller_leaves() -> None:
    found = run(make_flow(repeat("Music")), caller=Caller(hang_up_after=1_000), audio_seconds=lambda _: 4.0)
    assert (found.end, found.seconds) == ("hung_up", 1_000.0)


def test_or_until_an_agent_comes() -> None:
    found = run(make_flow(repeat("Music")), agent_after=90.0)
    assert (found.end, found.seconds) == ("agent", 90.0)


@pytest.mark.parametrize("messages", [[], [{"SSML": '<speak><break time="0ms"/></speak>'}], [{"Text": ""}]])
def test_music_that_is_nothing_takes_the_error_branch_instead_of_turning_for_ever(messages: list[Any]) -> None:
    found = run(make_flow(repeat("Music", interrupt="21", Messages=messages), say("Word", "End")))
    assert passed(found)[0] == ("Music", "NoMatchingError")


# -- hanging up


@pytest.mark.parametrize("second", [0.0, 0.5, 1.0, 2.5, 4.0, 4.4, 5.9, 8.0, 9.4])
def test_a_caller_may_hang_up_in_any_second(second: float) -> None:
    flow = make_flow(
        say("Words", "Pause", Text="x" * 30),
        say("Pause", "Menu", SSML='<speak><break time="2s"/></speak>'),
        ask("Menu", "End", Text="y" * 15, InputTimeLimitSeconds="10"),
    )
    found = run(flow, caller=Caller(hang_up_after=second))
    assert (found.end, found.seconds, found.is_proper) == ("hung_up", second, True)
    assert found.events[-1].kind == "end"


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e999", "soon", None, {}, ["5"], True])
def test_times_that_are_none_are_connects_defaults(value: Any) -> None:
    found = run(make_flow(ask("Menu", "End", InputTimeLimitSeconds=value)))
    assert found.seconds == pytest.approx(8 / 15 + 5, abs=1e-5)
