"""What a prompt sounds like: its words, how long they last, and where it is silent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from connectgenai.wire.speech import CHARACTERS_PER_SECOND
from flows.actions import MAX_BILLED_CHARACTERS, MAX_TOTAL_CHARACTERS
from flows.flow_types import QUEUE, WHISPERS

# Amazon Polly, "Adding a pause": at most 10 s; without a time, about the pause after a sentence
LONGEST_BREAK_SECONDS = 10.0
BREAK_SECONDS = {"none": 0.0, "x-weak": 0.0, "weak": 0.25, "medium": 0.5, "strong": 0.75, "x-strong": 1.0}


class PromptError(Exception):
    """The prompt cannot be played: the action takes its error branch."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a prompt, in seconds, in which something sounds or nothing does."""

    seconds: float
    is_sound: bool


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing to play: words or a recording (an S3 URI or the prompt's id), and its stretches of sound and silence."""

    text: str = ""
    audio: str = ""
    segments: tuple[Segment, ...] = ()
    ssml: str = ""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return sum(segment.seconds for segment in self.segments)


def make_prompt(
    message: Mapping[str, Any], *, is_voice: bool, flow_type: str, audio_seconds: Callable[[str], float]
) -> Prompt:
    """The prompt of a message whose references are looked up: Text, SSML, PromptId or Media; PromptError says why not."""
    if message.get("PromptId") or message.get("Media"):
        return _make_recording(message, is_voice=is_voice, flow_type=flow_type, audio_seconds=audio_seconds)
    text, ssml = str(message.get("Text") or ""), str(message.get("SSML") or "")
    if not (text or ssml).strip():
        raise PromptError("there is nothing to say: the text is empty")
    segments, words = _read_ssml(ssml) if ssml and is_voice else (_speak(text or ssml), text or ssml)
    if len(words) > MAX_BILLED_CHARACTERS or len(text or ssml) > MAX_TOTAL_CHARACTERS:
        raise PromptError(f"{len(words)} characters are spoken, of {len(text or ssml)}: more than one prompt takes")
    return Prompt(text=words, segments=segments if is_voice else (), ssml=ssml)


def _make_recording(
    message: Mapping[str, Any], *, is_voice: bool, flow_type: str, audio_seconds: Callable[[str], float]
) -> Prompt:
    if not is_voice:
        raise PromptError("a recording is for voice only")
    media = message.get("Media") or {}
    uri = str(media.get("Uri") or "") if isinstance(media, Mapping) else ""
    if not message.get("PromptId"):
        if flow_type in QUEUE | WHISPERS:
            raise PromptError("prompts from S3 are not played in queue and whisper flows")
        if not uri.startswith(("s3://", "https://")):
            raise PromptError(f"there is no recording: Media.Uri is {uri!r}")
    name = str(message.get("PromptId") or uri)
    return Prompt(audio=name, segments=(Segment(audio_seconds(name), is_sound=True),))


def _speak(text: str) -> tuple[Segment, ...]:
    return (Segment(len(text) / CHARACTERS_PER_SECOND, is_sound=True),)


class _Reader:
    """Collects what an SSML document says, and when it pauses."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.words: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self.segments and not self.words and tag != "speak" and not self._is_open:
            raise PromptError(f"SSML begins with <speak>, not with <{tag}>")
        self._is_open = True
        if tag == "break":
            self.segments.append(Segment(_read_break(attributes), is_sound=False))

    _is_open = False

    def say(self, text: str) -> None:
        self.words.append(text)
        if text.strip():
            self.segments.append(Segment(len(text) / CHARACTERS_PER_SECOND, is_sound=True))

    def refuse(self, *_: Any) -> None:
        raise PromptError("SSML has no document type")


def _read_ssml(ssml: str) -> tuple[tuple[Segment, ...], str]:
    reader, parser = _Reader(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler = reader.start, reader.say
    parser.StartDoctypeDeclHandler = reader.refuse
    try:
        parser.Parse(ssml.strip(), True)
    except expat.ExpatError as error:
        raise PromptError(f"the SSML does not parse: {error}") from error
    return tuple(reader.segments), "".join(reader.words).strip()


def _read_break(attributes: Mapping[str, str]) -> float:
    found = re.fullmatch(r"([\d.]+)(ms|s)", attributes.get("time", "").strip())
    if found is None:
        return BREAK_SECONDS.get(attributes.get("strength", "medium"), 0.5)
    return min(float(found[1]) / (1000 if found[2] == "ms" else 1), LONGEST_BREAK_SECONDS)
