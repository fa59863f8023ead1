"""Counting tokens: an estimate, the same for prompts, answers and limits."""

from __future__ import annotations

import math
import re

TOKENS_PER_WORD = 1.3  # about what current tokenizers need for English prose
CHARACTERS_PER_TOKEN = 6  # a floor for text without spaces: long numbers, scripts that do not part their words
WORD = re.compile(r"\S+")


def count_tokens(text: str) -> int:
    """About how many tokens a text has; at least 1 for any text."""
    words = sum(1 for _ in WORD.finditer(text))
    return math.ceil(max(words * TOKENS_PER_WORD, len(text) / CHARACTERS_PER_TOKEN))


def cut_to_tokens(text: str, limit: int) -> str:
    """The text's beginning that fits the limit, cut after a word where it can be."""
    if count_tokens(text) <= limit:
        return text
    words = list(WORD.finditer(text))[: int(limit / TOKENS_PER_WORD)]
    kept = text[: words[-1].end()] if words else ""
    return kept[: limit * CHARACTERS_PER_TOKEN]


def split_events(text: str, *, tokens_per_event: int) -> list[str]:
    """The text in pieces of about so many tokens, whole words each with the space before it; joined, they are the text."""
    words = re.findall(r"\s*\S+\s*\Z|\s*\S+", text)
    size = max(1, round(tokens_per_event / TOKENS_PER_WORD))
    return ["".join(words[i : i + size]) for i in range(0, len(words), size)]
