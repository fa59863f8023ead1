"""What the form of a question asks for, and what a sentence shows without saying the word."""

from __future__ import annotations

import re

from local.bedrock.english import DAYS, MONTHS
from local.bedrock.words import content_stems, stem

_CALENDAR = {*DAYS, *MONTHS, *(f"{day}s" for day in DAYS)}
_MONTH = "|".join(month.capitalize() for month in MONTHS)
_NUMBER = r"two|three|four|five|six|seven|eight|nine|ten"
_SPAN = r"day|week|month|year"
_YES = r"(?i:^(?:yes|no)\b|\b(?:you|we) (?:can|cannot|may|do|must|will|are|accept|have)\b)"
_NOT = r"(?i:n't\b|\b(?:not|cannot|never|no|without|except|unless)\b)"
_PHONE = r"\+?\b\d{2,}[\d ./-]{5,}\d\b"
_MONEY = r"[\u20ac$\u00a3]\s?\d|\d (?:euros?|pounds?|dollars?|cents?|percent)\b|\bfree of charge\b"
_STREET = rf"\b\d+[a-z]? (?!{_MONTH})[A-Z]\w+ [A-Z]"
_PLACE = r"\b(?:stands?|lies|located|situated|find us|next to|opposite) (?:at|in|on|near|the)\b"

# An address says where, ten digits are a telephone number.
SHOWS = tuple(
    (re.compile(shown), stem(word))
    for shown, word in (
        (f"{_STREET}|{_PLACE}", "where"),
        (_PHONE, "phone"),
        (r"\S@\S", "email"),
        (rf"{_PHONE}|\S@\S", "contact"),
        (_MONEY, "cost"),
        (r"\b2[456] December\b|\bDecember 2[456]\b", "christmas"),
    )
)
# What words mean together.
PHRASES = tuple(
    (re.compile(said, re.I), meant)
    for said, meant in (
        (r"\bhow much\b", "cost"),
        (r"\bhow (?:early|late|soon)\b", "when"),
        (r"\bmoney back\b", "refund"),
        (r"\bweek-?ends?\b", "Saturday and Sunday"),
        (r"\b(?:send|give|bring|take|hand)\b((?: \w+){0,3}) back\b", r"return\1"),
        (r"\bpick\b((?: \w+){0,3}) up\b", r"collect\1"),
        (r"\bsign\b((?: \w+)?) up\b", r"register\1"),
        (r"\bcheck(?:s|ed|ing)? in\b", "check-in"),
    )
)
# A question of this form is better answered by a sentence of that form: by how much, of the sentence's score.
KINDS = tuple(
    (re.compile(asked, re.I), re.compile(said), bonus)
    for asked, said, bonus in (
        (r"\bhow much\b|\b(?:cost|price|fee|charge)s?\b", rf"{_MONEY}|\bfree\b", 0.15),
        (r"\bwhen\b|\bwhat time\b|\bhow (?:long|soon|late|early)\b|\bhours\b", rf"\d|\b(?:{_SPAN}|minute|hour)s?\b|\b\w+day\b", 0.1),
        (rf"\d|\b(?:{_NUMBER}) (?:{_SPAN})s?\b", rf"\d (?:\w+ )?(?:{_SPAN})s?\b", 0.25),
        (r"\bhow (?:many|far|old|big|often)\b", rf"\d|\b(?:{_NUMBER}|once|twice|every)\b", 0.1),
        (r"\bphone number\b|\bcall you\b|\byou by phone\b", _PHONE, 0.5),
        (r"\bwho(?:se|m)?\b", r"\w \b[A-Z][a-z]+", 0.1),
        (r"\bwhy\b", r"\b(?:because|since|so that|therefore|due to|in order)\b", 0.15),
        (r"\bwhere\b", r"\b(?:at|in|on|near|next to|opposite|behind|beside)\b", 0.05),
        (r"^\W*(?:can|could|may|do|does|are|is|will|am)\b", _YES, 0.1),
        (r"n't\b|\b(?:not|cannot|never|without|lost|excluded?|forbidden)\b", _NOT, 0.6),
    )
)  # fmt: skip
# Questions that begin alike ask alike.
BEGINS = tuple(
    re.compile(rf"\W*(?:{words})\b", re.I)
    for words in (
        "how much|what does .* cost", "when|how (?:long|soon)|what time|until when", "how many|how often|how far", "how", "where",
        "who|whose|whom", "why", "which|what", "can|could|may|am i allowed", "do|does|did|have|has", "is|are|will",
    )
)  # fmt: skip
SAME_BEGINNING, SAME_SIDE, OTHER_SIDE = 0.15, 0.5, -0.3  # a side: what is, or what is not
POLAR = re.compile(r"\W*(?:can|could|may|do|does|did|are|is|will|would|am|have|has|should|must)\b", re.I)


def find_shown(text: str) -> list[str]:
    """The stems that a sentence shows without the word."""
    return [one for pattern, one in SHOWS if pattern.search(text)]


def say_plainly(text: str) -> str:
    """The text with phrases in single words: "send it back" as "return it"."""
    for pattern, word in PHRASES:
        text = pattern.sub(word, text)
    return text


def find_names(text: str) -> set[str]:
    """The stems of the words within a text that are written as names are."""
    written = re.findall(r"(?<=[\w,] )[A-Z][\w'-]+", text)
    return set(content_stems(" ".join(name for name in written if name.casefold() not in _CALENDAR)))


def suit(question: str, text: str) -> float:
    """How much better a sentence of this form answers a question of that form (0 and up)."""
    return sum(bonus for asked, said, bonus in KINDS if asked.search(question) and said.search(text))


def suit_alike(question: str, other: str) -> float:
    """How much a question that a text answers is like the one that is asked, by its form (below 0: it asks for the opposite)."""
    is_negative = re.search(_NOT, question)
    side = (SAME_SIDE if is_negative else OTHER_SIDE) if re.search(_NOT, other) else 0.0
    return side + (SAME_BEGINNING if _begin(question) == _begin(other) is not None else 0.0)


def _begin(question: str) -> int | None:
    return next((number for number, pattern in enumerate(BEGINS) if pattern.match(question)), None)


def is_polar(question: str) -> bool:
    """Whether the question can be answered by yes or no."""
    return POLAR.match(question) is not None
