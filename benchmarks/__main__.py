"""`make bench`: measures everything, or the families named, each beside a peer in one run."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from benchmarks.measure import RESULTS, Figures, Say, load_figures, save_figures
from benchmarks.report import to_text, write_page

# Each is a module of this package with `measure(say)`; the order of the table.
FAMILIES = ("waiting", "words", "hits", "cold_starts", "workers", "flows", "decisions", "beside")
# Families with a file of their own; the others share call.json, and the table in docs/benchmarks.md
OWN_FILES = {name: RESULTS.with_name(f"{name}.json") for name in ("flows", "decisions", "beside")}


def main() -> int:
    """Runs the families, prints the table, and writes the JSON and the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "families", nargs="*", metavar="family", help=f"any of {', '.join(FAMILIES)}; all when none is given"
    )
    chosen = parser.parse_args().families or FAMILIES
    if unknown := set(chosen) - set(FAMILIES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every part is stopped on the way out
    shared = [family for family in FAMILIES if family not in OWN_FILES]
    if named := [family for family in chosen if family in shared]:
        figures = _measure_all(named)
        kept = {} if set(named) == set(shared) else load_figures()
        save_figures(kept | figures)
        write_page(load_figures())
        _show(figures, RESULTS, "and docs/benchmarks.md")
    for family in set(chosen) & OWN_FILES.keys():
        figures = _measure_all([family])
        save_figures(figures, path=OWN_FILES[family])
        _show(figures, OWN_FILES[family])
    return 0


def _show(figures: Figures, path: Path, also: str = "") -> None:
    print(f"\n{to_text(figures)}\n\nWritten to {path.relative_to(path.parents[2])} {also}".rstrip())


def _measure_all(families: tuple[str, ...] | list[str]) -> Figures:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {text}", flush=True)

    figures: Figures = {}
    for family in families:
        measure: Callable[[Say], Figures] = import_module(f"benchmarks.{family}").measure
        say(f"{family}: begins")
        figures |= measure(say)
    return figures


if __name__ == "__main__":
    sys.exit(main())
