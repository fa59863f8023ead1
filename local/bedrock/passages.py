"""A document -> sentences that can be quoted, each with what stands above it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from connectgenai.wire.speech import split_sentences
from local.bedrock.markdown import Block, end_sentence, read_blocks
from local.bedrock.prompt import Document

ROLE = re.compile(r"^(?:(?:question|answer|ans)\s*\d*\s*[:.)]|[qa]\s*\d*\s*[:)])\s*", re.I)
# "... until 6 p.m. In summer ..." are two sentences, "... at 6 p.m. Monday to Friday" is one.
AFTER_HOUR = re.compile(r"(?<=[ap]\.m\.)\s+(?=[A-Z])(?!(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)")
SHORT_ITEM_WORDS = 9
PLAIN_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, and where it stands; sentences of one `paragraph` follow on from each other."""

    text: str
    number: int
    title: str
    headings: tuple[
        str, ...
    ]  # from the highest to the one right above, a question that the text answers itself included
    section: int
    paragraph: int
    is_row: bool = False  # of a list or a table
    is_whole: bool = True  # a sentence of its own, not words under a heading


@dataclass(slots=True)
class _Reader:
    """Where the reading stands."""

    title: str
    first_number: int
    headings: list[tuple[int, str]] = field(default_factory=list)
    question: str = ""
    is_answered: bool = False  # the question, by the rest of its own paragraph
    intro: str = ""
    place: int = 0
    section: int = 0
    sentences: list[Sentence] = field(default_factory=list)


def read_sentences(documents: tuple[Document, ...]) -> list[Sentence]:
    """All sentences of the documents, in order, numbered from 0."""
    sentences: list[Sentence] = []
    for document in documents:
        place = sentences[-1].paragraph + 1 if sentences else 0
        section = sentences[-1].section + 1 if sentences else 0
        reader = _Reader(document.title, len(sentences), place=place, section=section)
        _read_document(reader, list(_settle(list(read_blocks(document.text)))))
        sentences += reader.sentences
    return sentences


def _settle(blocks: list[Block]) -> Iterator[Block]:
    """Without gaps; a lone "3. Prices" is the heading that it looks like, and a heading over nothing is a sentence."""
    solid = [block for block in blocks if block.kind != "gap"]
    for number, block in enumerate(solid):
        before = solid[number - 1].kind if number else "heading"
        after = solid[number + 1].kind if number + 1 < len(solid) else "heading"
        if block.kind == "item" and before != "item" and after == "paragraph" and _is_fragment(block.text):
            yield Block("heading", block.text, PLAIN_LEVEL)
        elif block.kind == "heading" and block.level == PLAIN_LEVEL and number + 1 == len(solid):
            yield Block("paragraph", block.text)
        else:
            yield block


def _is_fragment(text: str) -> bool:
    return len(text.split()) <= SHORT_ITEM_WORDS and not re.search(r"[.!?:;]$", text)


def _read_document(reader: _Reader, blocks: list[Block]) -> None:
    number = 0
    while number < len(blocks):
        block = blocks[number]
        if block.kind == "heading":
            _enter(reader, block)
        elif block.kind == "paragraph":
            _read_paragraph(reader, block.text, before_list=_kind_at(blocks, number + 1) in ("item", "row"))
        else:
            rows = [b.text for b in _run_of(blocks, number)]
            _read_rows(reader, rows)
            number += len(rows) - 1
        number += 1


def _kind_at(blocks: list[Block], number: int) -> str:
    return blocks[number].kind if number < len(blocks) else ""


def _run_of(blocks: list[Block], start: int) -> Iterator[Block]:
    """The blocks of the same kind from this one on."""
    for block in blocks[start:]:
        if block.kind != blocks[start].kind:
            return
        yield block


def _enter(reader: _Reader, block: Block) -> None:
    """Goes under a heading: those of its level and below end."""
    reader.headings = [h for h in reader.headings if h[0] < block.level]
    reader.headings.append((block.level, ROLE.sub("", block.text)))
    reader.question, reader.intro = "", ""
    reader.section += 1
    reader.place += 1


def _read_paragraph(reader: _Reader, text: str, *, before_list: bool) -> None:
    """Adds a paragraph's sentences; its questions stand over what follows, as headings do."""
    reader.place += 1
    reader.intro = ""
    if reader.is_answered:
        reader.question, reader.is_answered = "", False
    for said in _split(text):
        if said.endswith("?"):
            _raise_question(reader, said)
        elif before_list and said.endswith(":"):
            reader.intro = said
        else:
            reader.is_answered = bool(reader.question)
            _add(reader, said)


def _split(text: str) -> list[str]:
    whole, rest = split_sentences(text)
    said = [part for sentence in [*whole, " ".join(rest.split())] for part in AFTER_HOUR.split(sentence)]
    return list(filter(None, (ROLE.sub("", part) for part in said)))


def _raise_question(reader: _Reader, question: str) -> None:
    reader.question, reader.is_answered = question, False
    reader.place += 1


def _read_rows(reader: _Reader, rows: list[str]) -> None:
    """Adds a list: in one sentence with its introduction when its items are mere words, else each for itself."""
    reader.place += 1
    if reader.intro and all(_is_fragment(row) and ":" not in row for row in rows):
        _add(reader, f"{reader.intro} {_enumerate(rows)}")
    else:
        for row in rows:
            _add_row(reader, row)
    reader.intro = ""


def _add_row(reader: _Reader, row: str) -> None:
    for said in _split(row):
        if said.endswith("?"):
            _raise_question(reader, said)
        else:
            _add(reader, said, is_row=True, is_whole=said.endswith((".", "!", ":")))


def _enumerate(items: list[str]) -> str:
    return "; ".join(items) if len(items) < 2 else f"{'; '.join(items[:-1])}; and {items[-1]}"


def _add(reader: _Reader, text: str, *, is_row: bool = False, is_whole: bool = True) -> None:
    above = [text for _, text in reader.headings] + [said for said in (reader.question, reader.intro) if said]
    sentence = Sentence(
        text=end_sentence(text),
        number=reader.first_number + len(reader.sentences),
        title=reader.title,
        headings=tuple(above),
        section=reader.section,
        paragraph=reader.place,
        is_row=is_row,
        is_whole=is_whole,
    )
    reader.sentences.append(sentence)


def follows_on(before: Sentence, after: Sentence) -> bool:
    """Whether the second sentence stands right after the first, in the same paragraph or list."""
    return after.number == before.number + 1 and after.paragraph == before.paragraph
