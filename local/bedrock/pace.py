"""How fast the model speaks: when its first token comes, and how many follow in a second."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


class PaceError(ValueError):
    """The pace cannot be kept; the message says why."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The time of one reply: reading takes longer for a longer prompt, and writing for a longer answer.

    The default is that of a mid-sized hosted model under some load: a summary of a long document takes 12 to 25 seconds,
    a short answer from a page of text 5 to 8.
    """

    first_token_seconds: float = 4.0
    seconds_per_1000_input_tokens: float = 0.05
    tokens_per_second: float = 18.0
    tokens_per_event: int = 4  # hosted models send a few tokens in one event
    total_seconds: float | None = None  # every reply takes this long, however long its text: for measurements

    def __post_init__(self) -> None:
        numbers = {name: value for name, value in asdict(self).items() if value is not None}
        wrong = [n for n, v in numbers.items() if isinstance(v, bool) or not isinstance(v, int | float) or not v >= 0]
        if wrong or not self.tokens_per_second or self.tokens_per_event < 1:
            raise PaceError(
                f"A pace's {', '.join(wrong) or 'tokens_per_second and tokens_per_event'} must be positive numbers."
            )

    def first_token_after(self, input_tokens: int) -> float:
        """Seconds from the request to the first token of the reply."""
        wanted = self.first_token_seconds + self.seconds_per_1000_input_tokens * input_tokens / 1000
        return wanted if self.total_seconds is None else min(wanted, self.total_seconds / 4)

    def token_after(self, tokens: float, *, of: float, input_tokens: int) -> float:
        """Seconds from the request until so many tokens of the reply's `of` are out."""
        first = self.first_token_after(input_tokens)
        if self.total_seconds is None:
            return first + tokens / self.tokens_per_second
        return first + (self.total_seconds - first) * (tokens / of if of else 1)


REALISTIC = Pace()
INSTANT = Pace(first_token_seconds=0, seconds_per_1000_input_tokens=0, tokens_per_second=1e9)
NAMED = {"realistic": REALISTIC, "instant": INSTANT}


def parse_pace(text: str) -> Pace:
    """A pace from a command line: `realistic`, `instant`, or some of its fields as JSON. Raises PaceError."""
    if text in NAMED:
        return NAMED[text]
    try:
        fields = json.loads(text)
    except ValueError:
        raise PaceError(f"A pace is {', '.join(NAMED)} or a JSON object, not {text!r}.") from None
    return pace_from(fields)


def pace_from(fields: object) -> Pace:
    """A pace from some of its fields; the others keep their defaults. Raises PaceError."""
    if not isinstance(fields, Mapping):
        raise PaceError("A pace is an object of numbers.")
    try:
        return Pace(**fields)
    except TypeError as error:
        raise PaceError(f"A pace has no such field: {error}") from None
