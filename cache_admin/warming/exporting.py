"""Lists as files: CSV, XLSX and JSON, row by row, in columns that the import reads again."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.utils.timezone import localtime
from openpyxl import Workbook

from cache_admin.models import CachedAnswer, Call
from cache_admin.warming.missed import Missed

# A cell that begins so may be run by a spreadsheet (OWASP, "CSV injection"); an apostrophe before it makes it text
_RISKY = re.compile(r"\A'*[=+\-@\t\r]")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LINES_AT_ONCE = 500
MAX_SHEET_ROWS = 1_000_000  # Excel's own limit is 1,048,576
_MAX_CELL = 32_000  # Excel's own limit is 32,767

Row = Mapping[str, Any]
ANSWER_COLUMNS = (
    "question", "answer", "topic", "language", "valid_until", "state", "source", "pinned", "calls", "model", "changed_at", "key",
)  # fmt: skip
CALL_COLUMNS = (
    "contact_id", "question", "topic", "language", "outcome", "source", "reason", "asked_at", "first_words_at", "ended_at",
    "prompts", "parts", "key",
)  # fmt: skip
MISSED_COLUMNS = ("question", "topic", "language", "callers", "seconds_waited", "abandoned", "reasons", "key")


def describe_answers(answers: Iterable[CachedAnswer]) -> Iterator[Row]:
    """What callers hear, as the import of ready answers reads it."""
    for answer in answers:
        plain = {name: getattr(answer, name) for name in ANSWER_COLUMNS if hasattr(answer, name)}
        yield {**plain, "answer": "\n\n".join(answer.chunks), "valid_until": answer.expires_at}


def describe_calls(calls: Iterable[Call]) -> Iterator[Row]:
    """What callers waited for; never who they were."""
    held: list[Call] = []
    for call in calls:
        held.append(call)
        if len(held) == _LINES_AT_ONCE:
            yield from _with_questions(held)
            held = []
    yield from _with_questions(held)


def _with_questions(calls: Sequence[Call]) -> Iterator[Row]:
    keys = {call.key for call in calls}
    questions = dict(CachedAnswer.objects.filter(key__in=keys).values_list("key", "question"))
    for call in calls:
        plain = {name: getattr(call, name) for name in CALL_COLUMNS if hasattr(call, name)}
        yield {**plain, "question": questions.get(call.key, "")}


def describe_missed(rows: Iterable[Missed]) -> Iterator[Row]:
    """Questions, as the import of questions to pre-warm reads them."""
    for row in rows:
        if row.answer is not None:
            yield {
                "question": row.answer.question,
                "topic": row.answer.topic,
                "language": row.answer.language,
                "callers": row.callers,
                "seconds_waited": round(row.seconds, 1),
                "abandoned": row.abandoned,
                "reasons": " ".join(f"{reason}:{count}" for reason, _words, count in row.reasons),
                "key": row.key,
            }


def _make_cell(value: Any) -> Any:
    """A value as a spreadsheet may have it: numbers stay numbers, times are ISO, and no text is a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _show_time(value)
    if isinstance(value, bool | int | float):
        return value
    text = str(value)
    return f"'{text}" if _RISKY.match(text) else text


def write_csv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """UTF-8 with a mark, so that Excel does not take it for something else; some hundred rows at once."""
    lines: list[str] = []

    class Lines:
        write = staticmethod(lines.append)

    writer: Any = csv.writer(Lines())
    yield b"\xef\xbb\xbf"
    for cells in chain([columns], ([_make_cell(row.get(name)) for name in columns] for row in rows)):
        writer.writerow(cells)
        if len(lines) >= _LINES_AT_ONCE:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join(lines).encode()


def write_json(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """A list of objects; JSON has no formulas, so its texts are as they are."""
    yield b"["
    mark = "\n"
    for row in rows:
        plain = {name: _make_plain(row.get(name)) for name in columns}
        yield f"{mark}{json.dumps(plain, ensure_ascii=False)}".encode("utf-8", "replace")
        mark = ",\n"
    yield b"\n]\n"


def _make_plain(value: Any) -> Any:
    return _show_time(value) if isinstance(value, datetime) else value


def _show_time(value: datetime) -> str:
    """ISO 8601 with the offset, in the zone of who asked for the file."""
    return localtime(value).isoformat(timespec="seconds")


def write_xlsx(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """A workbook of one sheet, made on disk and sent in pieces; what does not fit into a sheet is left out."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet("export")
    sheet.append(list(columns))
    for _count, row in zip(range(MAX_SHEET_ROWS), rows, strict=False):
        sheet.append([_make_sheet_cell(row.get(name)) for name in columns])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "export.xlsx"
        book.save(path)
        with path.open("rb") as file:
            yield from iter(lambda: file.read(64 * 1024), b"")


def _make_sheet_cell(value: Any) -> Any:
    cell = _make_cell(value)
    return _NOT_XML.sub("", cell)[:_MAX_CELL] if isinstance(cell, str) else cell


Writer = Callable[[Sequence[str], Iterable[Row]], Iterator[bytes]]
FORMATS: dict[str, tuple[str, Writer]] = {
    "csv": ("text/csv; charset=utf-8", write_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_xlsx),
    "json": ("application/json", write_json),
}
