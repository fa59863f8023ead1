"""The index behind the search of answers: SQLite's FTS5, or PostgreSQL's GIN over a tsvector, over question and spoken text.

The database keeps it: triggers on SQLite, an expression's index on PostgreSQL. Words are found by their beginnings, in any order,
whatever their case; on SQLite also without their accents.
"""

# ruff: noqa: S608, S611 - names are our own constants; what was typed goes in as a parameter
from __future__ import annotations

import re
from typing import Any, Final, TypeVar

from django.db import connections
from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL

TABLE: Final = "cache_admin_cachedanswer"
INDEX: Final = "cache_admin_answer_words"
MOST: Final = 2_000  # matches that are looked at; the filters and the order apply to these
MOST_WORDS: Final = 12

_DOCUMENT: Final = "(to_tsvector('simple', question) || jsonb_to_tsvector('simple', chunks, '[\"string\"]'))"  # must read as in the index
M = TypeVar("M", bound=Model)


def find_words(term: str) -> list[str]:
    """The words of what somebody typed."""
    return re.findall(r"\w+", term)[:MOST_WORDS]


def search_answers(answers: QuerySet[M], term: str) -> QuerySet[M]:
    """Those answers that have all the words, within the filters that the queryset has already.

    They are looked for first, no more than MOST, and put in order after: otherwise PostgreSQL walks the list's own order for a
    rare word.
    """
    words = find_words(term)
    if not words:
        return answers.none()
    found = _match(answers.order_by(), words).values("pk")[:MOST]
    return answers.filter(pk__in=found)


def is_capped(answers: QuerySet[Any], term: str) -> bool:
    """Whether more of these answers have the words than are looked at."""
    words = find_words(term)
    return bool(words) and _match(answers.order_by(), words).values("pk")[MOST : MOST + 1].exists()


def _match(answers: QuerySet[M], words: list[str]) -> QuerySet[M]:
    if connections[answers.db].vendor == "postgresql":
        asked = " & ".join(f"'{word}':*" for word in words)
        return answers.extra(where=[f"{_DOCUMENT} @@ to_tsquery('simple', %s)"], params=[asked])  # noqa: S610
    asked = " ".join(f'"{word}"*' for word in words)
    return answers.filter(pk__in=RawSQL(f"SELECT rowid FROM {INDEX} WHERE {INDEX} MATCH %s", [asked]))


# -- what the migration makes


def make_index(schema_editor: Any) -> None:
    """The index over all answers that are there, and what keeps it."""
    for statement in _POSTGRESQL if schema_editor.connection.vendor == "postgresql" else _SQLITE:
        schema_editor.execute(statement)


def drop_index(schema_editor: Any) -> None:
    """Neither index nor triggers."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX IF EXISTS {INDEX}")
        return
    for name in ("insert", "delete", "update"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {INDEX}_{name}")
    schema_editor.execute(f"DROP TABLE IF EXISTS {INDEX}")


def _spoken(row: str) -> str:
    return f"(SELECT group_concat(value, ' ') FROM json_each({row}.chunks))"


def _add(row: str) -> str:
    return f"INSERT INTO {INDEX} (rowid, question, spoken) VALUES ({row}.id, {row}.question, {_spoken(row)});"


def _take(row: str) -> str:
    """A table without content of its own must be told what to forget."""
    return (
        f"INSERT INTO {INDEX} ({INDEX}, rowid, question, spoken) "
        f"VALUES ('delete', {row}.id, {row}.question, {_spoken(row)});"
    )


_POSTGRESQL: Final = (f"CREATE INDEX {INDEX} ON {TABLE} USING gin ({_DOCUMENT})",)
_SQLITE: Final = (
    f"CREATE VIRTUAL TABLE {INDEX} USING fts5"
    "(question, spoken, content='', prefix='2 3', tokenize='unicode61 remove_diacritics 2')",
    f"INSERT INTO {INDEX} (rowid, question, spoken) SELECT id, question, {_spoken(TABLE)} FROM {TABLE}",
    f"CREATE TRIGGER {INDEX}_insert AFTER INSERT ON {TABLE} BEGIN {_add('new')} END",
    f"CREATE TRIGGER {INDEX}_delete AFTER DELETE ON {TABLE} BEGIN {_take('old')} END",
    f"CREATE TRIGGER {INDEX}_update AFTER UPDATE OF question, chunks ON {TABLE} "
    "WHEN old.question IS NOT new.question OR old.chunks IS NOT new.chunks "
    f"BEGIN {_take('old')} {_add('new')} END",
)
