"""One database: `python -m benchmarks.admin.process OUT ROWS TIMES [WORD]`, with DATABASE_URL set."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import django

from local.emulator import start_emulator
from local.provision import provision

BOUND_MS = 200.0


def main(out: Path, count: int, times: int, only: str) -> None:
    """Builds, measures, prints and writes."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        start_emulator(state_dir=None, log=Path(name) / "emulator.log") as emulator,
    ):
        os.environ |= provision(endpoint_url=emulator.url).environment
        django.setup()
        out.write_text(json.dumps(_run(count, times, only)))


def _run(count: int, times: int, only: str) -> dict[str, object]:
    # after django.setup(): these import models
    from django.db import connection

    from benchmarks.admin import building, measuring, pages, stock

    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {text}", flush=True)

    now = _read_now(connection.settings_dict["NAME"])
    building.build(count=count, say=say, now=now)
    client = measuring.open_client()
    found = {name: url for name, url in pages.find_pages().items() if only in name}
    ours = measuring.sum_up(measuring.time_pages(client, found, count=times, now=now, say=say))
    for name, (p50, p95) in sorted(ours.items(), key=lambda page: -page[1][1])[: None if only else 25]:
        print(f"{p50:8.1f} {p95:8.1f}  {name:45} {found[name][:100]}")
        for line in measuring.explain(client, found[name]) if only else ():
            print("    ", line)
    load = [round(load, 1) for load in os.getloadavg()]
    figures: dict[str, object] = {"pages": len(ours), "load": load, "cores": os.cpu_count()}
    for name, (p50, p95) in ours.items():
        figures |= {f"{name}_p50_ms": p50, f"{name}_p95_ms": p95}
    figures["worst_page_p95_ms"] = max((p95 for _, p95 in ours.values()), default=0.0)
    figures["slower_than_bound"] = [name for name, (_, p95) in ours.items() if p95 > BOUND_MS]
    if not only:
        stocks = measuring.sum_up(stock.time_defaults(count=3, say=say))
        for name, (p50, p95) in stocks.items():
            print(f"{p50:8.1f} {p95:8.1f}  Django's defaults: {name}")
            figures |= {f"{name}_djangos_defaults_p50_ms": p50, f"{name}_djangos_defaults_p95_ms": p95}
    return figures


def _read_now(database: str) -> datetime:
    """When the rows were made: a kept file is looked at as of then."""
    note = Path(f"{database}.now")
    if not database.endswith(".sqlite3"):
        return datetime.now(UTC)
    if not Path(database).exists() or not note.exists():
        note.write_text(datetime.now(UTC).isoformat())
    return datetime.fromisoformat(note.read_text())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else "")
