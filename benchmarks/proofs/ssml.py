"""Answers that a model should not give, on their way to the voice."""

from __future__ import annotations

import random
import re
from xml.etree import ElementTree

from benchmarks.proofs.trying import Tally
from connectgenai.wire.flow import Reply
from connectgenai.wire.speech import make_speakable, split_chunks

SPOKEN_CHARACTERS = 3_000  # Connect admin guide, Play prompt: billed characters
ALLOWED_TAGS = {"speak"}  # what a model writes is text: no element of its own ever reaches the voice
WORDS = ["ferry", "harbour", "winter", "ticket", "opens", "at", "nine", "on", "Sunday", "Straße", "東京", "naïve", "Ω"]
PIECES = (
    "<speak>", "</speak>", "<break time='10s'/>", "<audio src='http://x/a.mp3'/>", "</p><p>", "<![CDATA[", "]]>", "<!DOCTYPE x [",
    "<?xml?>", "<!--", "-->", "&", "&amp;", "&lt;", "&#0;", "&x;", "<", ">", '"', "'", "\x00", "\x0b", "\x1f", "\ud800", "\udfff", "\ufffe",
    "\u202e", "\u200b", "\U000e0041", "\U0001f600", "**", "# ", "\n", "\n\n", ". ", "! ", "? ", "\u3002", "```", "[a](http://x)",
    "| a | b |", "1. ", "- ", "x" * 4_000, "&" * 900, "\u00e9" * 3_000,
)  # fmt: skip


def make_answer(dice: random.Random) -> str:
    """Words, with markup, controls and other mischief among them."""
    parts = [dice.choice(PIECES) if dice.random() < 0.3 else dice.choice(WORDS) for _ in range(dice.randint(1, 120))]
    return (" " if dice.random() < 0.7 else "").join(parts)


def find_fault(text: str) -> str:
    """What is wrong with how this answer would be spoken; "" when nothing is."""
    spoken = make_speakable(text)
    chunks = split_chunks(spoken)
    if _without_space("".join(chunks)) != _without_space(spoken):
        return "lost: the chunks are not the text"
    return next((fault for chunk in chunks if (fault := _find_fault_in_chunk(chunk))), "")


def _find_fault_in_chunk(chunk: str) -> str:
    if len(chunk) > SPOKEN_CHARACTERS:
        return f"too long: {len(chunk)} characters"
    try:
        root = ElementTree.fromstring(Reply(status="200", text=chunk).to_map()["ssml"])
    except ElementTree.ParseError as error:
        return f"malformed: {error}"
    if tags := {element.tag for element in root.iter()} - ALLOWED_TAGS:
        return f"injected: {tags}"
    return "" if "".join(root.itertext()) == chunk else "lost: what is spoken is not the chunk"


def _without_space(text: str) -> str:
    return re.sub(r"\s+", "", text)


def try_answers(count: int, *, seed: int) -> Tally:
    """Speaks this many random answers; outcomes are `spoken`, or the kinds of fault."""
    dice, tally = random.Random(seed), Tally()
    for _ in range(count):
        text = make_answer(dice)
        fault = find_fault(text)
        if fault:
            tally.count_broken(f"{fault}: {text!r:.200}")
            tally.outcomes[fault.partition(":")[0]] += 1
        else:
            tally.count("spoken")
    return tally


def count_naive_faults(count: int, *, seed: int) -> int:
    """Of the same answers, those that are malformed when text is just put between <speak> tags, as many a sample does."""
    dice = random.Random(seed)
    return sum(not _is_well_formed(f"<speak>{make_answer(dice)}</speak>") for _ in range(count))


def _is_well_formed(ssml: str) -> bool:
    try:
        ElementTree.fromstring(ssml)
    except (ElementTree.ParseError, UnicodeEncodeError):
        return False
    return True
