"""Texts that say what they are: which question they answer, which run of the model or edit wrote them, and which part of how many."""

from __future__ import annotations

import re
import secrets
import threading
import time
from dataclasses import dataclass, field

from local.bedrock.prompt import Prompt

PARTS = 6
_SENTENCE = re.compile(r"Case (\w+), (run|edit) (\d+), part (\d+) of (\d+)\.")
_CASE = re.compile(r"case (\w+)")


@dataclass(frozen=True, slots=True)
class Spoken:
    """One sentence as a caller heard it."""

    case: str
    author: tuple[str, int]  # ("run" or "edit", its number)
    part: int
    parts: int


@dataclass(slots=True)
class Authors:
    """Writes the texts and remembers when each was begun; the model of the chaos, and its editor."""

    begun: dict[tuple[str, int], tuple[str, float]] = field(default_factory=dict)  # author -> case, when
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def recite(self, prompt: Prompt) -> str:
        """A model's answer to a question."""
        found = _CASE.search(prompt.question)
        return self.write("run", found[1] if found else "none")

    def write(self, kind: str, case: str) -> str:
        """A new text about the case."""
        with self._lock:
            author = (kind, len(self.begun) + 1)
            self.begun[author] = case, time.time()
        return " ".join(f"Case {case}, {kind} {author[1]}, part {n} of {PARTS}." for n in range(1, PARTS + 1))


def read_sentences(text: str) -> tuple[list[Spoken], str]:
    """The sentences of a part that a caller heard, and whatever else it says."""
    spoken = [Spoken(m[1], (m[2], int(m[3])), int(m[4]), int(m[5])) for m in _SENTENCE.finditer(text)]
    return spoken, " ".join(_SENTENCE.sub(" ", text).split())


def make_cases(count: int) -> list[str]:
    """Names without a digit: a question with a number in it is a caller's own business, and shared with nobody."""
    return ["".join(secrets.choice("bcdfghklmnprst") for _ in range(10)) for _ in range(count)]


def ask_about(case: str) -> str:
    """The caller's words."""
    return f"What about case {case}?"
