"""Is this worker alive? `python -m jobs.health FILE`: exit status 0 or 1 and one line; asks no broker, so that it costs nothing."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

# A silent connection is given up after 30 s, and the long poll after it may last 20 s.
MAX_AGE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Health:
    """What a worker says of itself. All times are epoch seconds."""

    at: float  # when its event loop last turned
    polled_at: dict[str, float] = field(default_factory=dict)  # when each queue last answered a poll
    busy: int = 0
    slots: int = 0
    overdue: int = 0  # tasks that have run for so long that their message went to another worker


class HealthFileError(Exception):
    """There is no such file, or it is not a worker's."""


def write_health(path: Path, health: Health) -> None:
    """Replaces the file; a reader never sees half of one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(json.dumps(asdict(health)))
    os.replace(fresh, path)


def read_health(path: Path) -> Health:
    """What the worker last wrote."""
    try:
        return Health(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        raise HealthFileError(f"no health file at {path}: the worker has not started") from None


def find_fault(health: Health, *, max_age_seconds: float, now_seconds: float) -> str:
    """What is wrong with the worker, or ""."""
    if now_seconds - health.at > max_age_seconds:
        return f"the worker has not reported for {now_seconds - health.at:.0f} s"
    if health.overdue >= health.slots > 0:
        return f"all {health.slots} slots are stuck"
    if health.busy >= health.slots > 0:
        return ""  # with every slot busy it rightly does not poll
    stale = [queue for queue, at in health.polled_at.items() if now_seconds - at > max_age_seconds]
    if stale or not health.polled_at:
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
    try:
        health = read_health(options.file)
        fault = find_fault(health, max_age_seconds=options.max_age, now_seconds=time.time())
    except HealthFileError as error:
        fault = str(error)
    sys.stdout.write(f"{fault or f'healthy: {health.busy} of {health.slots} slots busy'}\n")
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
