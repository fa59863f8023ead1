"""Figures as a table: for the terminal, and for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.measure import Figure, Figures

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- results: written by make bench -->", "<!-- end of results -->"
HEADS = ("figure", "ours", "peer", "ratio", "unit", "samples", "bound")


def to_rows(figures: Figures) -> list[tuple[str, ...]]:
    """One row of texts for each figure, in the order of HEADS."""
    return [(name, *_to_cells(figure)) for name, figure in figures.items()]


def _to_cells(figure: Figure) -> Iterable[str]:
    yield _show(figure.ours)
    yield _show(figure.peer)
    yield _show(figure.ratio)
    yield figure.unit
    yield str(figure.samples)
    yield f"{figure.bound}{'' if figure.is_kept else '  MISSED'}"


def _show(value: float | None) -> str:
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 1000 or value == int(value) else 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"


def to_text(figures: Figures) -> str:
    """A table for a terminal, with the notes below."""
    rows = [HEADS, *to_rows(figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    notes = [f"{name}: {figure.note}" for name, figure in figures.items() if figure.note]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], "", *notes])


def to_markdown(figures: Figures) -> str:
    """The same as Markdown."""
    rows = [HEADS, tuple("---" for _ in HEADS), *to_rows(figures)]
    table = [f"| {' | '.join(row)} |" for row in rows]
    notes = [f"- `{name}`: {figure.note}" for name, figure in figures.items() if figure.note]
    return "\n".join([*table, "", *notes])


def write_page(figures: Figures, *, page: Path = PAGE) -> None:
    """Puts the table between the page's two marks; all else on it is written by hand."""
    page.write_text(fill_page(page.read_text(), figures))


def fill_page(text: str, figures: Figures) -> str:
    """The page's text with the table of these figures; ValueError when a mark is missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks its marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{to_markdown(figures)}\n{END}{after}"
