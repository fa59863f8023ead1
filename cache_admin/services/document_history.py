"""Documents that were replaced or removed: kept beside their topic, and put back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cache_admin.models import EarlierDocument, SourceDocument
from cache_admin.services.documents import DocumentError
from cache_admin.services.topics import publish_topic
from connectgenai.wire.store import AnswerStore

_FACTS = ("topic_id", "title", "file", "kind", "sha256", "words", "position", "uploaded_by_id", "uploaded_at")


def retire_documents(documents: Iterable[SourceDocument], *, by: Any, now: datetime) -> None:
    """Takes documents out of their topics, and lists them with who did it; their files stay in the bucket."""
    rows = list(documents)
    EarlierDocument.objects.bulk_create(EarlierDocument(**_facts(row), ended_by=by, ended_at=now) for row in rows)
    SourceDocument.objects.filter(pk__in=[row.pk for row in rows]).delete()


def find_same_title(
    document: SourceDocument | EarlierDocument, among: Iterable[SourceDocument]
) -> list[SourceDocument]:
    """Those whose place a document takes."""
    return [other for other in among if other.title == document.title]


def put_back(earlier: EarlierDocument, *, by: Any, store: AnswerStore, now: datetime) -> SourceDocument:
    """Publishes the topic with an earlier document in the place of the one with its title, or after all others.

    DocumentError when the topic has this very text already; StoreError leaves everything as it was.
    """
    present = list(earlier.topic.documents.all())
    if any(document.sha256 == earlier.sha256 for document in present):
        raise DocumentError(earlier.title, _("the topic has this very text already."))
    replaced = find_same_title(earlier, present)
    last = max((document.position for document in present), default=-1)
    back = SourceDocument(**{**_facts(earlier), "position": replaced[0].position if replaced else last + 1})
    documents = sorted([*(d for d in present if d not in replaced), back], key=lambda d: d.position)
    publish_topic(earlier.topic, store=store, now=now, documents=documents)
    with transaction.atomic():
        retire_documents(replaced, by=by, now=now)
        back.save()
        SourceDocument.objects.filter(pk=back.pk).update(uploaded_at=earlier.uploaded_at)  # not the time of this row
        earlier.delete()
    return back


def _facts(document: SourceDocument | EarlierDocument) -> dict[str, Any]:
    return {name: getattr(document, name) for name in _FACTS}
