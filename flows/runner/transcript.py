"""What came of a call: everything that happened, when, and how long the line was silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from flows.runner.lambdas import find_function_name
from flows.runner.outcome import PROPER_ENDS

Kind = Literal["step", "play", "cut", "silence", "invoke", "key", "say", "note", "end"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `at` is in seconds since the call began.

    step: an action was left by a `way`. play: something began to sound for `seconds` (or was shown). cut: it stopped
    before its end. silence: nothing sounded for `seconds`, told when it is over. invoke: a Lambda was called, took
    `seconds`, and gave `reply` (None: it failed, as `text` says). key: one was pressed. say: the contact spoke, or wrote.
    note: what is worth knowing. end: the call is over.
    """

    at: float
    kind: Kind
    action: str = ""
    text: str = ""
    audio: str = ""
    seconds: float = 0.0
    way: str = ""
    function: str = ""
    reply: Any = None
    ssml: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; what is empty is left out."""
        return {"at": self.at, **{name: value for name, value in asdict(self).items() if value not in ("", None, 0.0)}}


@dataclass(frozen=True, slots=True)
class Visit:
    """An action that was come to, in which flow (its name), and the way by which it was left: see `name_way`."""

    flow: str
    action: str
    way: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole call. `end` is one of flows.runner.outcome's words, `why` a sentence or ""; all times in seconds."""

    end: str
    why: str = ""
    queue: str = ""
    seconds: float = 0.0
    longest_silence: float = 0.0
    total_silence: float = 0.0
    lambda_calls: int = 0
    lambda_seconds: float = 0.0  # of synchronous ones: the caller waited for them
    attributes: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    visits: tuple[Visit, ...] = ()

    @property
    def is_proper(self) -> bool:
        """Whether the call ended as a call should: by the caller, the flow or a transfer."""
        return self.end in PROPER_ENDS

    @property
    def heard(self) -> tuple[Event, ...]:
        """Everything that began to sound or was shown."""
        return tuple(event for event in self.events if event.kind == "play")

    def find_heard(self, words: str, *, after: float = 0.0) -> float | None:
        """When the words were first begun to be said, or shown, from a time on; None when they never were."""
        wanted = _simplify(words)
        return next((e.at for e in self.heard if e.at >= after and wanted in _simplify(e.text)), None)

    def describe(self) -> list[str]:
        """The call, line by line, for people."""
        in_time = sorted(self.events, key=lambda event: event.at)  # what has taken time is told when it is over
        return [line for event in in_time if (line := describe(event))]


def describe(event: Event) -> str:
    """One line for an event; "" for steps, which only the flow's maker follows."""
    match event.kind:
        case "play":
            said = f'"{event.text}"' if event.text else f"~ {event.audio} ~" if event.audio else "a pause"
            line = f"{said}  ({event.seconds:.1f} s)" if event.seconds else said
        case "invoke":
            status = event.reply.get("statusCode", "") if isinstance(event.reply, Mapping) else event.text
            line = f"{find_function_name(event.function)}  {status}  ({event.seconds * 1000:.0f} ms)"
        case "step":
            return ""
        case "silence":
            line = f"({event.seconds:.1f} s)"
        case _:
            line = f"{event.text or event.way}"
    return f"{event.at:7.2f} s  {event.kind:6}  {event.action:20}  {line}".rstrip()


def _simplify(words: str) -> str:
    return " ".join(words.split()).lower()
