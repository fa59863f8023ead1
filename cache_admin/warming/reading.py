"""CSV, XLSX and JSON files -> rows as they were written, one at a time: nothing holds a whole file in memory."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

COLUMNS = ("question", "answer", "topic", "language", "valid_from", "valid_until")
MAX_BYTES = 40 * 2**20
MAX_ROWS = 200_000
_MAX_UNZIPPED = 400 * 2**20  # a small file may unfold to fill the memory
_MAX_CELL = 50_000
_CHUNK = 64 * 1024
# What our own exports put before a cell that a spreadsheet would take for a formula (warming/exporting.py)
_GUARDED = re.compile(r"\A'(?='*[=+\-@\t\r])")

_BETWEEN = re.compile(r"[ \t\r\n,]*")


class UnreadableError(ValueError):
    """The file, or one place in it, cannot be read at all; the message is for a supervisor."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One row as it was written, under its number: the header of a spreadsheet is row 1, the first of a JSON list is 1."""

    number: int
    question: str = ""
    answer: str = ""
    topic: str = ""
    language: str = ""
    valid_from: str = ""
    valid_until: str = ""


def read_drafts(path: Path, *, name: str) -> Iterator[Draft]:
    """The file's rows that hold anything; UnreadableError says which row stops it, and why."""
    read = _READERS.get(Path(name).suffix.lower())
    if read is None:
        raise UnreadableError(_("Choose a file that ends in .csv, .xlsx or .json."))
    count = 0
    for number, cells in read(path):
        found = {column: _clean(cells.get(column)) for column in COLUMNS}
        if any(found.values()):
            count += 1
            if count > MAX_ROWS:
                raise UnreadableError(_("The file has more than %d rows. Divide it.") % MAX_ROWS)
            yield Draft(number, **found)


def estimate_rows(path: Path, *, name: str) -> int:
    """About how many rows the file has, without reading it: for a progress bar."""
    if Path(name).suffix.lower() == ".xlsx":
        return _estimate_sheet(path)
    mark = b"}" if name.lower().endswith(".json") else b"\n"
    with path.open("rb") as file:
        return sum(block.count(mark) for block in iter(lambda: file.read(_CHUNK), b""))


def _estimate_sheet(path: Path) -> int:
    try:
        with zipfile.ZipFile(path) as packed:
            size = max((i.file_size for i in packed.infolist() if "worksheets/" in i.filename), default=0)
    except (zipfile.BadZipFile, OSError):
        return 0
    return size // 200  # what a row of a few cells takes


def _clean(value: object) -> str:
    """A cell's text without the spaces around it."""
    if value is None or value == "":
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip().replace("\0", "")[:_MAX_CELL]


def _unguard(cell: object) -> object:
    """A spreadsheet's cell without the guard of our own exports."""
    return _GUARDED.sub("", cell) if isinstance(cell, str) else cell


# -- CSV


def _read_csv(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    with path.open("rb") as file:
        lines = _decode_lines(file)
        first = next(lines, "")
        delimiter = max(",;\t", key=first.count)
        rows = csv.reader(_put_back(first, lines), delimiter=delimiter, strict=True)
        try:
            yield from _name_cells(((rows.line_num, row) for row in rows), first_number=1)
        except csv.Error as error:
            raise UnreadableError(
                _("Row %(row)d is broken: %(error)s.") % {"row": rows.line_num, "error": error}
            ) from error


def _put_back(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    yield from rest


def _decode_lines(file: IO[bytes]) -> Iterator[str]:
    """Lines as text: UTF-8, or UTF-16 when the file says so."""
    start = file.read(2)
    file.seek(0)
    if start in (b"\xff\xfe", b"\xfe\xff"):
        yield from _decode_wide(file)
        return
    for number, line in enumerate(file, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            hint = _("Row %d is not UTF-8. In Excel save as “CSV UTF-8”, or as a workbook (.xlsx).")
            raise UnreadableError(hint % number) from None


def _decode_wide(file: IO[bytes]) -> Iterator[str]:
    import io  # noqa: PLC0415 - of this one case

    try:
        with io.TextIOWrapper(file, encoding="utf-16", newline="") as text:
            yield from text
    except UnicodeError:
        raise UnreadableError(_("The file says that it is UTF-16, and is not.")) from None


def _name_cells(
    rows: Iterable[tuple[int, Iterable[object]]], *, first_number: int
) -> Iterator[tuple[int, dict[str, object]]]:
    """Cells under the names of their columns; the first row that is not empty names them."""
    names: list[str] = []
    number = first_number - 1
    for number, (_line, row) in enumerate(rows, start=first_number):
        cells = list(row)
        if names:
            yield number, dict(zip(names, map(_unguard, cells), strict=False))
        elif any(cells):
            names = _read_header(cells)
    if not names:
        raise UnreadableError(_("The file is empty."))


def _read_header(cells: Iterable[object]) -> list[str]:
    names = [re.sub(r"[\s_-]+", "_", str(cell or "").strip().lower()) for cell in cells]
    if "question" not in names:
        given = ", ".join(name[:40] for name in names[:8] if name) or "-"
        raise UnreadableError(_("The first row must name the columns, one of them “question”. It says: %s.") % given)
    return names


# -- XLSX


def _read_sheet(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """The first sheet's cells; formulas count as what they came to."""
    _refuse_bomb(path)
    try:
        with (
            path.open("rb") as file,  # by its name the library would judge it
            closing(load_workbook(file, read_only=True, data_only=True, keep_links=False)) as book,
        ):
            if not book.worksheets:
                raise UnreadableError(_("The workbook has no sheet."))
            rows = book.worksheets[0].iter_rows(values_only=True)
            yield from _name_cells(enumerate(rows, start=1), first_number=1)
    except (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, OSError, EOFError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(_("This is no workbook that can be read. Save it anew as .xlsx, or as CSV.")) from error


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(member.file_size for member in packed.infolist())
    except (zipfile.BadZipFile, OSError):
        raise UnreadableError(_("This is no workbook that can be read. Save it anew as .xlsx, or as CSV.")) from None
    if size > _MAX_UNZIPPED:
        raise UnreadableError(_("The workbook unfolds to more than 400 MB. Divide it, or save it as CSV."))


# -- JSON


def _read_json(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """A list of objects."""
    with path.open("rb") as file:
        for number, item in enumerate(_read_items(_decode_blocks(file)), start=1):
            if not isinstance(item, dict):
                raise UnreadableError(_("Item %d is no object with a question.") % number)
            yield (
                number,
                {str(name).lower(): value for name, value in item.items() if not isinstance(value, list | dict)},
            )


def _decode_blocks(file: IO[bytes]) -> Iterator[str]:
    import codecs  # noqa: PLC0415 - of this one case

    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        for block in iter(lambda: file.read(_CHUNK), b""):
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise UnreadableError(_("The file is not UTF-8.")) from None


def _read_items(blocks: Iterator[str]) -> Iterator[Any]:
    """The items of a JSON list one by one, whatever the blocks cut through."""
    decoder, buffer, is_open, count = json.JSONDecoder(), "", False, 0
    for block in blocks:
        buffer, at = buffer + block, 0
        if not is_open and buffer.strip():
            if not buffer.lstrip().startswith("["):
                raise UnreadableError(_("The file must hold a list: [{“question”: …}, …]."))
            is_open, at = True, buffer.index("[") + 1
        while is_open:
            at = _BETWEEN.match(buffer, at).end()  # type: ignore[union-attr]  # it matches nothing, too
            if buffer.startswith("]", at):
                return
            try:
                item, at = decoder.raw_decode(buffer, at)
            except (json.JSONDecodeError, RecursionError):
                break  # perhaps the rest of it comes with the next block
            count += 1
            yield item
        buffer = buffer[at:]
        if len(buffer) > 10 * _MAX_CELL:
            raise UnreadableError(_("Item %d is broken or too long.") % (count + 1))
    message = _("The file is empty.") if not is_open else _("The file breaks off, or is broken, after item %d.") % count
    raise UnreadableError(message)


_READERS: dict[str, Callable[[Path], Iterator[tuple[int, Mapping[str, object]]]]] = {
    ".csv": _read_csv,
    ".xlsx": _read_sheet,
    ".json": _read_json,
}
