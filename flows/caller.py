"""One caller in real time: follows the poll flow's logic against the two Lambdas, and measures what is heard."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from connectgenai.wire.flow import KEEP_WAITING, LAST_PART, MORE_PARTS
from connectgenai.wire.replies import OUTCOMES
from connectgenai.wire.speech import speech_seconds

Invoke = Callable[[str, dict[str, Any]], dict[str, str]]
# What a flow plays when a reply has nothing: Connect allows 20 s of Lambdas in a row without a prompt between them.
PAUSE_SECONDS = 0.5
PRODUCER, CONSUMER = "connectgenai-producer", "connectgenai-consumer"


@dataclass(frozen=True, slots=True)
class Dialled:
    """Who calls, and what is asked."""

    topic: str
    question: str
    contact_id: str
    language: str = "en-US"
    caller: str = ""
    channel: str = "VOICE"

    def event(self, **parameters: str) -> dict[str, Any]:
        """The event that Amazon Connect sends to a Lambda for this call (admin guide, "Invoke AWS Lambda functions")."""
        endpoint = {"Address": self.caller, "Type": "TELEPHONE_NUMBER"} if self.caller else None
        contact = {
            "Attributes": {},
            "Channel": self.channel,
            "ContactId": self.contact_id,
            "CustomerEndpoint": endpoint,
            "InitialContactId": self.contact_id,
            "InitiationMethod": "INBOUND",
            "LanguageCode": self.language,
            "Queue": None,
            "SystemEndpoint": None,
        }
        return {"Name": "ContactFlowEvent", "Details": {"ContactData": contact, "Parameters": parameters}}


class _HungUpError(Exception):
    pass


@dataclass(slots=True)
class Line:
    """What has been heard so far; all times in seconds since the call began."""

    clock: Callable[[], float]
    began: float
    sleep: Callable[[float], None]
    hang_up_after: float | None = None
    quiet_since: float | None = 0.0  # None while something sounds
    longest_silence: float = 0.0
    total_silence: float = 0.0
    first_word_at: float | None = None
    lambda_calls: int = 0
    prompts: int = 0
    answer: list[str] = field(default_factory=list)

    def now(self) -> float:
        """Seconds since the call began."""
        return self.clock() - self.began

    def pause(self, seconds: float) -> None:
        """Time passes on the line; the caller may hang up in the middle of it."""
        left = math.inf if self.hang_up_after is None else self.hang_up_after - self.now()
        self.sleep(max(0.0, min(seconds, left)))
        if left <= seconds:
            raise _HungUpError

    def end_silence(self) -> None:
        """Something begins to sound."""
        if self.quiet_since is None:
            return
        silence, self.quiet_since = max(0.0, self.now() - self.quiet_since), None
        self.longest_silence = max(self.longest_silence, silence)
        self.total_silence += silence

    def begin_silence(self) -> None:
        """Nothing sounds any more."""
        self.quiet_since = self.now()


def place_call(
    dialled: Dialled,
    *,
    invoke: Invoke,
    audio_seconds: Callable[[str], float],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    hang_up_after: float | None = None,
) -> Iterator[dict[str, Any]]:
    """Yields an event for each Lambda invocation and each thing played, and a last one, "end", with what came of the call.

    `audio_seconds` tells how long a recording (an S3 URI) sounds; speech is timed at 15 characters a second.
    `hang_up_after` seconds the caller is gone.
    """
    line = Line(clock=clock, began=clock(), sleep=sleep, hang_up_after=hang_up_after)
    function, parameters = PRODUCER, {"topic": dialled.topic, "question": dialled.question}
    reply: dict[str, str] = {}
    try:
        while not reply or reply["statusCode"] in (KEEP_WAITING, MORE_PARTS):
            began = line.now()
            reply = invoke(function, dialled.event(**parameters))
            line.lambda_calls += 1
            yield {"event": "invoke", "at": began, "seconds": line.now() - began, "function": function, "reply": reply}
            yield from _play(line, reply, audio_seconds)
            function, parameters = CONSUMER, {"ticket": reply["ticket"], "cursor": reply["cursor"]}
    except _HungUpError:
        yield _describe_end(line, reply, outcome="hung_up")
        return
    yield _describe_end(line, reply, outcome=OUTCOMES.get(reply["statusCode"], "refused"))


def _play(line: Line, reply: dict[str, str], audio_seconds: Callable[[str], float]) -> Iterator[dict[str, Any]]:
    is_answer = reply["statusCode"] in (LAST_PART, MORE_PARTS)
    if reply["play"] == "nothing":
        if reply["statusCode"] == KEEP_WAITING and line.lambda_calls > 1:
            line.pause(PAUSE_SECONDS)
        return
    seconds = audio_seconds(reply["audio"]) if reply["play"] == "audio" else speech_seconds(reply["ssml"])
    line.end_silence()
    line.prompts += reply["statusCode"] == KEEP_WAITING and reply["play"] == "ssml"
    if is_answer:
        line.answer.append(reply["text"])
        line.first_word_at = line.now() if line.first_word_at is None else line.first_word_at
    kind = "answer" if is_answer else "comfort" if reply["play"] == "audio" and not reply["text"] else "prompt"
    kind = kind if reply["statusCode"] in (KEEP_WAITING, LAST_PART, MORE_PARTS) else "hand_over"
    yield {
        "event": "play",
        "at": line.now(),
        "seconds": seconds,
        "kind": kind,
        "text": reply["text"],
        "audio": reply["audio"],
    }
    line.pause(seconds)
    line.begin_silence()


def _describe_end(line: Line, reply: dict[str, str], *, outcome: str) -> dict[str, Any]:
    line.end_silence()
    first = line.first_word_at
    return {
        "event": "end",
        "outcome": outcome,
        "source": reply["source"],
        "reason": reply["reason"],
        "answer": " ".join(line.answer),
        "seconds_to_first_word": None if first is None else round(first, 3),
        "seconds_total": round(line.now(), 3),
        "longest_silence": round(line.longest_silence, 3),
        "total_silence": round(line.total_silence, 3),
        "lambda_calls": line.lambda_calls,
        "prompts": line.prompts,
    }
