"""One caller in real time: runs the exported poll flow against the two Lambdas, and measures what is heard."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from connectgenai.wire.flow import KEEP_WAITING, NO_ANSWER
from connectgenai.wire.replies import OUTCOMES
from connectgenai.wire.waiting import WaitPolicy
from flows.generate import POLL, build_flow
from flows.language import Flow
from flows.live_call import LiveCall
from flows.rehearsal import EXAMPLE_ARNS
from flows.runner.clock import Clock
from flows.runner.contact import Caller
from flows.runner.instance import Instance
from flows.runner.lambdas import Functions
from flows.runner.outcome import HUNG_UP

Invoke = Callable[[str, dict[str, Any]], dict[str, str]]
PRODUCER, CONSUMER = "connectgenai-producer", "connectgenai-consumer"
# The flow's back-stop must not come before any topic's own patience
PATIENT: Final = WaitPolicy(max_wait=900.0, hold=0.5)
# What the flow says of itself when it gives up
LAST_WORDS: Final = frozenset({"Apologize", "Closed"})


@dataclass(frozen=True, slots=True)
class Dialled:
    """Who calls, and what is asked."""

    topic: str
    question: str
    contact_id: str
    language: str = "en-US"
    caller: str = ""
    channel: str = "VOICE"

    def as_caller(self, *, hang_up_after: float | None = None) -> Caller:
        """The same as the flow's caller, who has the question as an attribute."""
        return Caller(
            address=self.caller,
            channel=self.channel,
            language=self.language,
            contact_id=self.contact_id,
            attributes={"question": self.question},
            hang_up_after=hang_up_after,
        )

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


def place_call(
    dialled: Dialled,
    *,
    invoke: Invoke,
    audio_seconds: Callable[[str], float],
    clock: Clock | None = None,
    hang_up_after: float | None = None,
) -> Generator[dict[str, Any], None, None]:
    """Runs the poll flow, and yields each Lambda invocation and each thing played as it happens, and a last event, "end".

    `invoke` is given a function's name and Connect's event, and `audio_seconds` tells how long a recording (an S3 URI)
    sounds. `hang_up_after` seconds the caller is gone. `clock` replaces real time.
    """
    functions = {name: partial(invoke, name) for name in (PRODUCER, CONSUMER)}
    live = LiveCall(
        make_flow(dialled),
        invoke=Functions(functions),
        caller=dialled.as_caller(hang_up_after=hang_up_after),
        instance=Instance(audio_seconds=audio_seconds),
        clock=clock,
    )
    live.start()
    try:
        yield from _Listener().follow(live)
    finally:
        live.hang_up()


def make_flow(dialled: Dialled) -> Flow:
    """The poll flow as it is exported for the topic; how long to wait is left to the Lambdas."""
    settings: dict[str, Any] = {**EXAMPLE_ARNS, "language": dialled.language}
    return build_flow(POLL, topic=dialled.topic, policy=PATIENT, **settings)


@dataclass(slots=True)
class _Listener:
    """Tells a call's events as a person would: what is heard is a wait prompt, comfort, an answer, or a hand-over."""

    reply: Mapping[str, str] = field(default_factory=dict)
    first_word_at: float | None = None
    prompts: int = 0
    answer: list[str] = field(default_factory=list)

    def follow(self, live: LiveCall) -> Iterator[dict[str, Any]]:
        """What there is to tell, as it happens, until the call is over."""
        seen = 0
        while True:
            for event in live.wait_for_events(seen, seconds=1.0):
                seen = event["number"]
                yield from self.tell(event)
                if event["kind"] == "end":
                    return

    def tell(self, event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """What there is to tell of one event: mostly one, or none."""
        match event["kind"]:
            case "lambda":
                yield self._tell_invocation(event)
            case "prompt" | "audio" | "part" if event["text"] or event["audio"]:
                yield self._tell_playing(event)
            case "end":
                yield self._tell_end(event)

    def _tell_invocation(self, event: Mapping[str, Any]) -> dict[str, Any]:
        told = {name: event[name] for name in ("at", "seconds")}
        if event["reply"] is None:
            return {"event": "invoke", **told, "function": event["name"], "reply": {}, "error": event["text"]}
        self.reply = event["reply"]
        return {"event": "invoke", **told, "function": event["name"], "reply": dict(self.reply)}

    def _tell_playing(self, event: Mapping[str, Any]) -> dict[str, Any]:
        kind = self._find_kind(event)
        self.prompts += kind == "prompt"
        if kind == "answer":
            self.answer.append(event["text"])
            self.first_word_at = event["at"] if self.first_word_at is None else self.first_word_at
        told = {name: event[name] for name in ("at", "seconds")}
        return {"event": "play", **told, "kind": kind, "text": event["text"], "audio": event["audio"]}

    def _find_kind(self, event: Mapping[str, Any]) -> str:
        if event["kind"] == "part":
            return "answer"
        if event["audio"]:
            return "comfort"
        is_waiting = self.reply.get("statusCode") == KEEP_WAITING and event["action"] not in LAST_WORDS
        return "prompt" if is_waiting else "hand_over"

    def _tell_end(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "event": "end",
            "outcome": self._find_outcome(event),
            "source": self.reply.get("source", ""),
            "reason": self.reply.get("reason", ""),
            "answer": " ".join(self.answer),
            "seconds_to_first_word": None if self.first_word_at is None else round(self.first_word_at, 3),
            "seconds_total": round(event["at"], 3),
            "longest_silence": round(event["longest_silence"], 3),
            "total_silence": round(event["total_silence"], 3),
            "lambda_calls": event["lambda_calls"],
            "prompts": self.prompts,
        }

    def _find_outcome(self, event: Mapping[str, Any]) -> str:
        if event["way"] == HUNG_UP:
            return "hung_up"
        return OUTCOMES.get(event["attributes"].get("connectgenai_status", NO_ANSWER), "refused")
