"""One call in real time, on a thread of its own: what a phone in a browser, or `manage.py call`, holds in its hand.

    call = LiveCall(flow, invoke=Functions(...), caller=Caller(attributes={"question": "Are you open?"}))
    call.start()
    while not call.is_over:
        for event in call.wait_for_events(seen, seconds=1.0):
            seen = event["number"]
    call.hang_up(); call.press("1"); call.say("Are you open on Sunday?")

`invoke` is what decides which Lambdas may be invoked: `flows.runner.lambdas.Functions` takes the allowed ones by name, and
refuses all others, whose blocks take their error branch. A flow's question is `$.Attributes.question` in our flows: give it
in `caller.attributes`; `say` is for flows that ask by Amazon Lex, and for a chat's silent customer.

An event is a plain dict of JSON values:

| key | value |
|---|---|
| `number` | 1, 2, 3 ...: give the last one seen to `events_since` |
| `at` | seconds since the call began |
| `kind` | `prompt`, `audio`, `part`, `cut`, `silence`, `lambda`, `key`, `say`, `step`, `note`, `end` |
| `action` | the identifier of the flow's block, or "" |

and by kind:

- `prompt`: words that are said or shown, with `text`, `ssml` ("" for plain text) and `seconds` (0 in a chat).
- `audio`: a recording, with `audio` (its S3 URI or prompt id) and `seconds`.
- `part`: a part of an answer, by the Lambda's last reply, with all of these; one of `ssml` and `audio` may be "".
- `cut`: what was last begun stops before its end: a key, a hang-up, or a Lambda's return during a Wait.
- `silence`: nothing was heard for `seconds`, from `at` on; told when it is over, so later than what happened in it.
- `lambda`: one was invoked at `at`, for `seconds`: `name`, `status` (the reply's statusCode, or "failed"), `text` (why it
  failed) and `reply` (None when it failed). Told when it has returned.
- `key`, `say`: what the caller did, as `text`.
- `step`: a block was left by the branch `way`, because of `text` where that needs saying.
- `note`: what is worth knowing, such as a block that is not played here, as `text`.
- `end`: the last one: `way` is how it ended (flows/runner/outcome.py), `text` why, `queue` where to, and the figures
  `longest_silence`, `total_silence`, `lambda_calls`, `lambda_seconds`, `attributes`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectgenai.wire.flow import LAST_PART, MORE_PARTS
from flows.language import Flow
from flows.runner.clock import Clock, RealClock
from flows.runner.contact import Caller
from flows.runner.engine import LONGEST_CALL_SECONDS, run_flow
from flows.runner.instance import Instance
from flows.runner.lambdas import Invoke, find_function_name
from flows.runner.line import Line
from flows.runner.outcome import FAILED
from flows.runner.transcript import Event, Transcript

log = logging.getLogger(__name__)


class LiveCall:
    """A call that runs while others watch it, and act on it; every method may be called from any thread."""

    def __init__(
        self,
        flow: Flow,
        *,
        invoke: Invoke,
        caller: Caller,
        modules: Mapping[str, Flow] | None = None,
        instance: Instance | None = None,
        clock_speed: float = 1.0,
        clock: Clock | None = None,
        longest_call: float = LONGEST_CALL_SECONDS,
    ) -> None:
        """`modules` are flow modules by the id or name that the flow calls them by; `clock` replaces real time.

        At a `clock_speed` of 4 prompts and pauses take a quarter of their time; Lambdas take their own.
        """
        self._flow, self._invoke, self._caller = flow, invoke, caller
        found = instance or Instance()
        self._instance = replace(found, modules={**found.modules, **(modules or {})})
        self._clock = clock or RealClock(speed=clock_speed)
        self._longest_call = longest_call
        self._events: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._line: Line | None = None
        self._has_left = self._is_over = False
        self._last_reply: Mapping[str, Any] = {}
        self.transcript: Transcript | None = None

    def start(self) -> None:
        """Lets it begin; does not wait for it."""
        threading.Thread(target=self._run, name="call", daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Whether the call has ended; its last event is told by then."""
        return self._is_over

    def events_since(self, number: int = 0) -> list[dict[str, Any]]:
        """The events after the one of this number; all of them after 0."""
        with self._changed:
            return self._events[number:]

    def wait_for_events(self, number: int = 0, *, seconds: float) -> list[dict[str, Any]]:
        """The same, once there is one, or the seconds (of this machine) are over."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._events) > number or self._is_over, timeout=seconds)
            return self._events[number:]

    def press(self, key: str) -> None:
        """The caller presses a key, or several."""
        for one in key:
            if self._line is not None and not self._is_over:
                self._line.press(one)

    def say(self, text: str) -> None:
        """The caller says something, or writes it in a chat."""
        if self._line is not None and not self._is_over:
            self._line.say(text)

    def hang_up(self) -> None:
        """The caller leaves; harmless when the call is over already."""
        self._has_left = True
        if self._line is not None:
            self._line.hang_up()

    def _answer(self, line: Line) -> None:
        self._line = line
        if self._has_left:
            line.hang_up()

    def _run(self) -> None:
        try:
            self.transcript = run_flow(
                self._flow,
                caller=self._caller,
                invoke=self._invoke,
                clock=self._clock,
                instance=self._instance,
                listen=self._listen,
                answer=self._answer,
                longest_call=self._longest_call,
            )
            self._tell(_describe_end(self.transcript), is_last=True)
        except Exception as error:  # whoever watches must see that the call is over
            log.exception("A call broke off")
            at = self._line.now() if self._line else 0.0
            self._tell(
                _describe_end(Transcript(FAILED, why=f"{type(error).__name__}: {error}", seconds=at)), is_last=True
            )

    def _listen(self, event: Event) -> None:
        if event.kind == "invoke" and isinstance(event.reply, Mapping):
            self._last_reply = event.reply
        if event.kind != "end":  # it is told with the figures
            self._tell(describe_live(event, last_reply=self._last_reply))

    def _tell(self, event: dict[str, Any], *, is_last: bool = False) -> None:
        with self._changed:
            self._events.append({"number": len(self._events) + 1, **event})
            self._is_over = self._is_over or is_last
            self._changed.notify_all()


def describe_live(event: Event, *, last_reply: Mapping[str, Any]) -> dict[str, Any]:
    """A runner's event in the form above; the Lambda's last reply tells an answer from other words."""
    told: dict[str, Any] = {"at": event.at, "kind": event.kind, "action": event.action}
    match event.kind:
        case "play":
            is_part = is_answer(event, last_reply)
            kind = "part" if is_part else "audio" if event.audio else "prompt"
            text = event.text or (last_reply.get("text", "") if is_part else "")
            return {**told, "kind": kind, "text": text, "ssml": event.ssml, "audio": event.audio,
                    "seconds": event.seconds}  # fmt: skip
        case "invoke":
            status = event.reply.get("statusCode", "") if isinstance(event.reply, Mapping) else "failed"
            name = find_function_name(event.function)
            return {**told, "kind": "lambda", "name": name, "status": status, "seconds": event.seconds,
                    "text": event.text, "reply": event.reply}  # fmt: skip
        case "silence":
            return {**told, "seconds": event.seconds}
        case "step":
            return {**told, "way": event.way, "text": event.text}
        case _:
            return {**told, "text": event.text}


def is_answer(event: Event, reply: Mapping[str, Any]) -> bool:
    """Whether what is played is a part of an answer that the reply has brought."""
    if reply.get("statusCode") not in (LAST_PART, MORE_PARTS):
        return False
    return any(value and value == reply.get(name) for name, value in _what_plays(event))


def _what_plays(event: Event) -> tuple[tuple[str, str], ...]:
    return ("ssml", event.ssml), ("audio", event.audio), ("text", event.text)


def _describe_end(found: Transcript) -> dict[str, Any]:
    return {
        "at": found.seconds,
        "kind": "end",
        "action": "",
        "way": found.end,
        "text": found.why,
        "queue": found.queue,
        "longest_silence": found.longest_silence,
        "total_silence": found.total_silence,
        "lambda_calls": found.lambda_calls,
        "lambda_seconds": found.lambda_seconds,
        "attributes": dict(found.attributes),
    }
