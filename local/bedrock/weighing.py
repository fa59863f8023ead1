"""Which sentences carry a text: by their likeness to the whole and to their chapter, by their place and by their ease."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from local.bedrock.index import Index, count_words
from local.bedrock.openings import stands_alone
from local.bedrock.passages import Sentence
from local.bedrock.words import tokenize

Vector = dict[str, float]
Chapter = tuple[str, ...]

OF_WHOLE, OF_CHAPTER = 0.4, 0.6
OPENING, FIRST, LEAD = 6.0, 1.8, 1.4  # more weight for a sentence that opens the text, a chapter, a section
SHORTEST, LONGEST = 8, 38  # words of a sentence that is easy to listen to
CHAPTERS = 8  # a text of fewer chapters is parted further: at deeper headings, or into as many stretches
MAX_DEPTH = 4  # headings
REFERS = re.compile(r"\bsee (?:section|chapter|page)\b|\b(?:above|below)\b|[?\u201c\"(]", re.I)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A sentence and how much of the text it carries."""

    sentence: Sentence
    weight: float
    words: int
    chapter: Chapter


def weigh(candidates: Sequence[Sentence], index: Index) -> list[Weighed]:
    """Each sentence with its weight among the candidates."""
    vectors = [_vector(index.stems[s.number], index) for s in candidates]
    chapters = find_chapters(candidates)
    whole = _add_up(vectors)
    parts = {name: _add_up(v for v, c in zip(vectors, chapters, strict=True) if c == name) for name in set(chapters)}
    leads = _find_leads(candidates, chapters)
    weighed = []
    for sentence, vector, chapter in zip(candidates, vectors, chapters, strict=True):
        carries = OF_WHOLE * _cosine(vector, whole) + OF_CHAPTER * _cosine(vector, _without(parts[chapter], vector))
        weight = carries * leads.get(sentence.number, 1.0) * _ease(sentence)
        weighed.append(Weighed(sentence, weight, count_words(sentence.text), chapter))
    return weighed


def find_chapters(candidates: Sequence[Sentence]) -> list[Chapter]:
    """The chapter of each sentence: by the highest headings that part the text enough, or by its place in a text without them."""
    enough = min(CHAPTERS, len(candidates) // 5)
    for depth in range(1, MAX_DEPTH + 1):
        chapters = [(s.title, *s.headings[:depth]) for s in candidates]
        if len(set(chapters)) >= enough:
            return chapters
    return [(str(number * CHAPTERS // len(candidates)),) for number in range(len(candidates))]


def _find_leads(candidates: Sequence[Sentence], chapters: Sequence[Chapter]) -> dict[int, float]:
    """The sentences that open something, by number, and the weight that this gives them."""
    leads: dict[int, float] = {}
    opened: set[Chapter | int] = set()
    for sentence, chapter in zip(candidates, chapters, strict=True):
        if chapter not in opened:
            leads[sentence.number] = FIRST if len(opened) > 2 else OPENING
        elif sentence.section not in opened:
            leads[sentence.number] = LEAD
        opened |= {chapter, sentence.section}
    return leads


def _ease(sentence: Sentence) -> float:
    """How well a sentence is understood by itself, when it is heard (0 to 1)."""
    text = sentence.text
    ease = 1.0 if SHORTEST <= count_words(text) <= LONGEST else 0.4
    ease *= 1.0 if stands_alone(text) and not text[:1].islower() else 0.15
    ease *= 0.4 if REFERS.search(text) else 1.0
    ease *= 1.0 if sentence.is_whole else 0.2
    figures = sum(any(c.isdigit() for c in word) for word in tokenize(text))
    return ease / (1 + 0.15 * max(0, figures - 1))  # a row of figures is hard to keep in mind


def _vector(stems: Sequence[str], index: Index) -> Vector:
    """A sentence as TF-IDF weights, of length 1."""
    weights = {one: (1 + math.log(count)) * index.rarity(one) for one, count in Counter(stems).items()}
    length = _length(weights)
    return {one: x / length for one, x in weights.items()}


def _add_up(vectors: Iterable[Vector]) -> Vector:
    total: Vector = {}
    for vector in vectors:
        for one, x in vector.items():
            total[one] = total.get(one, 0.0) + x
    return total


def _without(total: Vector, vector: Vector) -> Vector:
    return {one: x - vector.get(one, 0.0) for one, x in total.items()}


def _cosine(vector: Vector, other: Vector) -> float:
    return sum(x * other.get(one, 0.0) for one, x in vector.items()) / _length(other)


def _length(vector: Vector) -> float:
    return math.sqrt(sum(x * x for x in vector.values())) or 1.0
