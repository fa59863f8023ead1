"""The caller in real time, on a clock that the test turns: what is heard, when, and how long the line is silent."""

from __future__ import annotations

import time
from typing import Any

import pytest

from flows.caller import CONSUMER, PRODUCER, Dialled, place_call
from flows.generate import PAUSE_SECONDS
from flows.lambda_phone import LambdaError
from flows.runner.virtual_clock import VirtualClock
from flows.transcript import describe_event

# What the flow plays where a reply has nothing to play
PAUSE = PAUSE_SECONDS["poll"]
DIALLED = Dialled(topic="faq", question="Why?", contact_id="c1", caller="+15550100")


class Script:
    """Lambdas that reply as written: (seconds they take, status, what to play)."""

    def __init__(self, *replies: tuple[float, str, dict[str, str]]) -> None:
        self.clock, self.replies = VirtualClock(), list(replies)
        self.asked: list[tuple[str, dict[str, str]]] = []

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, str]:
        parameters = event["Details"]["Parameters"]
        self.asked.append((function, parameters))
        seconds, status, played = self.replies.pop(0)
        self.clock.sleep(seconds)
        if not status:
            raise LambdaError("it is down")
        blank = dict.fromkeys(("ticket", "cursor", "text", "ssml", "audio", "source", "reason", "estimate"), "")
        return {**blank, "statusCode": status, "ticket": "faq.1:1", "cursor": "0", "play": "nothing", **played}

    def call(self, **options: Any) -> list[dict[str, Any]]:
        with self.clock as clock:
            return list(place_call(DIALLED, invoke=self.invoke, audio_seconds=lambda _: 1.0, clock=clock, **options))


def speak(text: str) -> dict[str, str]:
    return {"play": "ssml", "text": text, "ssml": f"<speak>{text}</speak>"}


COMFORT = {"play": "audio", "audio": "s3://b/tone.wav"}


def test_a_wait_then_an_answer_in_parts() -> None:
    script = Script(
        (0.1, "202", {}), (2.0, "202", COMFORT), (1.0, "202", speak("x" * 30)), (0.5, "206", speak("y" * 15)), (0.1, "200", speak("z" * 15))
    )  # fmt: skip
    events = script.call()
    end = events[-1]
    assert [e["kind"] for e in events if e["event"] == "play"] == ["comfort", "prompt", "answer", "answer"]
    assert (end["outcome"], end["answer"], end["prompts"], end["lambda_calls"]) == (
        "answered",
        "y" * 15 + " " + "z" * 15,
        1,
        5,
    )
    assert end["longest_silence"] == pytest.approx(0.1 + PAUSE + 2.0)
    assert end["total_silence"] == pytest.approx(0.1 + PAUSE + 2.0 + 1.0 + 0.5 + 0.1)
    assert end["seconds_to_first_word"] == pytest.approx(0.1 + PAUSE + 2.0 + 1.0 + 1.0 + 2.0 + 0.5)
    assert [f for f, _ in script.asked] == [PRODUCER] + [CONSUMER] * 4
    assert script.asked[1][1] == {"ticket": "faq.1:1", "cursor": "0"}


def test_silence_goes_on_while_replies_play_nothing() -> None:
    end = Script((0.1, "202", {}), (2.0, "202", {}), (2.0, "200", speak("x"))).call()[-1]
    assert end["longest_silence"] == pytest.approx(0.1 + PAUSE + 2.0 + PAUSE + 2.0)


@pytest.mark.parametrize(
    ("status", "outcome"), [("408", "timed_out"), ("500", "failed"), ("400", "refused"), ("429", "busy")]
)
def test_a_hand_over_ends_the_loop_with_its_reason(status: str, outcome: str) -> None:
    events = Script((0.1, status, {**speak("Sorry."), "reason": "why"})).call()
    assert (events[-1]["outcome"], events[-1]["reason"], events[-1]["answer"]) == (outcome, "why", "")
    assert events[1]["kind"] == "hand_over"


def test_a_caller_hangs_up_in_the_middle_of_a_prompt_and_hears_no_silence_then() -> None:
    script = Script((0.1, "202", {}), (1.0, "202", speak("x" * 150)))
    end = script.call(hang_up_after=5.0)[-1]
    assert (end["outcome"], end["seconds_total"]) == ("hung_up", 5.0)
    assert end["total_silence"] == pytest.approx(0.1 + PAUSE + 1.0)


def test_the_event_looks_like_connects() -> None:
    contact = DIALLED.event(topic="faq")["Details"]["ContactData"]
    assert contact["CustomerEndpoint"] == {"Address": "+15550100", "Type": "TELEPHONE_NUMBER"}
    assert (
        Dialled(topic="t", question="q", contact_id="c").event()["Details"]["ContactData"]["CustomerEndpoint"] is None
    )


def test_a_transcript_has_a_line_for_each_thing_heard() -> None:
    events = Script((0.1, "202", {}), (2.0, "202", COMFORT), (0.5, "200", speak("Yes."))).call()
    lines = [describe_event(e) or "" for e in events if e["event"] != "invoke"]
    assert "comfort tone" in lines[0]
    assert '"Yes."' in lines[1]
    assert "answered: first words after 3.8 s" in lines[2]


def test_a_lambda_that_is_down_is_told_of_and_the_flow_apologizes() -> None:
    events = Script(*[(0.1, "", {})] * 4).call()
    down, sorry, end = events
    assert down["reply"] == {}
    assert "failed: LambdaError: it is down" in (describe_event(down) or "")
    assert (sorry["kind"], sorry["text"][:10]) == ("hand_over", "I am sorry")
    assert (end["outcome"], end["source"], end["answer"], end["seconds_to_first_word"]) == ("failed", "", "", None)


def test_a_poll_that_fails_is_tried_again_after_a_word_of_the_flows_own() -> None:
    script = Script((0.1, "202", {}), *[(0.1, "", {})] * 4, (0.1, "200", speak("Yes.")))
    events = script.call()
    assert [(e["kind"], e["text"]) for e in events if e["event"] == "play"] == [
        ("prompt", "One moment, please."),
        ("answer", "Yes."),
    ]
    assert events[-1]["outcome"] == "answered"


def test_the_end_has_exactly_the_keys_that_were_promised() -> None:
    assert set(Script((0.1, "200", speak("Yes."))).call()[-1]) == {
        *("event", "outcome", "source", "reason", "answer", "seconds_to_first_word", "seconds_total"),
        *("longest_silence", "total_silence", "lambda_calls", "prompts"),
    }


def test_who_stops_listening_hangs_up() -> None:
    asked: list[str] = []

    def invoke(function: str, _: dict[str, Any]) -> dict[str, str]:
        asked.append(function)
        blank = dict.fromkeys(("cursor", "audio", "source", "reason", "estimate"), "")
        return {**blank, "statusCode": "202", "ticket": "faq.1:1", **speak("x")}

    calling = place_call(DIALLED, invoke=invoke, audio_seconds=lambda _: 1.0)
    next(calling)
    calling.close()
    time.sleep(0.3)
    count = len(asked)
    time.sleep(0.5)
    assert len(asked) == count
