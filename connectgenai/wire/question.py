"""A caller's words -> normalised words -> the key of the answer."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache

MAX_QUESTION_CHARACTERS = 1_000
EVERYONE = "everyone"
DRAFT = "draft"  # the scope of an answer that no caller hears: a supervisor looks at it first

# Sounds and courtesies that carry no meaning, and phrases that only announce a question (spoken English).
FILLERS = frozenset({"um", "uh", "erm", "er", "hmm", "please", "kindly"})
CONTRACTIONS = {
    "what's": "what is",
    "where's": "where is",
    "when's": "when is",
    "who's": "who is",
    "how's": "how is",
    "it's": "it is",
    "that's": "that is",
    "there's": "there is",
    "i'm": "i am",
    "i'd": "i would",
    "i've": "i have",
    "you're": "you are",
    "can't": "cannot",
    "won't": "will not",
    "don't": "do not",
    "doesn't": "does not",
    "didn't": "did not",
    "isn't": "is not",
    "aren't": "are not",
}
ANNOUNCEMENTS = re.compile(
    r"^(?:(?:hello|hi|hey|good (?:morning|afternoon|evening)|excuse me|so|okay|ok|well|yes) )*"
    r"(?:(?:can|could|would|will) you (?:tell me|explain to me|explain|say)(?: about)? "
    r"|i (?:would|want) (?:like )?to know |i was wondering |do you know |tell me |my question is )?"
)
COURTESIES = re.compile(r"(?: (?:thank you(?: very much)?|thanks(?: a lot)?))+$")

NUMBER_WORDS = "zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple"
IDENTIFIERS = (
    ("digits", re.compile(r"\d(?:[\s./-]?\d){3,}")),
    ("spoken_digits", re.compile(rf"\b(?:{NUMBER_WORDS})(?:[\s,-]+(?:{NUMBER_WORDS})){{2,}}\b")),
    ("email", re.compile(r"\S+@\S+\.\w+|\b\w+ at \w+ dot \w+")),
    ("name", re.compile(r"\bmy (?:(?:first|last|full) )?name is\b|\bi am (?:mr|mrs|ms|doctor)\b")),
)
HOW_TO = re.compile(
    r"^(?:how (?:do|can|could|should|would|to|long|much|many)|can i|could i|may i|am i allowed|what (?:do|should|can) i)\b"
)
OWN_BUSINESS = re.compile(
    r"\b(?:my|our) (?:\w+ ){0,2}?(?:account|balance|orders?|bills?|invoices?|payments?|cards?|contracts?|bookings?|appointments?"
    r"|reservations?|claims?|cases?|tickets?|address|deliver(?:y|ies)|parcels?|packages?|refunds?|loans?|mortgage|policy|prescriptions?"
    r"|results?|salary|statements?|transactions?|subscriptions?)\b"
)
OWN_PAST = re.compile(
    r"\b(?:i|we) (?:have |had |just |already )*(?:ordered|paid|booked|bought|returned|sent|received|called|complained|cancelled)\b"
)


class QuestionError(ValueError):
    """The question cannot be asked; `reason` is the stable word that the flow gets."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@lru_cache(maxsize=1_024)
def clean_question(text: str) -> str:
    """The caller's words on one line; QuestionError when they are missing, too long (1,000 characters) or not words."""
    if len(text) > MAX_QUESTION_CHARACTERS:
        raise QuestionError("question_too_long")
    kept = "".join(c if _is_plain(c) else " " for c in unicodedata.normalize("NFKC", text))
    words = " ".join(kept.split())
    if not text.strip():
        raise QuestionError("question_missing")
    letters = sum(c.isalnum() for c in words)
    # Binary rubbish decodes into replacement and control characters; a spoken question is mostly letters.
    if letters == 0 or letters < len(text.strip()) / 3:
        raise QuestionError("question_unreadable")
    return words


def _is_plain(character: str) -> bool:
    return (
        unicodedata.category(character)[0] != "C"
        and character != "\N{REPLACEMENT CHARACTER}"
        and not _is_invisible(character)
    )


def _is_invisible(character: str) -> bool:
    # variation selectors and tags carry no sound, yet could smuggle text into a prompt
    return "\ufe00" <= character <= "\ufe0f" or character >= "\U000e0000"


@lru_cache(maxsize=1_024)  # the same few questions are asked again and again
def normalize_question(text: str, *, language: str) -> str:
    """The words that decide whether two questions are the same: case, punctuation, fillers and courtesies are gone.

    Numbers keep their decimal marks, and currency, percent and plus signs stay: they change the answer.
    """
    words = unicodedata.normalize("NFKC", text).casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if language.lower().startswith("en"):
        words = " ".join(CONTRACTIONS.get(w.strip('.,!?;:"'), w) for w in words.split())
    words = _without_punctuation(words)
    if language.lower().startswith("en"):
        words = _without_courtesies(words)
    if not words:
        raise QuestionError("question_missing")
    return words


def _without_punctuation(words: str) -> str:
    words = words.replace("'", "")
    words = re.sub(r"(?<!\d)[.,:]|[.,:](?!\d)", " ", words)
    return " ".join("".join(c if _carries_meaning(c) else " " for c in words).split())


def _carries_meaning(character: str) -> bool:
    return character in "%&#@.,:" or unicodedata.category(character)[0] in "LNMS"


def _without_courtesies(words: str) -> str:
    spoken = " ".join(w for w in words.split() if w not in FILLERS)
    bare = COURTESIES.sub("", ANNOUNCEMENTS.sub("", spoken + " ", count=1).strip()).strip()
    return bare or spoken


def question_key(topic: str, *, language: str, scope: str, words: str) -> str:
    """The answer's DynamoDB key: the topic's name and 128 bits of a hash, so that it never carries a caller's words."""
    digest = hashlib.sha256("\n".join((topic, language.lower(), scope, words)).encode("utf-8", "replace")).hexdigest()
    return f"{topic}.{digest[:32]}"


def shared_key(topic: str, *, language: str, words: str) -> str:
    """The key under which everyone hears the answer to these normalised words."""
    return question_key(topic, language=language, scope=EVERYONE, words=words)


def topic_of(key: str) -> str:
    """The topic's name in a question key."""
    return key.rpartition(".")[0]


@lru_cache(maxsize=1_024)
def find_personal(text: str) -> str:
    """Why a question is personal and must never be shared ("digits", "own_business", ...), or "" when it is not."""
    words = " ".join(text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    for reason, pattern in IDENTIFIERS:
        if pattern.search(words):
            return reason
    is_own = OWN_BUSINESS.search(words) or OWN_PAST.search(words)
    return "own_business" if is_own and not HOW_TO.match(words) else ""


@lru_cache(maxsize=1_024)
def caller_hash(number: str, *, keys: tuple[tuple[str, bytes], ...]) -> str:
    """A keyed hash of the caller's number, led by the key's id ("k1:9f..."); "" when the number is withheld."""
    address = "".join(number.split()).casefold()
    # a number is the same however it is grouped; a chat address is what it is
    digits = address if re.search(r"[^\W\d_]|@", address) else re.sub(r"\D", "", address)
    if not digits or digits in {"anonymous", "unavailable", "unknown", "restricted"}:
        return ""
    key_id, secret = keys[0]
    return f"{key_id}:{hmac.new(secret, digits.encode(), hashlib.sha256).hexdigest()[:32]}"


def answer_scope(sharing: str, *, question: str, caller: str, contact_id: str) -> str:
    """Who may hear the answer: everyone, this caller (by hash), or this contact alone.

    A personal question is never shared, whatever the topic says; a caller without a number is known by the contact only.
    """
    if sharing == DRAFT:
        return DRAFT
    if sharing == EVERYONE and not find_personal(question):
        return EVERYONE
    if sharing != "nobody" and caller:
        return f"caller:{caller}"
    return f"contact:{contact_id}"


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question that has an identity: where its answer lies and who may hear it."""

    key: str
    topic: str
    language: str
    scope: str
    question: str
    words: str


def identify_question(
    text: str, *, topic: str, language: str, sharing: str, caller: str, contact_id: str
) -> AskedQuestion:
    """The question under its key; QuestionError when it cannot be asked. `caller` is a hash from `caller_hash`, or ""."""
    question = clean_question(text)
    words = normalize_question(question, language=language)
    scope = answer_scope(sharing, question=question, caller=caller, contact_id=contact_id)
    key = question_key(topic, language=language, scope=scope, words=words)
    return AskedQuestion(key=key, topic=topic, language=language, scope=scope, question=question, words=words)


def keep_to_caller(asked: AskedQuestion, *, caller: str, contact_id: str) -> AskedQuestion:
    """The same question, its answer this caller's own: for what is not to be shared before somebody has approved it."""
    scope = answer_scope("caller", question=asked.question, caller=caller, contact_id=contact_id)
    key = question_key(asked.topic, language=asked.language, scope=scope, words=asked.words)
    return replace(asked, key=key, scope=scope)
