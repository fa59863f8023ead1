"""A question -> the sentences of the documents that answer it, quoted; or that the documents do not say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from local.bedrock.hints import is_polar, suit, suit_alike
from local.bedrock.index import Index, Match, count_words, is_alike
from local.bedrock.openings import leans_back
from local.bedrock.passages import Sentence, follows_on

# Below this share of what was asked, a sentence is about something else.
FLOOR = 0.45
ALSO_ELSEWHERE, ALSO_OTHER_WORDS = 0.95, 0.6  # in another section; for words of the question that the best lacks
ALSO = 0.85  # of the best score: as good an answer, or the other half of one
SUBJECT = 0.75  # of what was asked, named by one heading: the caller asks for what is under it
MAX_SENTENCES, MAX_WORDS, FEW_WORDS = 3, 70, 60
MAX_LIST_ROWS, MAX_LIST_WORDS = 10, 90


def find_answer(question: str, index: Index) -> str:
    """The one to three sentences that answer, in the documents' order; "" when none does."""
    matches = rank(question, index)
    if not matches:
        return ""
    best = matches[0]
    found = _find_section(best, index) or _find_list(best, matches, index) or _continue(_pick(matches, index), index)
    said = quote(_complete(found, index))
    return said if is_polar(question) else _without_yes(said)


def _without_yes(said: str) -> str:
    """Without the "yes" or "no" to another question than was asked."""
    bare = re.sub(r"^(?:yes|no)[,.]\s+", "", said, flags=re.I)
    return bare[:1].upper() + bare[1:]


def rank(question: str, index: Index) -> list[Match]:
    """The sentences that answer at all, the best first; the kind of answer that is asked for decides between equals."""
    found = [m for m in index.search(index.read_terms(question)) if m.coverage >= FLOOR]
    suited = [replace(m, score=m.score * (1 + _suit(question, m.sentence))) for m in found]
    return sorted(suited, key=lambda m: (-round(m.score, 6), m.sentence.number))


def _suit(question: str, sentence: Sentence) -> float:
    above = sentence.headings[-1] if sentence.headings else ""
    return suit(question, sentence.text) + (suit_alike(question, above) if above.endswith("?") else 0.0)


def _pick(matches: Sequence[Match], index: Index) -> list[Sentence]:
    """The best sentence, and those nearly as good that add something."""
    picked = [matches[0]]
    for match in matches[1:]:
        one = match.sentence
        fits = len(picked) < MAX_SENTENCES and _words([*(p.sentence for p in picked), one]) <= MAX_WORDS
        is_new = not any(is_alike(index.stems[one.number], index.stems[p.sentence.number]) for p in picked)
        if fits and is_new and match.score >= _enough(match, picked) * matches[0].score:
            picked.append(match)
    return sorted((p.sentence for p in picked), key=lambda s: s.number)


def _enough(match: Match, picked: Sequence[Match]) -> float:
    """The share of the best score that makes a sentence worth hearing as well."""
    if match.sentence.section != picked[0].sentence.section:
        return ALSO_ELSEWHERE
    return ALSO if match.hits <= frozenset().union(*(p.hits for p in picked)) else ALSO_OTHER_WORDS


def _find_section(best: Match, index: Index) -> list[Sentence]:
    """What is under a heading, or its beginning, when the heading names what was asked."""
    if best.subject < SUBJECT:
        return []
    under = [s for s in index.sentences if s.section == best.sentence.section and s.headings == best.sentence.headings]
    rows = [s for s in under if s.paragraph == best.sentence.paragraph] if best.sentence.is_row else []
    if len(rows) > 1 and _is_short(rows):
        return rows
    first = [s for n, s in enumerate(under) if n < MAX_SENTENCES or _words(under[: n + 1]) <= FEW_WORDS]
    while len(first) > 1 and _words(first) > MAX_WORDS:
        first.pop()
    return first


def _words(sentences: Sequence[Sentence]) -> int:
    return sum(count_words(s.text) for s in sentences)


def _is_short(rows: Sequence[Sentence]) -> bool:
    return len(rows) <= MAX_LIST_ROWS and _words(rows) <= MAX_LIST_WORDS


def _find_list(best: Match, matches: Sequence[Match], index: Index) -> list[Sentence]:
    """The whole list, when it is asked for as one: its rows fit alike, for what is above them fits."""
    if not best.sentence.is_row:
        return []
    rows = [s for s in index.sentences if s.paragraph == best.sentence.paragraph]
    scores = {m.sentence.number: m.score for m in matches}
    alike = sum(scores.get(s.number, 0) >= 0.95 * best.score for s in rows)
    return rows if _is_short(rows) and alike > len(rows) / 2 else []


def _continue(picked: list[Sentence], index: Index) -> list[Sentence]:
    """With the sentence before, where one leans on it, and the one after, where it limits what was said."""
    wanted = {s.number: s for s in picked}
    for sentence in picked:
        before = index.sentences[sentence.number - 1] if sentence.number else None
        if before and follows_on(before, sentence) and leans_back(sentence.text):
            wanted[before.number] = before
    for sentence in picked:
        after = index.sentences[sentence.number + 1] if sentence.number + 1 < len(index.sentences) else None
        if after and follows_on(sentence, after) and leans_back(after.text) and len(wanted) < MAX_SENTENCES:
            wanted[after.number] = after
    return [wanted[number] for number in sorted(wanted)]


def _complete(sentences: list[Sentence], index: Index) -> list[Sentence]:
    """With what is announced, where the last sentence ends in a colon."""
    following = sentences[-1].number + 1
    if not sentences[-1].text.endswith(":") or following == len(index.sentences):
        return sentences
    announced = index.sentences[following]
    return [*sentences, *(s for s in index.sentences[following:] if s.paragraph == announced.paragraph)][:MAX_LIST_ROWS]


def quote(sentences: Sequence[Sentence]) -> str:
    """The sentences as they are read out; words under a heading are led in by it."""
    said, led_by = [], ""
    for sentence in sentences:
        lead = "" if sentence.is_whole else _lead(sentence)
        if lead and lead != led_by:
            said.append(f"{lead}: {_unlabel(sentence.text)}")
        else:
            said.append(_unlabel(sentence.text) if lead else sentence.text)
        led_by = lead
    return " ".join(said)


def _lead(sentence: Sentence) -> str:
    above = [heading for heading in sentence.headings if not heading.endswith("?")]
    return above[-1].rstrip(":. ") if above else ""


def _unlabel(text: str) -> str:
    """ "Sunday: closed." as it is said after a lead that has the colon already: "Sunday, closed." """
    return re.sub(r"^([^:.]{1,60}): ", r"\1, ", text)
