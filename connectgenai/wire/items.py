"""The DynamoDB items as frozen dataclasses, and their attribute values."""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, fields
from functools import lru_cache
from typing import Any, TypeVar

from connectgenai.wire.waiting import WaitPolicy, policies_from_json

Attributes = dict[str, dict[str, Any]]
T = TypeVar("T")

PENDING, READY, FAILED, INVALID = "PENDING", "READY", "FAILED", "INVALID"
GENERATED, CURATED, INCIDENT = "generated", "curated", "incident"


@dataclass(frozen=True, slots=True)
class AnswerItem:
    """One question's answer. Times end in `_at` or `_until` and are epoch milliseconds, but for `expires_at` and `purge_at`:
    epoch seconds, since DynamoDB's TTL wants seconds.
    """

    key: str
    topic: str
    language: str
    scope: str
    question: str
    words: str = ""
    state: str = PENDING
    epoch: int = 0
    version: int = 0
    claim_id: str = ""  # who won the ask, so that a retried write knows its own success
    token: str = ""  # the run: who writes, or wrote, the text
    lease_until: int = 0
    attempts: int = 0
    requeued_at: int = 0
    requeues: int = 0
    asked_at: int = 0
    started_at: int = 0
    first_chunk_at: int = 0
    finished_at: int = 0
    chunks: tuple[str, ...] = ()
    complete: bool = False
    text_epoch: int = 0
    revision: int = 0
    source: str = ""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    pinned: bool = False
    reason: str = ""
    failed_until: int = 0
    expires_at: int = 0
    purge_at: int = 0
    changed_at: int = 0

    @property
    def text(self) -> str:
        """The whole answer as far as it is written."""
        return " ".join(self.chunks)


@dataclass(frozen=True, slots=True)
class TopicItem:
    """A published topic: all that an ask, a poll and a generation need to know. Documents are content hashes of extracted text."""

    name: str
    title: str = ""
    enabled: bool = True
    revision: int = 0
    version: int = 0
    sharing: str = "caller"
    ttl_seconds: int = 7 * 24 * 3600
    keep_seconds: int = 90 * 24 * 3600  # after which answers, but for supervisors' own, and calls are deleted
    policies: str = "{}"
    instructions: str = ""
    model_id: str = ""
    max_tokens: int = 600
    temperature: str = "0.0"  # a decimal as text: DynamoDB numbers need not survive a float
    documents: tuple[str, ...] = ()  # "<sha256> <title>"
    hold_until_checked: bool = False
    guardrail: str = ""  # "<identifier>:<version>"
    fallback_model_id: str = ""
    asks_per_caller: int = 0  # new questions an hour; 0 does not limit
    asks_per_minute: int = 0  # new questions a minute, of all callers
    needs_approval: bool = False  # only texts that a supervisor published are shared
    estimate_seconds: int = 0
    incident_id: str = ""
    incident_chunks: tuple[str, ...] = ()
    incident_until: int = 0
    incident_keys: tuple[str, ...] = ()
    changed_at: int = 0

    def languages(self) -> dict[str, WaitPolicy]:
        """The languages in which callers may ask, each with its wait policy; the first is the topic's own."""
        return _parsed_policies(self.policies)

    def has_incident(self, key: str, *, now_ms: int) -> bool:
        """Whether an incident answer stands in now for the question that everyone would hear under this key."""
        return bool(self.incident_chunks) and now_ms < self.incident_until and key in (self.incident_keys or (key,))


@lru_cache(maxsize=256)
def _parsed_policies(text: str) -> dict[str, WaitPolicy]:
    return policies_from_json(text)


@dataclass(frozen=True, slots=True)
class CallItem:
    """One contact's wait for one answer, as the Lambdas saw it; `events` are "milliseconds since asked|kind|detail".

    Every poll writes it, so it is kept small: who and what are in the key, and most fields are one attribute of JSON.
    """

    contact_id: str
    key: str
    initial_contact_id: str = ""
    topic: str = ""
    language: str = ""
    channel: str = ""
    caller: str = ""
    epoch: int = 0
    run: str = ""
    outcome: str = "waiting"
    source: str = ""
    reason: str = ""
    asked_at: int = 0
    first_words_at: int = 0
    ended_at: int = 0
    last_seen_at: int = 0
    polls: int = 0
    prompts: int = 0
    parts: int = 0
    events: tuple[str, ...] = ()
    version: int = 0
    purge_at: int = 0
    changed_at: int = 0


def answer_pk(key: str) -> str:
    """The partition key of an answer item."""
    return f"A#{key}"


def topic_pk(name: str) -> str:
    """The partition key of a topic item."""
    return f"T#{name}"


def call_pk(contact_id: str, key: str) -> str:
    """The partition key of a call item."""
    return f"C#{contact_id}#{key}"


def to_value(value: str | int | bool | tuple[str, ...]) -> dict[str, Any]:
    """One DynamoDB attribute value."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, str):
        return {"S": value}
    return {"L": [{"S": v} for v in value]}


def from_value(value: dict[str, Any]) -> Any:
    """The Python value of a string, number, boolean or list of strings."""
    kind, plain = next(iter(value.items()))
    if kind == "N":
        return int(plain)
    return tuple(v["S"] for v in plain) if kind == "L" else plain


def to_attributes(item: AnswerItem | TopicItem | CallItem) -> Attributes:
    """The item's fields as attribute values; fields at their defaults are left out."""
    plain = {f.name: getattr(item, f.name) for f in fields(item)}
    return {f.name: to_value(plain[f.name]) for f in fields(item) if f.default is MISSING or plain[f.name] != f.default}


def from_attributes(kind: type[T], attributes: Attributes) -> T:
    """The item; attributes unknown to this version are ignored, missing ones take their defaults."""
    known = _FIELDS[kind.__name__]
    plain = {k: from_value(v) for k, v in attributes.items() if k in known}
    return kind(**plain, **_call_facts(attributes)) if kind is CallItem else kind(**plain)


def call_attributes(call: CallItem) -> dict[str, str | int]:
    """A call's facts as one string, beside the attributes that writes treat each in its own way."""
    facts = {name: getattr(call, name) for name in _CALL_FACTS if getattr(call, name)}
    return {"facts": json.dumps(facts), "purge_at": call.purge_at}


def _call_facts(attributes: Attributes) -> dict[str, Any]:
    contact_id, key = attributes["pk"]["S"].removeprefix("C#").rsplit("#", 1)
    facts = json.loads(attributes["facts"]["S"])
    return {"contact_id": contact_id, "key": key, **{k: v for k, v in facts.items() if k in _CALL_FACTS}}


_CALL_FACTS = frozenset(f.name for f in fields(CallItem)) - {
    "contact_id", "key", "first_words_at", "polls", "events", "version", "purge_at", "changed_at",
}  # fmt: skip
_FIELDS: dict[str, Any] = {
    kind.__name__: frozenset(f.name for f in fields(kind)) for kind in (AnswerItem, TopicItem, CallItem)
}


def document_text_key(sha256: str) -> str:
    """Where a source document's extracted text lies in the bucket."""
    return f"documents/text/{sha256}.txt"
