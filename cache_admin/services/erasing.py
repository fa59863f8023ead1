"""A caller's right to be forgotten: everything kept for one number, wherever it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cache_admin.mapping import epoch_ms
from cache_admin.models import CachedAnswer
from cache_admin.services.mirror import apply_items
from cache_admin.services.retention import blank_history
from connectgenai.wire.items import AnswerItem, CallItem
from connectgenai.wire.question import caller_hash
from connectgenai.wire.store import AnswerStore, read_item

T = TypeVar("T", AnswerItem, CallItem)


@dataclass(frozen=True, slots=True)
class Erased:
    """How many answers and calls of the caller there were."""

    answers: int
    calls: int


def erase_caller(number: str, *, keys: Sequence[tuple[str, bytes]], store: AnswerStore, now: datetime) -> Erased:
    """Erases the caller's own answers, and the caller from the records of calls, under every key that may have hashed the number.

    DynamoDB first, then the mirror and the admin's history; messages on queues and log lines hold no words and no numbers.
    What everyone may hear stays: it is nobody's. Reads the whole table; safe to repeat. ValueError for a number that is
    none, StoreError when DynamoDB does not serve (then run it again).
    """
    hashes = {hashed for key in keys if (hashed := caller_hash(number, keys=(key,)))}
    if not hashes:
        raise ValueError("That is no caller's number or address.")
    now_ms = epoch_ms(now)
    scopes = {f"caller:{hashed}" for hashed in hashes}
    answers = [item for item in _read(store, "A#", AnswerItem) if item.scope in scopes]
    calls = [item for item in _read(store, "C#", CallItem) if item.caller in hashes]
    for call in calls:
        store.erase_caller_of(call, now_ms=now_ms)
    apply_items(_fresh_calls(store, calls))
    apply_items([store.erase_answer(answer.key, now_ms=now_ms) for answer in answers])
    rows = CachedAnswer.objects.filter(key__in=[answer.key for answer in answers])
    blank_history(rows.values_list("pk", flat=True))
    return Erased(len(answers), len(calls))


def _read(store: AnswerStore, prefix: str, kind: type[T]) -> list[T]:
    return [item for item in map(read_item, store.scan_items(prefix=prefix)) if isinstance(item, kind)]


def _fresh_calls(store: AnswerStore, calls: Sequence[CallItem]) -> list[CallItem]:
    found = [store.read_call(call.contact_id, call.key) for call in calls]
    return [call for call in found if call is not None]
