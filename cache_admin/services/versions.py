"""The history of answers' texts: noted as they are mirrored, compared word by word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cache_admin.models import AnswerVersion, CachedAnswer
from connectgenai.wire.items import AnswerItem

SAME, GONE, NEW = "same", "gone", "new"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a text, and whether the other text has them: `same`, `gone` or `new`."""

    kind: str
    text: str


def note_versions(rows: Iterable[Any]) -> None:
    """Keeps each finished text once; what is there already, or is no finished answer, is left out."""
    ready = {
        row.key: row for row in rows if isinstance(row, CachedAnswer) and row.state == row.State.READY and row.chunks
    }
    if not ready:
        return
    pks = dict(CachedAnswer.objects.filter(key__in=ready).values_list("key", "pk"))
    versions = [
        AnswerVersion(
            answer_id=pks[key],
            run=row.token,
            epoch=row.epoch,
            chunks=row.chunks,
            source=row.source,
            model=row.model,
            finished_at=row.finished_at,
        )
        for key, row in ready.items()
        if key in pks
    ]
    AnswerVersion.objects.bulk_create(versions, ignore_conflicts=True)


def credit_author(item: AnswerItem, *, author: Any, why: str) -> None:
    """Notes who wrote a supervisor's text, and why."""
    AnswerVersion.objects.filter(answer__key=item.key, run=item.token).update(author=author, why=why[:300])


def compare_texts(old: str, new: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces, side by side: what only the old one has is `gone`, what only the new one has is `new`."""
    before, after = _split(old), _split(new)
    left, right = [], []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            left.append(Piece(SAME, "".join(before[a:b])))
            right.append(Piece(SAME, "".join(after[c:d])))
            continue
        left += _piece(GONE, before[a:b])
        right += _piece(NEW, after[c:d])
    return left, right


def _piece(kind: str, words: Sequence[str]) -> list[Piece]:
    return [Piece(kind, "".join(words))] if words else []


def _split(text: str) -> list[str]:
    return re.findall(r"\s+|[^\s]+", text)[:8_000]
