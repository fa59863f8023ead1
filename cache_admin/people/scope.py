"""Which topics somebody works with. Models find no rows of others: cache_admin/models/scoped.py."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from django.db.models import Q
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from cache_admin.models import TopicScope
from cache_admin.models.scoped import Sight, looking_with


def visible_topics(user: Any) -> frozenset[str] | None:
    """The names of the topics that this person is restricted to, by themselves and their groups; None for all.

    Asked once for each user object, so once a request.
    """
    if not getattr(user, "is_authenticated", False) or user.is_superuser:
        return None
    if not hasattr(user, "_visible_topics"):
        user._visible_topics = _read_topics(user)
    found: frozenset[str] | None = user._visible_topics
    return found


def _read_topics(user: Any) -> frozenset[str] | None:
    scopes = TopicScope.objects.filter(Q(user=user.pk) | Q(group__user=user.pk))
    rows = list(scopes.values_list("topics__name", flat=True))
    return frozenset(name for name in rows if name) if rows else None


def is_restricted(user: Any) -> bool:
    """Whether there are topics that this person does not see."""
    return visible_topics(user) is not None


def name_scope(user: Any) -> str:
    """A short name for what this person sees, for keys of caches: figures of one are not for another."""
    topics = visible_topics(user)
    return "all" if topics is None else hashlib.sha256("\n".join(sorted(topics)).encode()).hexdigest()[:16]


def reaches(user: Any, topics: Iterable[str]) -> bool:
    """Whether this person works with all of these topics."""
    own = visible_topics(user)
    return own is None or own.issuperset(topics)


def seen_by(user: Any) -> AbstractContextManager[None]:
    """Within, rows are found as this person may see them; nobody (None) sees everything."""

    def find_sight() -> Sight | None:
        topics = visible_topics(user)
        return None if topics is None else Sight(topics, user.pk)

    return looking_with(find_sight)


def everything() -> AbstractContextManager[None]:
    """Within, all rows are found: for rules that hold across topics. What is found must not be shown."""
    return looking_with(None)


def apply_scope(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: a request sees what its person may see, to the last row of what it streams."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        with seen_by(request.user):
            response = get_response(request)
        if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
            response.streaming_content = _stream(iter(response), request.user)
        return response

    return respond


def _stream(content: Iterator[bytes], user: Any) -> Iterator[bytes]:
    while True:
        with seen_by(user):  # for each piece: another request may run in this thread between two
            piece = next(content, None)
        if piece is None:
            return
        yield piece
