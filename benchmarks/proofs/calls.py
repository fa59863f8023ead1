"""One caller: asks, and polls as the flow does, until the call has come to an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from flows.lambda_phone import LambdaError, LambdaPhone

PRODUCER, CONSUMER = "connectgenai-producer", "connectgenai-consumer"
ANSWERED, HANDED_OVER, ERROR_BRANCH, LOST = "answer", "hand-over", "error branch", "lost"
QUESTION = "When do ferries leave?"


@dataclass(frozen=True, slots=True)
class Ending:
    """When the caller first heard something and how the call ended; seconds since the question."""

    end: str
    reason: str
    heard_seconds: float
    total_seconds: float
    text: str


def place_call(
    phone: LambdaPhone,
    *,
    topic: str,
    contact_id: str,
    deadline_seconds: float,
    question: str = QUESTION,
    after_asking: Callable[[], None] = lambda: None,
) -> Ending:
    """Plays the flow's loop; `lost` when nothing has come of it by the deadline.

    What is played takes no time here: a prompt that is still being spoken would only make the silence shorter.
    """
    began, heard, words = time.monotonic(), 0.0, ""
    contact = {"ContactId": contact_id, "Channel": "VOICE", "LanguageCode": "en-US"}
    function, parameters = PRODUCER, {"topic": topic, "question": question}

    def passed() -> float:
        return time.monotonic() - began

    while passed() < deadline_seconds:
        event = {"Details": {"ContactData": contact, "Parameters": parameters}}
        try:
            reply = phone.invoke(function, event)
        except LambdaError:  # the flow's Error branch apologizes and hands over
            return Ending(ERROR_BRANCH, "exception", heard or passed(), passed(), words)
        if reply["play"] != "nothing":
            heard = heard or passed()
        if reply["statusCode"] in ("200", "206"):
            words = f"{words} {reply['text']}".strip()
        if reply["statusCode"] not in ("202", "206"):
            end = ANSWERED if reply["statusCode"] == "200" else HANDED_OVER
            return Ending(end, reply["reason"], heard or passed(), passed(), words)
        if function == PRODUCER:
            after_asking()
        function, parameters = CONSUMER, {"ticket": reply["ticket"], "cursor": reply["cursor"]}
    return Ending(LOST, "deadline", heard, passed(), words)
