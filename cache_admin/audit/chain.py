"""The chain: every entry is sealed together with the seal of the one before it, under a key that the database does not have."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from cache_admin.models import AuditEntry, AuditHead
from connectgenai.wire.log import log_event

HEAD: Final = 1
BEGINNING: Final = "0" * 64  # what the first entry has for the seal before it
SEALED: Final = (
    "sequence", "at", "user_pk", "user_name", "address", "verb", "kind", "object_id", "label", "topic", "before", "after",
    "why", "deed", "undoes", "key_name", "previous",
)  # fmt: skip


def read_keys() -> dict[str, bytes]:
    """The keys by their names, the one that seals first; without a setting, one that follows from the site's secret key."""
    secrets = settings.AUDIT_KEY or [f"audit trail {settings.SECRET_KEY}"]
    keys = [hashlib.sha256(secret.encode()).digest() for secret in secrets]
    return {hmac.new(key, b"name", hashlib.sha256).hexdigest()[:8]: key for key in keys}


def make_seal(facts: Mapping[str, Any], *, key: bytes) -> str:
    """HMAC-SHA256 over what SEALED names, as JSON without blanks, times in UTC."""
    values = [_plain(facts[name]) for name in SEALED]
    text = json.dumps(values, ensure_ascii=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def append(entries: Sequence[AuditEntry]) -> None:
    """Adds entries at the end, all or none, in the caller's transaction if there is one.

    Who comes at the same moment waits until that transaction is over: one chain, no gaps.
    """
    if not entries:
        return
    name, key = next(iter(read_keys().items()))
    with transaction.atomic():
        head = _hold_head()
        for entry in entries:
            entry.sequence, entry.previous, entry.key_name = head.sequence + 1, head.digest or BEGINNING, name
            entry.digest = make_seal(vars(entry), key=key)
            head.sequence, head.digest = entry.sequence, entry.digest
        AuditEntry.objects.bulk_create(entries)
        head.save(update_fields=["sequence", "digest"])
        transaction.on_commit(partial(_tell, entries))


def _tell(entries: Sequence[AuditEntry]) -> None:
    """Into the log, which lies elsewhere: each line is an anchor."""
    for entry in entries:
        log_event("decided", sequence=entry.sequence, verb=entry.verb, digest=entry.digest)


def _hold_head() -> AuditHead:
    """The head, locked: to write it first is what makes others wait, on SQLite and on PostgreSQL."""
    mine = AuditHead.objects.filter(pk=HEAD)
    if not mine.update(sequence=F("sequence")):
        last = AuditEntry.objects.order_by("-sequence").first()
        begin = AuditHead(pk=HEAD, sequence=last.sequence, digest=last.digest) if last else AuditHead(pk=HEAD)
        AuditHead.objects.bulk_create([begin], ignore_conflicts=True)
        mine.update(sequence=F("sequence"))
    return mine.get()
