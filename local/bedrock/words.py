"""A text -> its words, and the stems of those that carry meaning."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache, partial

from local.bedrock.english import DAYS, IRREGULAR, MONTHS, NUMBER_WORDS, SHORT_FOR, STOP_WORDS, SUFFIXES

WORD = re.compile(r"[^\W_]+(?:[.,:]\d+)*")
SHORT_HYPHEN = re.compile(r"\b(?:(\w{1,2})-(\w+)|(\w+)-(\w{1,2}))\b")
APOSTROPHES = re.compile("['\u2018\u2019\u02bc]")

DAY_GROUPS = {"weekday": DAYS[:5], "daily": DAYS, "everyday": DAYS}
TO = r"\s*(?:to|until|till|through|thru|-|\u2013|\u2014)\s*(?:the\s+)?(?:\d+\w*\s+)?"
RANGES = [re.compile(rf"\b({names}){TO}({names})\b") for names in ("|".join(f"{d}s?" for d in DAYS), "|".join(MONTHS))]

ONE_SYLLABLE = re.compile("[^aeiouy]+[aeiouy][^aeiouwxy]")
# letters that must be left without the ending; 5 for the others
SHORT_STEMS = {"ing": 3, "ings": 3, "ed": 3, "ment": 3, "able": 3, "al": 4}


def tokenize(text: str) -> list[str]:
    """The words of a text in lower case; "wi-fi" and "wifi" are the same word, "part-time" is two."""
    plain = APOSTROPHES.sub("", unicodedata.normalize("NFKC", text).casefold())
    return WORD.findall(SHORT_HYPHEN.sub(lambda m: "".join(filter(None, m.groups())), plain))


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """What the forms of a word have in common: "deliveries", "delivered" and "delivery" share one stem."""
    word = IRREGULAR.get(word, word)
    word = SHORT_FOR.get(word.removesuffix("s"), word)
    if word in NUMBER_WORDS:
        return str(NUMBER_WORDS.index(word))
    if not word.isalpha() or len(word) < 4:
        return word
    return _spell_alike(_strip_end(_strip_suffix(_strip_plural(word).replace("ll", "l"))))


def _strip_plural(word: str) -> str:
    if word.endswith(("ies", "ied")) and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _strip_suffix(word: str) -> str:
    """Without its derivational endings, as long as enough of the word is left to be told from others."""
    for suffix in SUFFIXES:
        rest = word[: -len(suffix)]
        enough = SHORT_STEMS.get(suffix, 5)
        if word.endswith(suffix) and len(rest) >= enough and re.search("[aeiouy]", rest):
            is_verbs = suffix in ("ing", "ings", "ed")
            return _strip_suffix(f"{rest}e" if is_verbs and ONE_SYLLABLE.fullmatch(rest) else rest)
    return word


def _strip_end(word: str) -> str:
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "aeiou":
        return word[:-1]
    # "price" and "pricing" keep the e, that tells "plane" from "plan"
    return word[:-1] if word.endswith("e") and len(word) > 3 and not ONE_SYLLABLE.fullmatch(word[:-1]) else word


def _spell_alike(one: str) -> str:
    """British and American spellings alike: colour and color, centre and center, organise and organize, instalment."""
    one = re.sub(r"(?<=[a-z]{2})our$", "or", one) if len(one) > 5 else one
    return re.sub(r"tr$", "ter", re.sub(r"(?<=[a-z]{3})is$", "iz", one))


def content_stems(text: str, *, spell_ranges: bool = False) -> list[str]:
    """The stems of the words that carry meaning, in order; with `spell_ranges`, "Monday to Friday" is each of the days as well."""
    words = tokenize(_spell_ranges(text) if spell_ranges else text)
    return [stem(word) for word in words if word not in STOP_WORDS]


def _spell_ranges(text: str) -> str:
    """The text with "Monday to Friday", "May to August" or "weekdays" followed by the days or months that they mean."""
    spelt = text.casefold()
    for pattern, names in zip(RANGES, (DAYS, MONTHS), strict=True):
        spelt = pattern.sub(partial(_spell_range, names=names), spelt)
    return re.sub(r"\b(weekday|daily|everyday)s?\b", lambda m: f"{m[0]} {' '.join(DAY_GROUPS[m[1]])}", spelt)


def _spell_range(found: re.Match[str], *, names: Sequence[str]) -> str:
    start, end = (names.index(name if name in names else name.removesuffix("s")) for name in found.groups())
    between = names[start : end + 1] if start <= end else [*names[start:], *names[: end + 1]]
    return f"{found[0]} {' '.join(between)}"
