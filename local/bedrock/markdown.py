"""A document's text (markdown or plain) -> blocks: headings, paragraphs, list items and table rows, each free of markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from connectgenai.wire.speech import make_speakable

Kind = Literal["heading", "paragraph", "item", "row", "gap"]

HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
UNDERLINE = re.compile(r"\s{0,3}(={3,}|-{3,})\s*$")
RULE = re.compile(r"\s{0,3}([-*_])(\s*\1){2,}\s*$")
ITEM = re.compile(r"\s*(?:[-*+\u2022\u2013]|\d{1,3}[.)]|[a-z]\))\s+(.*)$", re.S)
LABELLED = re.compile(r"\s*[A-Z][^:.!?]{0,40}:\s+\S")
ROW = re.compile(r"\s*\|.*\|\s*$")
TABLE_RULE = re.compile(r"\s*\|?[\s:|-]*-[\s:|-]*\|?\s*$")
PAGE_NUMBER = re.compile(r"\s*(?:page\s+)?\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?\s*$", re.I)
SENTENCE_CLOSED = re.compile(r"[.!?:;\u2026][\"'\u201d\u2019)\]*_]*$")
REMOVED = re.compile(
    r"\A---\n.*?\n---\n|```.*?(?:```|\Z)|<!--.*?-->|!\[[^\]]*\]\([^)]*\)|\[\^?\d+\](?!\()|</?[a-zA-Z][^<>]*>", re.S
)
PLAIN_HEADING_WORDS = 8  # a line of a plain text that is longer is hardly a heading
LONG_LINE = 50  # characters; under a heading the text runs on, under an address's first line it does not


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document that is spoken as one; `level` is a heading's depth, 1 the highest."""

    kind: Kind
    text: str
    level: int = 0


def read_blocks(text: str) -> Iterator[Block]:
    """The document's blocks in order. Code, comments, images, rules and page numbers are left out."""
    lines = REMOVED.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    for kind, group in groupby(_mark_lines(lines), key=lambda marked: marked[0]):
        yield from _READERS[kind]([line for _, line in group])


def _mark_lines(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Each line with what it belongs to; a line that continues an item is joined to it."""
    marked: list[tuple[str, str]] = []
    for number, line in enumerate(lines):
        before = marked[-1][0] if marked else "gap"
        following = lines[number + 1] if number + 1 < len(lines) else ""
        kind = _kind_of(line, before=before, following=following)
        if (
            kind != "heading"
            and LABELLED.match(line)
            and any(map(LABELLED.match, (following, marked[-1][1] if marked else "")))
        ):
            kind = "item"
        if kind == "underline":
            marked[-1] = ("heading", ("# " if "=" in line else "## ") + marked[-1][1].strip())
        elif kind == "continued":
            marked[-1] = (before, f"{marked[-1][1]}\n{line.strip()}")
        else:
            marked.append((kind, line))
    yield from marked


def _kind_of(line: str, *, before: str, following: str) -> str:
    bare = line.lstrip(" >")
    kinds = (
        ("gap", not bare.strip() or bool(PAGE_NUMBER.match(line))),
        ("heading", bool(HEADING.match(line))),
        ("underline", before == "paragraph" and bool(UNDERLINE.match(line))),
        ("row", bool(ROW.match(line)) or (before == "row" and bool(TABLE_RULE.match(line)))),
        ("gap", bool(RULE.match(line))),
        ("item", bool(ITEM.match(bare))),
        ("continued", before == "item"),
        ("plain_heading", _is_plain_heading(line, before=before, following=following)),
    )
    return next((kind for kind, fits in kinds if fits), "paragraph")


def _is_plain_heading(line: str, *, before: str, following: str) -> bool:
    """A short line without closing punctuation, alone or above a long one that begins a sentence."""
    words = line.split()
    if len(words) > PLAIN_HEADING_WORDS or re.search(r"[.,;:!?]['\")*_]*\s*$", line):
        return False
    if not re.match(r"[\"'*_]*[A-Z\d]", line.strip()):
        return False
    below = following.strip()
    alone = before != "paragraph" and not below
    is_over_text = len(below) > LONG_LINE and not below[:1].islower()
    return alone or (before != "paragraph" and (is_over_text or bool(ITEM.match(following))))


def _read_headings(lines: list[str]) -> Iterator[Block]:
    for line in lines:
        found = HEADING.match(line)
        if found and (text := _clean(found[2])):
            yield Block("heading", text, len(found[1]))


def _read_plain_headings(lines: list[str]) -> Iterator[Block]:
    yield from (Block("heading", text, 3) for line in lines if (text := _clean(line)))


def _read_paragraph(lines: list[str]) -> Iterator[Block]:
    if text := _clean("\n".join(line.lstrip(" >").rstrip() for line in lines)):
        yield Block("paragraph", text)


def _read_items(lines: list[str]) -> Iterator[Block]:
    for line in lines:
        found = ITEM.match(line.lstrip(" >"))
        if text := _clean(found[1] if found else line):
            yield Block("item", text)


def _read_rows(lines: list[str]) -> Iterator[Block]:
    """A table's rows as they are read out: "Sunday: opens 10, closes 4"."""
    cells = [
        [_clean(cell) for cell in line.strip().strip("|").split("|")] for line in lines if not TABLE_RULE.match(line)
    ]
    has_header = len(lines) > 1 and bool(TABLE_RULE.match(lines[1]))
    header, rows = (cells[0], cells[1:]) if has_header else ([], cells)
    yield from (Block("row", said) for row in rows if (said := _say_row(row, header=header)))


def _say_row(row: list[str], *, header: list[str]) -> str:
    label, *values = row
    if not label:
        return ", ".join(filter(None, values))
    names = [name[:1].lower() + name[1:] for name in header[1:]] if len(values) > 1 else []
    said = [f"{names[i]} {v}" if i < len(names) and names[i] else v for i, v in enumerate(values) if v]
    return f"{label}: {', '.join(said)}" if said else label


def _read_gap(_lines: list[str]) -> Iterator[Block]:
    yield Block("gap", "")


_READERS = {
    "heading": _read_headings,
    "plain_heading": _read_plain_headings,
    "paragraph": _read_paragraph,
    "item": _read_items,
    "row": _read_rows,
    "gap": _read_gap,
}


def _clean(text: str) -> str:
    # a word that was parted at the end of its line is one word again; a line's first word is no heading, bullet or quote
    text = re.sub(r"(?<=[a-z])-\n(?=[a-z])", "", text).replace("\n", " ")
    return " ".join(make_speakable(text).split())


def end_sentence(text: str) -> str:
    """The text with a full stop, unless it ends in a mark of its own."""
    return text if SENTENCE_CLOSED.search(text) else f"{text}."
