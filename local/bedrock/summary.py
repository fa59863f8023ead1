"""A long text in few words: the sentences that carry most of it, from all of its sections, each thing said once."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from local.bedrock.index import WEAK_STEMS, Index, count_words, is_alike
from local.bedrock.passages import Sentence
from local.bedrock.weighing import Chapter, Weighed, weigh
from local.bedrock.words import content_stems, stem

WORDS, ROOM = 250, 25  # of a summary: what is aimed at, and how many more the last sentence may bring
SHARE = 0.3  # of a short text's words
LEAST_WORDS = 60

ASKS_SUMMARY = re.compile(
    r"\b(?:summar(?:y|ies|i[sz](?:e|ed|ing))|overview|gist|recap|nutshell|tl;?dr|sum (?:it |this |that |them |all )?up"
    r"|(?:main|key|most important|essential) (?:point|fact|thing|idea|chapter)s?|zusammenfass\w*|resum\w+|r\u00e9sum\w+)\b",
    re.I,
)
# These ask for a summary only when nothing else is asked about than the text itself.
MAY_ASK_SUMMARY = re.compile(
    r"\b(?:in (?:short|brief|a few words)|briefly|outline|what (?:does|do) .* say|(?:what|tell me) .*\babout)\b", re.I
)
_OF_A_TEXT = """
document text report brochure leaflet guide handbook manual book booklet paper article chapter page file story content information
material topic whole entire everything short brief quick long complete full general main point word sentence minute contain read hear
explain describe
"""
OF_A_TEXT = frozenset(map(stem, _OF_A_TEXT.split()))


def asks_summary(question: str, index: Index) -> bool:
    """Whether the request's own words ask for a summary and not for an answer."""
    if ASKS_SUMMARY.search(question):
        return True
    return bool(MAY_ASK_SUMMARY.search(question)) and not find_focus(question, index)


def find_focus(question: str, index: Index) -> list[str]:
    """The stems that say what the summary shall be about; none when it is about the whole text."""
    for about in _find_object(question):
        if stems := [one for one in dict.fromkeys(content_stems(about)) if not _is_of_text(one, index)]:
            return stems
    return []


def _find_object(question: str) -> list[str]:
    """What is said behind the words that ask for a summary, and before them; in the same clause, if they have one."""
    for clause in re.split(r"[.,;!?]", question):
        if found := ASKS_SUMMARY.search(clause):
            return [clause[found.end() :], clause[: found.start()]]
    return [MAY_ASK_SUMMARY.sub(lambda m: m[0].split(" ", 1)[-1] if " " in m[0] else " ", question)]


def _is_of_text(one: str, index: Index) -> bool:
    return one in OF_A_TEXT or one in WEAK_STEMS or one in index.titles or one.isdigit()


def summarize(question: str, index: Index) -> str:
    """The summary of the documents, or of their chapter that is asked about; "" when they have no such chapter."""
    focus = find_focus(question, index)
    known = [one for one in focus if index.knows(one)]
    if focus and not known:
        return ""
    candidates = _about(known, index) if known else list(index.sentences)
    total = sum(count_words(s.text) for s in candidates)
    chosen = choose(candidates, index, words=min(WORDS, max(LEAST_WORDS, int(total * SHARE))))
    return " ".join(_spoken(s) for s in chosen)


def _about(stems: Sequence[str], index: Index) -> list[Sentence]:
    """The sections that the stems name, or that mostly speak of them; else the sentences that do."""
    matched = {m.sentence.number for m in index.search(index.read_terms(" ".join(stems)))}
    named = {s.section for s in index.sentences if set(content_stems(" ".join(s.headings))) & set(stems)}
    size = Counter(s.section for s in index.sentences)
    hits = Counter(index.sentences[number].section for number in matched)
    sections = named | {section for section, count in hits.items() if count > size[section] / 2}
    return [s for s in index.sentences if (s.section in sections if sections else s.number in matched)]


def choose(candidates: Sequence[Sentence], index: Index, *, words: int) -> list[Sentence]:
    """Sentences of about so many words in all, in the text's order."""
    weighed = weigh(candidates, index)
    shares = _share_out(weighed, words=words)
    chosen: list[Weighed] = []
    while left := [w for w in weighed if _fits(w, chosen, index, words=words)]:
        chosen.append(max(left, key=lambda w: (w.weight * _hunger(w, chosen, shares), -w.sentence.number)))
    return [w.sentence for w in sorted(chosen, key=lambda w: w.sentence.number)]


def _share_out(weighed: Sequence[Weighed], *, words: int) -> dict[Chapter, float]:
    """How many of the summary's words each chapter gets: the longer the more, but not in proportion."""
    sizes: Counter[Chapter] = Counter()
    for w in weighed:
        sizes[w.chapter] += w.words
    whole = sum(math.sqrt(size) for size in sizes.values()) or 1.0
    return {chapter: words * math.sqrt(size) / whole for chapter, size in sizes.items()}


def _hunger(w: Weighed, chosen: Sequence[Weighed], shares: dict[Chapter, float]) -> float:
    """How much its chapter still lacks: most for a long chapter that has nothing yet, little for one that has its share."""
    share, had = shares[w.chapter], sum(c.words for c in chosen if c.chapter == w.chapter)
    return math.pow(share, 0.7) / (1 + (had / share) ** 2)


def _fits(w: Weighed, chosen: Sequence[Weighed], index: Index, *, words: int) -> bool:
    said = sum(c.words for c in chosen)
    if w in chosen or said >= words - ROOM or said + w.words > words + ROOM:
        return False
    stems = index.stems[w.sentence.number]
    return not any(is_alike(stems, index.stems[c.sentence.number], share=0.5) for c in chosen)


def _spoken(sentence: Sentence) -> str:
    lead = "" if sentence.is_whole or not sentence.headings else sentence.headings[-1].rstrip("?:. ")
    return f"{lead}: {sentence.text}" if lead else sentence.text
