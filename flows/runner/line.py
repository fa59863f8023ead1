"""The line between the contact and the flow: what sounds, what is silence, keys, and hanging up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flows.runner.clock import Clock
from flows.runner.outcome import AGENT, HUNG_UP, STUCK, CallEndedError, InterruptedByEventError
from flows.runner.speech import Prompt
from flows.runner.transcript import Event

# Shorter gaps, between two prompts, are no silence to anybody
NOTICED_SECONDS = 0.05


@dataclass(slots=True)
class Line:
    """One contact's line. Times in seconds since the call began.

    `hang_up`, `press`, `say` and `join` may be called at any time, from any thread: by a script's clock, or by a person.
    """

    clock: Clock
    longest_call: float
    listen: Callable[[Event], None] | None = None
    has_person: bool = False  # who types and takes time, where a script says at once what it has to say
    began: float = 0.0
    events: list[Event] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)  # when the customer of a chat has written
    longest_silence: float = 0.0
    total_silence: float = 0.0
    _quiet_since: float | None = 0.0  # None while something sounds
    _ended_by: str = ""
    # While a Wait's Continue branch plays: whether what is waited for has happened
    interrupt: Callable[[], bool] | None = None
    cuts_prompts: bool = True  # whether that interrupts a prompt, or waits for its end
    _is_playing: bool = False

    def __post_init__(self) -> None:
        self.began = self.clock.now()

    def now(self) -> float:
        """Seconds since the call began, to the microsecond."""
        return round(self.clock.now() - self.began, 6)

    # -- from the contact's side

    def hang_up(self) -> None:
        """The contact leaves."""
        self._ended_by = self._ended_by or HUNG_UP

    def join(self) -> None:
        """An agent takes the contact out of the queue."""
        self._ended_by = self._ended_by or AGENT

    def press(self, key: str) -> None:
        """A key is pressed."""
        self.keys.append(key)
        self.tell(Event(self.now(), "key", text=key))

    def say(self, text: str) -> None:
        """Something is said, or written in a chat."""
        self.words.append(text)
        self.returns.append(self.now())
        self.tell(Event(self.now(), "say", text=text))

    # -- from the flow's side

    def tell(self, event: Event) -> None:
        """Puts an event into the transcript."""
        self.events.append(event)
        if self.listen is not None:
            self.listen(event)

    def note(self, text: str, *, action: str = "") -> None:
        """Says what is worth knowing."""
        self.tell(Event(self.now(), "note", action, text=text))

    def wait(self, seconds: float, *, until: Callable[[], bool] = lambda: False) -> None:
        """Time passes, no longer than until the condition holds.

        CallEndedError when the contact leaves or the call has become too long, InterruptedByEventError when a Wait ends.
        """
        left = self.longest_call - self.now()
        self.clock.wait(min(seconds, left), until=lambda: bool(self._ended_by) or until() or self._is_interrupted())
        self.check()
        if self.now() >= self.longest_call:
            raise CallEndedError(STUCK, f"the call is still not over after {self.longest_call:g} s")

    def check(self) -> None:
        """Raises what `wait` raises, without waiting."""
        if self._ended_by:
            raise CallEndedError(self._ended_by)
        if self._is_interrupted():
            raise InterruptedByEventError

    def play(self, prompt: Prompt, *, action: str, until: Callable[[], bool] = lambda: False) -> None:
        """Plays a prompt to its end, or until the condition holds."""
        seconds = round(prompt.seconds, 6)
        self.tell(Event(self.now(), "play", action, prompt.text, prompt.audio, seconds, ssml=prompt.ssml))
        ends, self._is_playing = self.now() + prompt.seconds, True
        try:
            if not prompt.segments:
                self._show()
            for segment in prompt.segments:
                self._sound(segment.seconds, is_sound=segment.is_sound, until=until)
                if until():
                    break
        finally:
            self._is_playing = False
            if ends - self.now() > 1e-3:
                self.tell(Event(self.now(), "cut", action))

    def _sound(self, seconds: float, *, is_sound: bool, until: Callable[[], bool]) -> None:
        if is_sound:
            self._begin_sound()
        try:
            self.wait(seconds, until=until)
        finally:
            if is_sound:
                self._quiet_since = self.now()

    def _begin_sound(self) -> None:
        if self._quiet_since is not None:
            silence = max(0.0, self.now() - self._quiet_since)
            self.longest_silence = max(self.longest_silence, silence)
            self.total_silence += silence
            if silence >= NOTICED_SECONDS:
                self.tell(Event(self._quiet_since, "silence", seconds=round(silence, 6)))
        self._quiet_since = None

    def _show(self) -> None:
        self._begin_sound()
        self._quiet_since = self.now()

    def end(self) -> None:
        """The last silence is over."""
        self._begin_sound()

    def _is_interrupted(self) -> bool:
        is_held_back = self._is_playing and not self.cuts_prompts
        return self.interrupt is not None and not is_held_back and self.interrupt()
