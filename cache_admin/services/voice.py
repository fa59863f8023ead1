"""What a text is like to listen to: how long, in which parts, and what a voice would spoil."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from connectgenai.wire.speech import make_speakable, speech_seconds, split_chunks, to_ssml

LONG_SECONDS, LONG_SENTENCE_SECONDS = 60, 20
BAD, ODD = "bad", "odd"
# What to look for, how bad it is, and what to say of it
_SPOILS: tuple[tuple[str, str, Any], ...] = (
    (
        r"https?://\S+|\bwww\.\S+",
        BAD,
        _("An address is left out: nobody can follow a spoken link. Say where to find it."),
    ),
    (r"\S+@\S+\.\w+", ODD, _("An e-mail address is hard to take down by ear. Say it in words, or send it.")),
    (
        r"(?m)^[ \t]*(?:[-*+\u2022]|\d{1,2}[.)])[ \t]+.*$",
        BAD,
        _("A list is read without its marks. Make sentences of it."),
    ),
    (r"(?m)^#{1,6} .*$|\*\*[^*\n]+\*\*|__[^_\n]+__|`[^`\n]+`", BAD, _("Marks of formatting are left out.")),
    (r"\|.*\|", BAD, _("A table cannot be heard. Make sentences of it.")),
    (r"<[^>\n]{1,200}>", BAD, _("A tag is read as words: a text is not SSML.")),
    (r"\b\d[\d /.-]{6,}\d\b", ODD, _("A long number is read as one figure. Write it in groups, or in words.")),
    (r"\b[A-Z]{2,6}\b", ODD, _("Capitals may be spelled out, or read as a word. Write what should be heard.")),
    (
        r"\b(?:e\.g|i\.e|etc|approx|min|max|incl|no|nr|St|Mr|Mrs|Dr|vs|z\.B|bzw|ca|usw|Str|Nr)\.",
        ODD,
        _("An abbreviation may be read letter by letter. Write the word."),
    ),
    (
        r"\b\d{1,2}/\d{1,2}(?:/\d{2,4})?\b",
        ODD,
        _("A date in figures may be heard as a fraction. Write the month as a word."),
    ),
    (r"[&%#*=+~^\u20ac$\u00a3\u00a7]", ODD, _("A symbol may be skipped or misread. Write the word.")),
    (r"[\U0001f300-\U0001faff\u2600-\u27bf]", BAD, _("A picture has no sound.")),
    (r"\([^)]{40,}\)", ODD, _("A long remark in brackets is lost on who listens. Make it a sentence.")),
)


@dataclass(frozen=True, slots=True)
class VoiceFault:
    """One place that a voice spoils: how bad, what it is, and what to do."""

    level: str
    excerpt: str
    message: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A part as callers hear it."""

    text: str
    ssml: str
    seconds: int


def find_voice_faults(text: str) -> list[VoiceFault]:
    """What to improve, the worst first, each kind once a place; empty for a text that is fit to be spoken."""
    found = [
        VoiceFault(level, " ".join(match.group().split())[:80], str(message))
        for pattern, level, message in _SPOILS
        for match in list(re.finditer(pattern, text))[:5]
    ]
    return sorted([*found, *_find_long(text)], key=lambda fault: fault.level != BAD)


def _find_long(text: str) -> list[VoiceFault]:
    spoken = make_speakable(text)
    faults = []
    if speech_seconds(spoken) > LONG_SECONDS:
        message = _("This takes more than a minute to hear. Put what matters first, and leave out the rest.")
        faults.append(VoiceFault(ODD, "", str(message)))
    for sentence in re.split(r"(?<=[.!?])\s+", spoken):
        if speech_seconds(sentence) > LONG_SENTENCE_SECONDS:
            message = _("This sentence is too long to follow by ear. Make two of it.")
            faults.append(VoiceFault(ODD, f"{sentence[:77]}…", str(message)))
    return faults[:6]


def listen(text: str) -> list[Heard]:
    """The parts in which callers would hear the text."""
    chunks = split_chunks(make_speakable(text))
    return [Heard(chunk, to_ssml(chunk), round(speech_seconds(chunk))) for chunk in chunks]
