"""What a caller's question would meet, found out without asking it: nothing is counted, claimed or generated."""

from __future__ import annotations

from dataclasses import dataclass

from connectgenai.wire.items import AnswerItem, TopicItem
from connectgenai.wire.question import (
    EVERYONE,
    AskedQuestion,
    answer_scope,
    find_personal,
    identify_question,
)
from connectgenai.wire.store import AnswerStore, find_outcome, is_current

INCIDENT, OWN, OFF = "incident", "own", "off"


@dataclass(frozen=True, slots=True)
class Match:
    """What an ask comes to.

    `outcome` is that of the answer which everyone shares (`hit`, `joined`, `miss`, `failed`), or `own` (each caller gets one of
    their own), `incident` (the incident's text is heard instead), `off` (the topic is switched off). `personal` is why the
    question is never shared, or "". `answer` is what lies under the shared key, if anything.
    """

    asked: AskedQuestion
    outcome: str
    personal: str
    answer: AnswerItem | None


def find_match(question: str, *, topic: TopicItem, language: str, store: AnswerStore, now_ms: int) -> Match:
    """By the rules of the Producer, for a caller whom nobody knows yet; QuestionError for what is no question."""
    asked = identify_question(
        question, topic=topic.name, language=language, sharing=EVERYONE, caller="", contact_id="trial"
    )
    found = store.read_answer(asked.key, consistent=True) if asked.scope == EVERYONE else None
    outcome = _find_outcome(asked, found, topic, now_ms=now_ms)
    return Match(asked, outcome, find_personal(asked.question), found)


def _find_outcome(asked: AskedQuestion, found: AnswerItem | None, topic: TopicItem, *, now_ms: int) -> str:
    if not topic.enabled:
        return OFF
    if topic.has_incident(asked.key, now_ms=now_ms):
        return INCIDENT
    scope = answer_scope(topic.sharing, question=asked.question, caller="", contact_id="trial")
    is_approved = found is not None and is_current(found, topic, now_ms=now_ms)
    if scope != EVERYONE or (topic.needs_approval and not is_approved):
        return OWN
    return find_outcome(found, topic, now_ms=now_ms)
