"""Puts the rows into a migrated database as fast as it takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.models import Model

from benchmarks.admin import rows
from benchmarks.measure import Say
from cache_admin.models import (
    AnswerVersion,
    AuditEntry,
    CachedAnswer,
    Call,
    ReviewItem,
    Topic,
    TopicLanguage,
    WaitPolicy,
    WaitPrompt,
)
from cache_admin.search.full_text import drop_index, make_index

BATCH = 10_000


def build(*, count: int, say: Say, now: datetime) -> None:
    """`count` answers and as many calls, with the rest in proportion; what is there already is left alone."""
    call_command("migrate", verbosity=0)
    if CachedAnswer.objects.exists():
        return
    _make_settings()
    for model, made in (
        (CachedAnswer, rows.make_answers(count, now=now)),
        (Call, rows.make_calls(count, answers=count, now=now)),
        (AnswerVersion, rows.make_versions(count // 5, answers=count, now=now)),
        (ReviewItem, rows.make_reviews(count // 10, now=now)),
        (AuditEntry, rows.make_entries(count // 5, now=now)),
    ):
        with _without_indexes(model):
            written = _write(model, made)
        say(f"{connection.vendor}: {written:,} rows of {model._meta.verbose_name_plural}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def _make_settings() -> None:
    User.objects.create_superuser("bench", password="bench")  # this database is thrown away
    policy = WaitPolicy.objects.create(name="calm")
    WaitPrompt.objects.create(policy=policy, text="One moment, please.")
    for name in rows.TOPICS:
        topic = Topic.objects.create(
            name=name,
            title=f"About {name}",
            instructions="Be brief.",
            model_id="anthropic.claude-bench-v1:0",
            sharing="everyone",
            revision=1,
            published_at=datetime.now(UTC),
            needs_approval=name == rows.TOPICS[0],
        )
        TopicLanguage.objects.create(topic=topic, language="en-US", wait_policy=policy)


@contextmanager
def _without_indexes(model: type[Model]) -> Iterator[None]:
    """They are made faster afterwards than kept row by row."""
    indexes = model._meta.indexes
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.remove_index(model, index)
        if model is CachedAnswer:
            drop_index(editor)
    yield
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.add_index(model, index)
        if model is CachedAnswer:
            make_index(editor)


def _write(model: type[Model], made: Iterator[rows.Row]) -> int:
    first = next(made)
    columns = [field for field in model._meta.concrete_fields if field.attname in first or not field.null]
    defaults = [field.get_default() for field in columns]
    names = [field.attname for field in columns]
    tuples = (
        [row.get(name, default) for name, default in zip(names, defaults, strict=True)] for row in chain([first], made)
    )
    into = f"{connection.ops.quote_name(model._meta.db_table)} ({', '.join(str(f.column) for f in columns)})"
    return _copy(into, tuples) if connection.vendor == "postgresql" else _insert(into, len(columns), tuples)


def _copy(into: str, tuples: Iterable[list[Any]]) -> int:
    written = 0
    with connection.cursor() as cursor, cursor.cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for values in tuples:
            copy.write_row([_plain(value) for value in values])
            written += 1
    return written


def _insert(into: str, width: int, tuples: Iterable[list[Any]]) -> int:
    written, source = 0, iter(tuples)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous = OFF")
        cursor.execute("PRAGMA cache_size = -400000")
        while batch := [[_sqlite(value) for value in values] for values in islice(source, BATCH)]:
            cursor.executemany(f"INSERT INTO {into} VALUES ({', '.join(['%s'] * width)})", batch)
            written += len(batch)
    return written


def _sqlite(value: Any) -> Any:
    value = _plain(value)
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value


def _plain(value: Any) -> Any:
    return "[]" if value == [] else "{}" if value == {} else value
