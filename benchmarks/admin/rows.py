"""A contact centre's three months, made up: the same rows on every machine."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

TOPICS: Final = tuple(f"topic-{letter}" for letter in "abcdefghijklmnopqrst")
LANGUAGES: Final = ("en-US", "en-US", "en-US", "en-US", "de-DE", "de-DE", "es-ES", "fr-FR")
DAYS: Final = 90
BUSY_HOUR: Final = 5_000  # calls in the last hour; on average there are 460
COMMON, RARE = "delivery", "zeppelin"
_SUBJECTS: Final = tuple("order parcel refund ticket return voucher account ferry cabin luggage invoice".split())  # noqa: SIM905
_VERBS: Final = tuple("change cancel find pay collect extend print move insure exchange".split())  # noqa: SIM905
_PLACES: Final = tuple("store harbour app counter website terminal branch kiosk".split())  # noqa: SIM905
_SYLLABLES: Final = tuple("ba ce di fo gu ha ke li mo nu pa re si to vu we xi yo za qui".split())  # noqa: SIM905
Row = dict[str, Any]


def make_answers(count: int, *, now: datetime) -> Iterator[Row]:
    """Answers in the order in which they changed; a few are asked very often."""
    chance = random.Random(7)
    step = timedelta(days=DAYS) / count
    for n in range(count):
        changed, topic = now - step * (count - n), _topic_of(n)
        state = "READY" if n % 50 else chance.choice(("FAILED", "INVALID", "PENDING"))
        curated = n % 40 == 0
        question = _question(chance, n)
        yield {
            "id": n + 1, "key": answer_key(n, topic), "topic": topic, "language": chance.choice(LANGUAGES),
            "scope": "everyone" if n % 5 else f"caller:k1:{n:032x}", "question": question, "words": question.lower()[:-1],
            "state": state, "epoch": 1, "version": 4, "token": f"{n:032x}", "attempts": 1,
            "chunks": json.dumps(_chunks(chance) if state == "READY" else []), "complete": state == "READY", "text_epoch": 1,
            "revision": 1, "source": ("curated" if curated else "generated") if state == "READY" else "",
            "model": "anthropic.claude-bench-v1:0", "input_tokens": 1_800, "output_tokens": 70, "pinned": n % 1_000 == 0,
            "reason": "busy" if state == "FAILED" else "", "asked_at": changed - timedelta(seconds=9),
            "started_at": changed - timedelta(seconds=8), "first_chunk_at": changed - timedelta(seconds=5),
            "finished_at": changed, "expires_at": changed + timedelta(days=7), "purge_at": changed + timedelta(days=120),
            "changed_at": changed, "calls": int(chance.paretovariate(0.7)) if n % 3 else 0,
        }  # fmt: skip


def make_calls(count: int, *, answers: int, now: datetime) -> Iterator[Row]:
    """Calls in the order in which they came; the last hour is a busy one."""
    chance = random.Random(11)
    before, step = count - BUSY_HOUR, timedelta(days=DAYS) / count
    for n in range(count):
        back = (
            timedelta(hours=1) * ((count - n) / BUSY_HOUR) if n >= before else timedelta(hours=1) + step * (before - n)
        )
        asked = now - back
        number = min(int(answers * chance.random() ** 3), answers - 1)
        source = chance.choices(("hit", "joined", "generated", "curated", "incident"), (60, 5, 25, 8, 2))[0]
        outcome = chance.choices(("answered", "left", "abandoned", "failed", "timed_out"), (78, 8, 9, 3, 2))[0]
        outcome = "waiting" if count - n <= 12 else outcome
        waits = 0.1 if source in ("hit", "curated", "incident") else chance.uniform(2, 30)
        heard = outcome in ("answered", "left")
        yield {
            "id": n + 1, "contact_id": contact_id(n), "key": answer_key(number, _topic_of(number)), "topic": _topic_of(number),
            "initial_contact_id": contact_id(n), "language": "en-US", "channel": "VOICE",
            "caller": f"k1:{n % 300_000:032x}", "epoch": 1, "run": f"{number:032x}"[:12], "outcome": outcome,
            "source": source if heard else "", "reason": "busy" if outcome == "failed" else "", "asked_at": asked,
            "first_words_at": asked + timedelta(seconds=waits) if heard else None,
            "ended_at": None if outcome == "waiting" else asked + timedelta(seconds=waits + 20),
            "last_seen_at": asked + timedelta(seconds=waits + 20), "polls": 5, "prompts": int(waits > 3), "parts": 2,
            "events": json.dumps(["2004|comfort|", "3230|prompt|1", f"{round(waits * 1000)}|part|1"]), "version": 5,
            "purge_at": asked + timedelta(days=120), "changed_at": asked,
        }  # fmt: skip


def make_versions(count: int, *, answers: int, now: datetime) -> Iterator[Row]:
    """Earlier texts of answers, spread over all of them."""
    chance = random.Random(13)
    for n in range(count):
        number = n * (answers // count) if count <= answers else n % answers
        yield {
            "id": n + 1, "answer_id": number + 1, "run": f"v{n:031x}", "epoch": 1, "chunks": json.dumps(_chunks(chance)),
            "source": "generated", "model": "anthropic.claude-bench-v1:0", "finished_at": now, "author_id": None, "why": "",
        }  # fmt: skip


def make_reviews(count: int, *, now: datetime) -> Iterator[Row]:
    """Candidates for review, most of them decided long ago."""
    chance = random.Random(17)
    for n in range(count):
        topic, callers = _topic_of(n), int(chance.paretovariate(0.9))
        question = _question(chance, n)
        yield {
            "id": n + 1, "key": answer_key(n, topic), "topic": topic, "language": "en-US", "question": question,
            "words": question.lower(), "phrasings": "[]", "state": "published" if n % 20 else "in_review", "source": "caller",
            "chunks": json.dumps(_chunks(chance)), "run": f"{n:032x}", "version": 1, "opened_at": now, "changed_at": now,
            "callers": callers, "rank": callers * 10_000_000_000 - n,
        }  # fmt: skip


def make_entries(count: int, *, now: datetime) -> Iterator[Row]:
    """The audit trail's entries, which nobody verifies here."""
    step = timedelta(days=DAYS) / count
    verbs = ("answer.edited", "answer.invalidated", "topic.published", "policy.saved", "person.signed_in")
    for n in range(count):
        yield {
            "sequence": n + 1, "at": now - step * (count - n), "user_pk": str(1 + n % 40), "user_name": f"person{n % 40}",
            "verb": verbs[n % 5], "kind": "cache_admin.cachedanswer", "object_id": str(n % 5_000), "label": f"topic-a.{n:032x}",
            "topic": TOPICS[n % len(TOPICS)], "before": '{"pinned": false}', "after": '{"pinned": true}', "deed": f"{n:032x}",
            "digest": f"{n:064x}", "previous": f"{n - 1:064x}" if n else "",
        }  # fmt: skip


def answer_key(number: int, topic: str) -> str:
    """The key of answer number so and so."""
    return f"{topic}.{number:032x}"


def contact_id(number: int) -> str:
    """Such as Amazon Connect's."""
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def _topic_of(number: int) -> str:
    return TOPICS[number % 7 if number % 3 else number % len(TOPICS)]


def _question(chance: random.Random, number: int) -> str:
    what = RARE if number % 25_000 == 1 else COMMON if number % 3 == 0 else chance.choice(_SUBJECTS)
    name = "".join(chance.choice(_SYLLABLES) for _ in range(3))
    return f"How can I {chance.choice(_VERBS)} my {what} of {name} at the {chance.choice(_PLACES)}?"


def _chunks(chance: random.Random) -> list[str]:
    name = "".join(chance.choice(_SYLLABLES) for _ in range(3))
    return [
        f"You can {chance.choice(_VERBS)} it at the {chance.choice(_PLACES)} within thirty days.",
        f"Ask for {name} and bring the {chance.choice(_SUBJECTS)} with you.",
    ]
