"""The index behind the search of answers: SQLite's FTS5, or PostgreSQL's GIN over a tsvector, over question and spoken text.

The database keeps it: by triggers on SQLite, by a generated column on PostgreSQL. Words are found by their beginnings, in any order,
whatever their case; on SQLite also without their accents.
"""

# ruff: noqa: S608, S610, S611 - names are our own constants; what was typed goes in as a parameter
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
LOOKED_AT: Final = 3_000  # of the newest answers, to tell whether a word is a common one

# A column that only PostgreSQL has, and fills itself: to make a row's words anew at each look would be dear
COLUMN: Final = "cache_admin_answer_tsvector"
_DOCUMENT: Final = "to_tsvector('simple', question) || jsonb_to_tsvector('simple', chunks, '[\"string\"]')"
M = TypeVar("M", bound=Model)


def find_words(term: str) -> list[str]:
    """The words of what somebody typed."""
    return re.findall(r"\w+", term)[:MOST_WORDS]


def search_answers(answers: QuerySet[M], term: str) -> QuerySet[M]:
    """Those answers that have all the words, within the filters that the queryset has already."""
    return find_answers(answers, term)[0]


def find_answers(answers: QuerySet[M], term: str) -> tuple[QuerySet[M], bool]:
    """The same, and whether there are more than are looked at.

    The index is asked for MOST matches, which are put in order after: otherwise PostgreSQL walks the list's own order for a rare
    word. A common word it finds best in just that way, and its index would take long to list all places.
    """
    words = find_words(term)
    if not words:
        return answers.none(), False
    if connections[answers.db].vendor == "postgresql" and _is_common(answers, words):
        return _match(answers, words), False
    found = list(_match(answers.order_by(), words).values_list("pk", flat=True)[: MOST + 1])
    return answers.filter(pk__in=found[:MOST]), len(found) > MOST


def _is_common(answers: QuerySet[Any], words: list[str]) -> bool:
    """Whether at least one in fifty of the newest answers has the words."""
    newest = answers.order_by("-changed_at", "-id").extra(
        select={"has_words": f"{COLUMN} @@ to_tsquery('simple', %s)"}, select_params=[_ask(words)]
    )
    return bool(sum(newest.values_list("has_words", flat=True)[:LOOKED_AT]) * 50 >= LOOKED_AT)


def _match(answers: QuerySet[M], words: list[str]) -> QuerySet[M]:
    if connections[answers.db].vendor == "postgresql":
        return answers.extra(where=[f"{COLUMN} @@ to_tsquery('simple', %s)"], params=[_ask(words)])
    asked = " ".join(f'"{word}"*' for word in words)
    return answers.filter(pk__in=RawSQL(f"SELECT rowid FROM {INDEX} WHERE {INDEX} MATCH %s", [asked]))


def _ask(words: list[str]) -> str:
    return " & ".join(f"'{word}':*" for word in words)


# -- what the migration makes


def make_index(schema_editor: Any) -> None:
    """The index over all answers that are there, and what keeps it."""
    for statement in _POSTGRESQL if schema_editor.connection.vendor == "postgresql" else _SQLITE:
        schema_editor.execute(statement)


def drop_index(schema_editor: Any) -> None:
    """Neither index nor triggers."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE {TABLE} DROP COLUMN IF EXISTS {COLUMN}")
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


_POSTGRESQL: Final = (
    f"ALTER TABLE {TABLE} ADD COLUMN {COLUMN} tsvector GENERATED ALWAYS AS ({_DOCUMENT}) STORED",
    f"CREATE INDEX {INDEX} ON {TABLE} USING gin ({COLUMN})",
)
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
