"""Does the mirror show what callers hear? Compares everything; the mirror itself needs no such run, it only proves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from cache_admin.mapping import answer_row, call_row
from cache_admin.models import CachedAnswer, Call
from cache_admin.services.mirror import apply_items
from connectgenai.wire.items import AnswerItem, CallItem
from connectgenai.wire.store import AnswerStore, read_item

BATCH = 500
# what both sides hold, and no count or clock of the mirror's own
_COMPARED: dict[Any, tuple[str, ...]] = {
    CachedAnswer: ("state", "epoch", "chunks", "reason", "pinned"),
    Call: ("outcome", "epoch", "parts", "prompts"),
}
# the mirror closes calls that have gone silent; DynamoDB does not know of that
_CLOSED_HERE = (Call.Outcome.ABANDONED, Call.Outcome.LEFT)


@dataclass(frozen=True, slots=True)
class Drift:
    """How many items were compared, and how many rows are missing, of an older version, of the same version but another
    content, newer than the item (the table was restored from a backup), or without an item although it should still be there."""

    compared: int = 0
    missing: int = 0
    outdated: int = 0
    different: int = 0
    ahead: int = 0
    vanished: int = 0

    @property
    def is_none(self) -> bool:
        """Whether the mirror is true."""
        return not (self.missing or self.outdated or self.different or self.ahead or self.vanished)


def reconcile(store: AnswerStore, *, repair: bool, now: datetime) -> Drift:
    """Compares every answer and call with its row; with `repair`, brings the rows to what DynamoDB holds.

    Rows without an item are reported and kept: they may be all that is left of an answer. Reads the whole table: run it
    when traffic is low. StoreError when DynamoDB does not serve.
    """
    answers = _compare(CachedAnswer, _items(store, "A#"), repair=repair)
    calls = _compare(Call, _items(store, "C#"), repair=repair)
    counted = answers + calls
    kept = sum(model.objects.filter(purge_at__gt=now).count() for model in (CachedAnswer, Call))
    return Drift(
        compared=counted.total(),
        vanished=max(0, kept - counted.total() + (0 if repair else counted["missing"])),
        **{name: counted[name] for name in ("missing", "outdated", "different", "ahead")},
    )


def _items(store: AnswerStore, prefix: str) -> Iterator[Any]:
    return (read_item(attributes) for attributes in store.scan_items(prefix=prefix))


def _compare(model: Any, items: Iterable[AnswerItem | CallItem], *, repair: bool) -> Counter[str]:
    """How many items came to which verdict."""
    verdicts: Counter[str] = Counter()
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        rows = {_name(row): row for row in model.objects.filter(key__in={item.key for item in batch})}
        judged = [(item, _judge(model, item, rows.get(_name(item)))) for item in batch]
        verdicts.update(verdict for _, verdict in judged)
        if repair:
            _rewrite(model, [item for item, verdict in judged if verdict != "same"])
    return verdicts


def _name(item: Any) -> tuple[str, ...]:
    return (item.contact_id, item.key) if hasattr(item, "contact_id") else (item.key,)


def _judge(model: Any, item: AnswerItem | CallItem, row: Any) -> str:
    if row is None:
        return "missing"
    if row.version != item.version:
        return "outdated" if row.version < item.version else "ahead"
    if model is Call and row.outcome in _CLOSED_HERE:
        return "same"
    told = answer_row(item) if isinstance(item, AnswerItem) else call_row(item)
    return "same" if all(getattr(row, name) == getattr(told, name) for name in _COMPARED[model]) else "different"


def _rewrite(model: Any, items: list[AnswerItem | CallItem]) -> None:
    """The mirror takes only newer versions; so the rows' own are forgotten first."""
    for item in items:
        identity = {"contact_id": item.contact_id} if isinstance(item, CallItem) else {}
        model.objects.filter(key=item.key, **identity).update(version=0)
    apply_items(items)
