"""Text -> what a voice can say: plain sentences, chunks within Connect's limits, SSML that always parses."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# Connect admin guide, Play prompt: 3,000 billed and 6,000 total characters. The room left is for "let me start again".
MAX_SPOKEN_CHARACTERS = 2_800
MAX_SSML_CHARACTERS = 5_700
# Connect developer guide: a Lambda's reply is at most 32 KB of UTF-8; text and SSML both travel, JSON-escaped.
MAX_REPLY_BYTES = 29_000
# Amazon Polly's neural voices speak about 15 characters a second (measured range 13 to 17).
CHARACTERS_PER_SECOND = 15.0

_ABBREVIATED = (
    "mr mrs ms dr prof st no nr vs etc e.g i.e approx inc ltd co corp dept est fig"
    " jan feb mar apr jun jul aug sep sept oct nov dec a.m p.m z.b bzw"
)
ABBREVIATIONS = frozenset(_ABBREVIATED.split())
SENTENCE_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f]+[\"'\u201d\u2019)\]]*(?=\s|$)|[\u3002\uff01\uff1f]|\n{2,}")
_SSML_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def make_speakable(text: str) -> str:
    """A model's text without markdown, code fences, links' addresses and invisible characters; paragraphs stay apart."""
    text = re.sub(r"```.*?(?:```|$)", " ", text, flags=re.S)
    text = re.sub(r"!?\[([^\]\n]*)\]\([^)\s]*\)", r"\1", text)
    text = re.sub(r"\bhttps?://\S+|\bwww\.\S+", "", text)
    text = re.sub(r"^[ \t]*(?:#{1,6}|>|[-*+\u2022]|\d{1,3}[.)])[ \t]+", "", text, flags=re.M)
    text = re.sub(r"^[ \t]*\|?[ \t:|-]{3,}$", "", text, flags=re.M)
    text = re.sub(r"(\*\*|__|~~|`)", "", text).replace("|", ", ")
    text = re.sub(r"(?<!\w)[*_](\S(?:[^*_\n]*\S)?)[*_](?!\w)", r"\1", text)
    text = "".join(c for c in text if c in "\n\t" or _is_speakable(c))
    return re.sub(r"[ \t]+", " ", re.sub(r"[ \t]*\n[ \t]*", "\n", text)).strip()


@lru_cache(maxsize=4096)
def _is_speakable(character: str) -> bool:
    category = unicodedata.category(character)
    # controls, surrogates, private use, unassigned; and the format characters that hide or reorder text
    return category[0] != "C" and not ("\ufe00" <= character <= "\ufe0f") and character != "\ufffd"


def split_sentences(text: str) -> tuple[list[str], str]:
    """The complete sentences of a growing text, and the rest that may still grow.

    A sentence is complete when something follows its end: "3." may become "3.5".
    """
    sentences, start = [], 0
    for match in SENTENCE_END.finditer(text):
        if match.end() == len(text) or _is_abbreviation(text[start : match.start()]):
            continue
        sentences.append(" ".join(text[start : match.end()].split()))
        start = match.end()
    return [s for s in sentences if s], text[start:]


def _is_abbreviation(before: str) -> bool:
    said = before.strip().lower()
    word = re.split(r"[\s(]", said)[-1]
    # "1." or "a." alone is a list's number, not a sentence
    return word in ABBREVIATIONS or (word == said and re.fullmatch(r"[a-z]|\d{1,2}", word) is not None)


def to_ssml(text: str) -> str:
    """`<speak>` around the text, escaped so that it parses as XML 1.0 whatever characters the text holds."""
    return f"<speak>{escape_ssml(text)}</speak>"


def escape_ssml(text: str) -> str:
    """The text with XML's five entities; characters that XML 1.0 forbids become spaces."""
    return _NOT_XML.sub(" ", text).translate(_SSML_ENTITIES)


def fits_one_prompt(text: str) -> bool:
    """Whether one Play prompt, and one reply, can carry the text."""
    if len(text) > MAX_SPOKEN_CHARACTERS:
        return False
    ssml = to_ssml(text)
    return len(ssml) <= MAX_SSML_CHARACTERS and len(json.dumps(text)) + len(json.dumps(ssml)) <= MAX_REPLY_BYTES


def split_chunks(text: str) -> list[str]:
    """A finished text as chunks of whole sentences, each within one prompt; a short first one, so that speech starts early."""
    sentences, rest = split_sentences(text)
    chunker = Chunker()
    chunks = [c for s in [*sentences, " ".join(rest.split())] for c in chunker.add(s)]
    return chunks + chunker.flush()


class Chunker:
    """Groups sentences into chunks: the first sentence alone, then ever longer chunks.

    A model writes faster than a voice speaks, so while one chunk is spoken the next and longer one is written: the caller
    hears the first words early, and fewer polls fetch the rest.
    """

    FIRST_CHARACTERS = 40

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._wanted = self.FIRST_CHARACTERS

    def add(self, sentence: str) -> Iterator[str]:
        """Takes one sentence; yields the chunks that are complete with it."""
        for piece in _pieces(sentence):
            if self._waiting and not fits_one_prompt(" ".join([*self._waiting, piece])):
                yield self._take()
            self._waiting.append(piece)
            if sum(map(len, self._waiting)) >= self._wanted:
                yield self._take()

    def flush(self) -> list[str]:
        """What has not been given out yet."""
        return [self._take()] if self._waiting else []

    def _take(self) -> str:
        chunk, self._waiting = " ".join(self._waiting), []
        self._wanted = min(1_200, max(200, self._wanted * 2))
        return chunk


def _pieces(sentence: str) -> list[str]:
    """The sentence, cut at spaces (or anywhere, if it has none) where one prompt cannot hold it."""
    sentence = sentence.strip()
    if not sentence:
        return []
    if fits_one_prompt(sentence):
        return [sentence]
    middle = sentence.rfind(" ", 1, len(sentence) // 2 + 1)
    middle = middle if middle > 0 else len(sentence) // 2
    return _pieces(sentence[:middle]) + _pieces(sentence[middle:])


def speech_seconds(text: str) -> float:
    """How long a voice needs for a text, in seconds, at 15 characters a second; SSML's breaks are counted, its tags are not."""
    breaks = sum(_break_seconds(b) for b in re.findall(r"<break\b[^>]*>", text))
    return len(re.sub(r"<[^>]*>", "", text)) / CHARACTERS_PER_SECOND + breaks


def _break_seconds(tag: str) -> float:
    found = re.search(r"time=[\"']([\d.]+)(ms|s)[\"']", tag)
    return float(found[1]) / (1000 if found[2] == "ms" else 1) if found else 0.5
