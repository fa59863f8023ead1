"""Does the mirror show what callers hear? Compares everything; the mirror itself needs no such run, it only proves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from cache_admin.mapping import answer_row, call_row, epoch_ms
from cache_admin.models import CachedAnswer, Call
from cache_admin.services.mirror import apply_items
from connectgenai.wire.items import AnswerItem, CallItem, answer_pk, call_pk
from connectgenai.wire.store import AnswerStore, read_item

BATCH = 500
READ_AT_ONCE = 100  # DynamoDB's own limit
EXAMPLES = 100  # of each verdict
SETTLING_MS = 30_000  # what has changed so lately, the mirror may still be at
# what both sides hold, and no count or clock of the mirror's own
_COMPARED: dict[Any, tuple[str, ...]] = {
    CachedAnswer: ("state", "epoch", "chunks", "reason", "pinned"),
    Call: ("outcome", "epoch", "parts", "prompts"),
}
# the mirror closes calls that have gone silent; DynamoDB does not know of that
_CLOSED_HERE = (Call.Outcome.ABANDONED, Call.Outcome.LEFT)


@dataclass(frozen=True, slots=True)
class Example:
    """One row that is not as DynamoDB has it; `contact_id` is a call's, "" for an answer."""

    verdict: str
    key: str
    contact_id: str = ""


@dataclass(frozen=True, slots=True)
class Drift:
    """How many items were compared, and how many rows are missing, of an older version, of the same version but another
    content, newer than the item (the table was restored from a backup), or without an item although it should still be there.
    `examples` are the first of each."""

    compared: int = 0
    missing: int = 0
    outdated: int = 0
    different: int = 0
    ahead: int = 0
    vanished: int = 0
    examples: tuple[Example, ...] = field(default=(), compare=False)

    @property
    def is_none(self) -> bool:
        """Whether the mirror is true."""
        return not (self.missing or self.outdated or self.different or self.ahead or self.vanished)


Watch = Callable[[Drift], None]


class _Tally:
    """What has been found so far."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: list[Example] = []

    def add(self, verdict: str, named: Any) -> None:
        """Counts a verdict on an item or a row."""
        self._counts[verdict] += 1
        if verdict != "same" and self._counts[verdict] <= EXAMPLES:
            self._examples.append(Example(verdict, named.key, getattr(named, "contact_id", "")))

    def read(self) -> Drift:
        """All that has been counted."""
        counts = {name: count for name, count in self._counts.items() if name != "same"}
        compared = self._counts.total() - self._counts["vanished"]
        return Drift(compared=compared, **counts, examples=tuple(self._examples))


def reconcile(store: AnswerStore, *, repair: bool, now: datetime, watch: Watch = lambda _: None) -> Drift:
    """Compares every answer and call with its row; with `repair`, brings the rows to what DynamoDB holds.

    What has changed within half a minute before `now`, or since, is the mirror's business still, and counts as right. Rows
    without an item are reported and kept: they may be all that is left of an answer. Reads the whole table: run it when
    traffic is low. `watch` is told on the way. StoreError when DynamoDB does not serve.
    """
    tally = _Tally()
    for model, prefix in ((CachedAnswer, "A#"), (Call, "C#")):
        known = _compare(model, store, prefix, tally, repair=repair, now=now, watch=watch)
        _find_vanished(model, store, known, tally, now=now)
    return tally.read()


def _compare(
    model: Any, store: AnswerStore, prefix: str, tally: _Tally, *, repair: bool, now: datetime, watch: Watch
) -> set[int]:
    """The primary keys of the rows that have an item."""
    known: set[int] = set()
    rest: Iterator[Any] = (read_item(attributes) for attributes in store.scan_items(prefix=prefix))
    while batch := list(islice(rest, BATCH)):
        rows = _read_rows(model, batch)
        known |= {row.pk for row in rows.values()}
        judged = [(item, rows.get(_name(item)), _judge(model, item, rows.get(_name(item)), now=now)) for item in batch]
        for item, _row, verdict in judged:
            tally.add(verdict, item)
        if repair:
            _rewrite(model, [(item, row) for item, row, verdict in judged if verdict != "same"])
        watch(tally.read())
    return known


def _read_rows(model: Any, items: list[Any]) -> dict[tuple[str, ...], Any]:
    rows = model.objects.filter(key__in={item.key for item in items})
    if model is Call:  # a question that everybody asks has a hundred thousand calls
        rows = rows.filter(contact_id__in={item.contact_id for item in items})
    return {_name(row): row for row in rows}


def _name(item: Any) -> tuple[str, ...]:
    return (item.contact_id, item.key) if hasattr(item, "contact_id") else (item.key,)


def _judge(model: Any, item: AnswerItem | CallItem, row: Any, *, now: datetime) -> str:
    now_ms = epoch_ms(now)
    is_over = 0 < item.purge_at * 1000 <= now_ms  # the row has gone, or goes; DynamoDB takes its time
    if is_over or item.changed_at > now_ms - SETTLING_MS:
        return "same"
    if row is None:
        return "missing"
    if row.version != item.version:
        return "outdated" if row.version < item.version else "ahead"
    if model is Call and row.outcome in _CLOSED_HERE:
        return "same"
    told = answer_row(item) if isinstance(item, AnswerItem) else call_row(item)
    return "same" if all(getattr(row, name) == getattr(told, name) for name in _COMPARED[model]) else "different"


def _rewrite(model: Any, wrong: list[tuple[Any, Any]]) -> None:
    """The mirror takes only newer versions; so the rows' own are forgotten first, unless the mirror has been there since."""
    for _item, row in wrong:
        if row is not None:
            model.objects.filter(pk=row.pk, version=row.version).update(version=0)
    apply_items([item for item, _row in wrong])


def _find_vanished(model: Any, store: AnswerStore, known: set[int], tally: _Tally, *, now: datetime) -> None:
    """Rows that should still have an item, and have none: asked for once more, since the mirror goes on meanwhile."""
    columns = ("pk", "key", "contact_id") if model is Call else ("pk", "key")
    rows = model.objects.filter(purge_at__gt=now).order_by().only(*columns).iterator(chunk_size=2_000)
    unmatched = (row for row in rows if row.pk not in known)
    while batch := list(islice(unmatched, READ_AT_ONCE)):
        found = store.read_items([_item_pk(row) for row in batch])
        for row in batch:
            if _item_pk(row) not in found:
                tally.add("vanished", row)


def _item_pk(row: Any) -> str:
    return answer_pk(row.key) if isinstance(row, CachedAnswer) else call_pk(row.contact_id, row.key)
