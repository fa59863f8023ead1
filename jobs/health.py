"""Is this worker alive? `python -m jobs.health FILE`: exit status 0 or 1 and one line; asks no broker, so that it costs nothing."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

MAX_AGE_SECONDS = 60.0


def write_health(path: Path, *, polled_at: Mapping[str, float], busy: int, slots: int, now: float) -> None:
    """Notes that the worker lives, when each queue last answered a poll (epoch seconds), and how many slots are busy."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"at": now, "polled_at": polled_at, "busy": busy, "slots": slots}))
    os.replace(fresh, path)  # a reader never sees half a file


def find_fault(path: Path, *, max_age_seconds: float, now: float) -> str:
    """What is wrong with the worker that writes this file, or ""."""
    try:
        health = json.loads(path.read_text())
    except (OSError, ValueError):
        return f"no health file at {path}: the worker has not started"
    if now - health["at"] > max_age_seconds:
        return f"the worker has not reported for {now - health['at']:.0f} s"
    if health["busy"] >= health["slots"] > 0:
        return ""  # with every slot busy it rightly does not poll
    stale = [queue for queue, at in health["polled_at"].items() if now - at > max_age_seconds]
    if stale or not health["polled_at"]:
        return f"no poll has been answered for {max_age_seconds:.0f} s: {', '.join(stale) or 'any queue'}"
    return ""


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m jobs.health", description="Exit status 0 when the worker is healthy."
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--max-age", type=float, default=MAX_AGE_SECONDS, help="seconds without a sign of life")
    options = parser.parse_args()
    fault = find_fault(options.file, max_age_seconds=options.max_age, now=time.time())
    sys.stdout.write(f"{fault or 'healthy'}\n")
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
