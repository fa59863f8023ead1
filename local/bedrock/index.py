"""Sentences by their words: how rare a word is, and how well a sentence matches what is asked (BM25)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from local.bedrock.english import WEAK_WORDS
from local.bedrock.hints import find_names, find_shown, say_plainly
from local.bedrock.passages import Sentence
from local.bedrock.synonyms import find_synonyms
from local.bedrock.words import content_stems, stem

SATURATION, LENGTH_WEIGHT = 0.4, 0.25  # BM25's k1 and b: sentences hardly repeat a word, and differ little in length
WEAK_WEIGHT = 0.3
WHERE = stem("where")
NAME_WEIGHT = 2.0  # who asks about a name does not want to hear about another
WEAK_STEMS = frozenset(map(stem, WEAK_WORDS))
# What stands above a sentence is evidence as well: a question that it answers nearly as good as its own words.
QUESTION_ABOVE, HEADING_ABOVE, TITLE_ABOVE = 0.9, 0.6, 0.3
WITH_OWN = 0.2  # of what stands above, for a word that the sentence has itself
OTHER_WORDS = 0.7  # a heading is so short that another word for a thing names it nearly as well
TOPIC, UNDER_SUBJECT = 0.12, 0.3  # a little more for a sentence, or a section, that is about what is asked
MAX_TERMS = 60  # words of a question that are looked for; who says more has said enough
NEARNESS = 3  # words between two that are asked for together


@dataclass(frozen=True, slots=True)
class Term:
    """One word of the question: the stems that count as it, and its weight (how rare, how telling)."""

    stems: dict[str, float]
    weight: float
    is_weak: bool = False
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """How well a sentence fits: a score to rank by, and the share (0 to 1) of what was asked that it touches."""

    sentence: Sentence
    score: float
    coverage: float
    subject: float  # the share of it that the heading right above names
    hits: frozenset[int]  # which of the words that were asked for it has itself


class Index:
    """The sentences of some documents, ready to be searched."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self.sentences = sentences
        self.stems = [content_stems(say_plainly(s.text), spell_ranges=True) for s in sentences]
        self._counts = [Counter(stems + find_shown(s.text)) for stems, s in zip(self.stems, sentences, strict=True)]
        self._above = [_weigh_above(s) for s in sentences]
        self._nearest = [set(content_stems(s.headings[-1])) if s.headings else set() for s in sentences]
        self._df = Counter(
            one for own, above in zip(self._counts, self._above, strict=True) for one in own.keys() | above
        )
        self.titles = {one for s in sentences for one in content_stems(" ".join([s.title, *s.headings[:1]]))}
        self._mean_length = sum(map(len, self.stems)) / max(1, len(sentences))

    def rarity(self, *stems: str) -> float:
        """The inverse document frequency of a stem, or of the most frequent of several."""
        df = max(1, *(self._df[one] for one in stems))
        return math.log(1 + len(self.sentences) / df)

    def knows(self, one: str) -> bool:
        """Whether the stem stands anywhere in the documents."""
        return one in self._df

    def read_terms(self, text: str) -> list[Term]:
        """The words of a question as search terms."""
        terms, names = [], find_names(text)
        for one in list(dict.fromkeys(content_stems(say_plainly(text))))[:MAX_TERMS]:
            stems = find_synonyms(one)
            # a word that the documents know is as rare as it is there, whatever its synonyms are
            rarity = self.rarity(one) if self.knows(one) else self.rarity(*stems)
            is_weak = one in WEAK_STEMS or one.isdigit()
            terms.append(Term(stems, rarity * (WEAK_WEIGHT if is_weak else 1), is_weak, one in names))
        return terms

    def search(self, terms: Sequence[Term]) -> list[Match]:
        """Every sentence that has any of the terms, the best first; of equals, the earliest."""
        if all(term.is_weak and WHERE not in term.stems for term in terms):
            return []
        found = [match for number in range(len(self.sentences)) if (match := self._match(number, terms)).score > 0]
        return sorted(found, key=lambda m: (-round(m.score, 6), m.sentence.number))

    def _match(self, number: int, terms: Sequence[Term]) -> Match:
        score = found = whole = 0.0
        hits = set()
        for place, term in enumerate(terms):
            own, above = self._strength(number, term)
            hits |= {place} if own and not term.is_weak else set()
            score += term.weight * (self._saturate(own, number) + (WITH_OWN if own else 1) * above)
            found += term.weight * min(1.0, max(own, above))
            whole += term.weight if own or above else self._missed(term)
        score *= 1 + self._nearness(number, terms) + (TOPIC if self._opens_with(number, terms) else 0)
        subject = self._subject(number, terms)
        score *= 1 + UNDER_SUBJECT * subject
        return Match(self.sentences[number], score, found / (whole or 1), subject, frozenset(hits))

    def _opens_with(self, number: int, terms: Sequence[Term]) -> bool:
        """Whether the sentence is about what is asked: it begins with it."""
        first = self.stems[number][:1]
        return any(one in term.stems for term in terms if not term.is_weak for one in first)

    def _missed(self, term: Term) -> float:
        """What a missing word counts: as much as the rarest, for however common it is, the caller said it."""
        return self.rarity("") * (WEAK_WEIGHT if term.is_weak else NAME_WEIGHT if term.is_name else 1)

    def _subject(self, number: int, terms: Sequence[Term]) -> float:
        heading = self._nearest[number]
        fits = (max((weight for one, weight in term.stems.items() if one in heading), default=0.0) for term in terms)
        return sum(max(fit, OTHER_WORDS) if fit else 0.0 for fit in fits) / (len(terms) or 1)

    def _strength(self, number: int, term: Term) -> tuple[float, float]:
        """How strongly the term stands in the sentence, and above it."""
        counts, heads = self._counts[number], self._above[number]
        own = max((weight * counts[one] for one, weight in term.stems.items() if one in counts), default=0.0)
        return own, max((weight * heads[one] for one, weight in term.stems.items() if one in heads), default=0.0)

    def _saturate(self, strength: float, number: int) -> float:
        length = len(self.stems[number]) / (self._mean_length or 1)
        return strength * (SATURATION + 1) / (strength + SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length))

    def _nearness(self, number: int, terms: Sequence[Term]) -> float:
        """A little more for words asked for together that stand together; most for a phrase."""
        bonus = 0.0
        for first, second in pairwise(terms):
            gap = _gap(self.stems[number], first, second)
            bonus += 0.15 if gap == 1 else 0.08 if gap is not None and abs(gap) <= NEARNESS else 0
        return min(bonus, 0.3)


def _gap(stems: Sequence[str], first: Term, second: Term) -> int | None:
    """How far the second term stands behind the first, at the nearest; None when one is missing."""
    ones = [i for i, one in enumerate(stems) if one in first.stems]
    others = [i for i, one in enumerate(stems) if one in second.stems]
    return min((b - a for a in ones for b in others if a != b), key=abs, default=None)


def _weigh_above(sentence: Sentence) -> dict[str, float]:
    weights = dict.fromkeys(content_stems(sentence.title), TITLE_ABOVE)
    for heading in sentence.headings:
        stems = [one for one in content_stems(heading) if one[0].isalpha()]
        # a heading of one word says more about its sentences than one of five
        weight = QUESTION_ABOVE if heading.endswith("?") else HEADING_ABOVE * (0.6 + 0.4 / max(1, len(stems)))
        weights.update(dict.fromkeys(stems, weight))
    return weights


def is_alike(one: Sequence[str], other: Sequence[str], *, share: float = 0.6) -> bool:
    """Whether two sentences say much the same: they share this part of the shorter one's words."""
    a, b = set(one), set(other)
    return bool(a and b) and len(a & b) / min(len(a), len(b)) >= share


def count_words(text: str) -> int:
    """How many words a text has."""
    return len(re.findall(r"\S+", text))
