"""`make bench-admin`: every page of the admin over a million answers and a million calls, beside Django's defaults.

`python -m benchmarks.admin [sqlite] [postgresql] [--rows N] [--times N] [--keep FOLDER] [--only WORD]`. Each database is measured in a
process of its own; --keep leaves the SQLite file there for the next run, --only measures the pages whose name has the word, and shows
their slowest queries.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS, round_figure
from tests.postgres import running_postgres

OUT = RESULTS.with_name("admin.json")
DATABASES = ("sqlite", "postgresql")
BOUND_MS = 200.0


def main() -> int:
    """Runs both databases, prints the table, and writes the JSON; 1 when a page is slower than promised."""
    options = _read_options()
    figures: dict[str, Any] = {"rows": options.rows, "times": options.times, "bound_p95_ms": BOUND_MS}
    chosen = options.databases or DATABASES
    for database in chosen:
        with _open(database, options.keep) as url:
            figures |= measure(database, url, options)
    if not options.only and set(chosen) == set(DATABASES):
        write(figures)
    return 1 if any(figures[f"{database}_slower_than_bound"] for database in chosen) else 0


def write(figures: dict[str, Any]) -> None:
    """The JSON: a key for each database, page and percentile."""
    OUT.write_text(json.dumps(figures, indent=1) + "\n")
    print(f"Written to {OUT.relative_to(OUT.parents[2])}")


def _read_options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.admin", description=__doc__)
    parser.add_argument("databases", nargs="*", choices=[*DATABASES, []], default=[])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", default="")
    return parser.parse_args()


@contextmanager
def _open(database: str, keep: Path | None) -> Iterator[str]:
    if database == "postgresql":
        with running_postgres() as url:
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="admin-") as folder:
        yield f"sqlite:///{(keep or Path(folder)).resolve() / 'admin.sqlite3'}"


def measure(database: str, url: str, options: Any) -> dict[str, Any]:
    """One database's figures, in a process of its own: Django's settings are read once."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [sys.executable, "-m", "benchmarks.admin.process", out.name, str(options.rows), str(options.times)]
        environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        subprocess.run([*command, options.only], env=environment, check=True)
        found: dict[str, Any] = json.loads(Path(out.name).read_text())
    rounded = {name: round_figure(value) if isinstance(value, float) else value for name, value in found.items()}
    return {f"{database}_{name}": value for name, value in rounded.items()}


if __name__ == "__main__":
    began = time.monotonic()
    code = main()
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(code)
