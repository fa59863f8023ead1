"""How a proof shows what it found: a table on the terminal, and the figures in benchmarks/results."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

RESULTS = Path(__file__).resolve().parent.parent / "results"
Say = Callable[[str], None]


def make_say() -> Say:
    """Prints with the seconds since now."""
    began = time.monotonic()
    return lambda text: print(f"[{time.monotonic() - began:6.1f} s] {text}", flush=True)


def to_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table that reads well on a terminal and is Markdown too."""
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    padded = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in lines]
    return "\n".join([padded[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *padded[1:]])


def save_result(name: str, figures: Mapping[str, object]) -> Path:
    """Writes benchmarks/results/`name`.json."""
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(figures, indent=2) + "\n")
    return path


def show(name: str, figures: Mapping[str, object], *tables: str) -> None:
    """Prints the tables, and keeps the figures."""
    path = save_result(name, figures)
    print("\n" + "\n\n".join(tables) + f"\n\nWritten to {path.relative_to(RESULTS.parent.parent)}")
