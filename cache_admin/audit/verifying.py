"""Whether the chain is as it was written; and if not, which entry is the first that is wrong, and how."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cache_admin.audit.chain import BEGINNING, HEAD, SEALED, make_seal, read_keys
from cache_admin.models import AuditEntry, AuditHead

A_PAGE = 2_000
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of a chain as it was once: kept elsewhere, it proves that nothing was cut off since."""

    sequence: int
    digest: str


class BrokenError(Exception):
    """The first entry that is wrong; `kind` is changed, removed, inserted, reordered, truncated or key, the message a sentence."""

    def __init__(self, kind: str, sequence: int, why: str) -> None:
        super().__init__(f"Entry {sequence} is {kind}: {why}" if kind != "key" else f"Entry {sequence}: {why}")
        self.kind, self.sequence = kind, sequence


def verify_chain(*, since: int = 1, anchor: Anchor | None = None) -> tuple[int, Anchor]:
    """How many entries were looked at, and where the chain ends; BrokenError names the first that is wrong.

    Holds a page of entries at a time. From `since` on the entry before that is believed.
    """
    keys, count = read_keys(), 0
    last = _read_start(since)
    for facts in _walk(since):
        _check_place(facts, last)
        _check_seal(facts, last, keys)
        last, count = Anchor(facts["sequence"], facts["digest"]), count + 1
        if anchor and anchor.sequence == last.sequence and anchor.digest != last.digest:
            raise BrokenError("changed", last.sequence, "it is not the entry of which the anchor was taken")
    _check_end(last, anchor)
    return count, last


def _read_start(since: int) -> Anchor:
    before = AuditEntry.objects.filter(sequence=since - 1).values_list("sequence", "digest").first()
    return Anchor(*before) if before else Anchor(0, BEGINNING)


def _walk(since: int) -> Iterator[Facts]:
    after = since - 1
    while True:
        page = list(
            AuditEntry.objects.filter(sequence__gt=after).order_by("sequence").values(*SEALED, "digest")[:A_PAGE]
        )
        yield from page
        if len(page) < A_PAGE:
            return
        after = page[-1]["sequence"]


def _check_place(facts: Facts, last: Anchor) -> None:
    missing = last.sequence + 1
    if facts["sequence"] > missing:
        upto = facts["sequence"] - 1
        raise BrokenError("removed", missing, "it is missing" if upto == missing else f"all up to {upto} are missing")


def _check_seal(facts: Facts, last: Anchor, keys: dict[str, bytes]) -> None:
    sequence, key = facts["sequence"], keys.get(facts["key_name"])
    if key is None:
        why = f"it was sealed under a key named {facts['key_name']}, which CONNECTGENAI_AUDIT_KEY does not have"
        raise BrokenError("key", sequence, why)
    if not hmac.compare_digest(make_seal(facts, key=key), facts["digest"]):
        raise _explain(facts, last, key)
    if facts["previous"] != last.digest:
        raise BrokenError("changed", sequence, "it does not follow the entry before it")


def _explain(facts: Facts, last: Anchor, key: bytes) -> BrokenError:
    """Why a seal does not fit: the entry has another place, or was never in the chain, or does not say what it said."""
    sequence, rows = facts["sequence"], AuditEntry.objects
    if not (place := _find_own_place(facts, key)):
        if _read_reference(sequence) == last.digest:
            return BrokenError("inserted", sequence, "the chain goes on without it")
        return BrokenError("changed", sequence, "its seal does not fit what it says")
    if rows.filter(digest=facts["digest"]).count() > 1:
        return BrokenError("inserted", sequence, f"it is a copy of the one written as number {place}")
    if rows.filter(digest=facts["previous"]).exists():
        return BrokenError("reordered", sequence, f"it was written as number {place}")
    return BrokenError("removed", sequence, f"number {place} stands in its place")


def _find_own_place(facts: Facts, key: bytes) -> int:
    """The number under which the seal would fit, 0 for none."""
    end = max(facts["sequence"], AuditEntry.objects.count()) + 1
    fits = (n for n in range(1, end + 1) if make_seal({**facts, "sequence": n}, key=key) == facts["digest"])
    return next(fits, 0)


def _read_reference(sequence: int) -> str:
    """The seal that whatever comes after holds for the one before it."""
    following = AuditEntry.objects.filter(sequence=sequence + 1).values_list("previous", flat=True).first()
    head = AuditHead.objects.filter(pk=HEAD).values_list("digest", flat=True).first()
    return following or head or ""


def _check_end(last: Anchor, anchor: Anchor | None) -> None:
    head = AuditHead.objects.filter(pk=HEAD).first()
    for known, name in ((anchor, "the anchor"), (head, "the head of the chain")):
        if known is not None and known.sequence > last.sequence:
            raise BrokenError("truncated", last.sequence + 1, f"{name} knows entries up to {known.sequence}")
