"""Rows that are about a topic: whoever is restricted to some topics finds no others, whatever page asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from django.db import models
from django.db.models import Q

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see: these topics, and what they have made themselves."""

    topics: frozenset[str]
    user_pk: int


# Asked when the first such row is looked for, so that a page without any costs no query; None sees everything
_SIGHT: ContextVar[Callable[[], Sight | None] | None] = ContextVar("sight", default=None)


@contextmanager
def looking_with(sight: Callable[[], Sight | None] | None) -> Iterator[None]:
    """Within, rows are found as this sight allows."""
    token = _SIGHT.set(sight)
    try:
        yield
    finally:
        _SIGHT.reset(token)


def find_sight() -> Sight | None:
    """The sight that holds here; None for all topics, as for workers and commands."""
    ask = _SIGHT.get()
    return ask() if ask else None


class ScopedQuerySet(models.QuerySet[M]):
    """Rows within the sight."""

    def all(self) -> Self:
        """Forms are written before anybody looks, and ask again by this."""
        return limit(super().all())


class ScopedManager(models.Manager[M]):
    """Finds rows within the sight only. The model says in `topic_lookup` how it knows its topic.

    With `maker_lookup` it also finds what the person has made, whatever it is about. Writing is not its business: what a form
    may say is limited by the choices that it finds.
    """

    def get_queryset(self) -> models.QuerySet[M]:
        """All rows, or those that may be seen."""
        return limit(ScopedQuerySet(self.model, using=self._db))


Rows = TypeVar("Rows", bound="models.QuerySet[Any]")


def limit(rows: Rows) -> Rows:
    """The rows within the sight that holds here."""
    sight = find_sight()
    if sight is None or rows.query.is_sliced:
        return rows
    return rows.filter(find_condition(rows.model, sight))


def find_condition(model: type[models.Model], sight: Sight) -> Q:
    """Which rows of a model that has `topic_lookup` are within the sight; `open_rows` of it are within everybody's.

    An empty `topic_lookup` says that a row may be about any topic: who is restricted finds none.
    """
    lookup: str = model.topic_lookup  # type: ignore[attr-defined]
    if not lookup:
        return Q(pk__in=())
    named = Q(**{f"{lookup}__in": sorted(sight.topics)}) | getattr(model, "open_rows", Q())
    first: Any = model._meta.get_field(lookup.partition("__")[0])
    if first.one_to_many:  # a join would find a row once for each of its topics
        named = Q(pk__in=models.QuerySet(model).filter(named).order_by().values("pk"))
    maker = getattr(model, "maker_lookup", "")
    return named | Q(**{maker: sight.user_pk}) if maker else named
