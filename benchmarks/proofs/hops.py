"""`make hops`: every way between the parts fails in every manner, while somebody calls.

In every case the caller hears something within three seconds, and comes to an answer or to a hand-over.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
import time
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from benchmarks.proofs.calls import ANSWERED, HANDED_OVER, Ending, place_call
from benchmarks.proofs.tables import Say, make_say, show, to_table
from benchmarks.proofs.yard import ANSWER, HOPS, Yard, open_yard
from connectgenai.wire.items import answer_pk
from local.emulator import start_emulator
from local.fault_proxy import NO_FAULT, Fault

HEARD_WITHIN_SECONDS = 3.0
LASTING_PATIENCE, PASSING_PATIENCE = 10.0, 45.0  # seconds, the topic's `max_wait`
PASSES_AFTER_SECONDS = 4.0
WHOLE_CALL, FIRST_SECONDS, THE_WAIT = "the whole call", "its first 4 s", "4 s of its wait"
MOMENTS = (WHOLE_CALL, FIRST_SECONDS, THE_WAIT)
SLACK_SECONDS = 15.0  # the patience ends with the next reply, which a fault may hold up
THROTTLED = {
    "DynamoDB": (400, b'{"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}'),
    "SQS": (400, b'{"__type": "com.amazonaws.sqs#RequestThrottled"}'),
    "Bedrock": (429, b'{"message": "Too many requests", "__type": "ThrottlingException"}'),
}
KINDS = ("slow", "cut", "cut within the reply", "refused", "black hole", "503", "throttled")


@dataclass(frozen=True, slots=True)
class Cell:
    """One hop, one fault, and how it went."""

    hop: str
    fault: str
    moment: str
    heard_seconds: float
    end: str
    reason: str
    total_seconds: float
    is_whole: bool

    @property
    def is_kept(self) -> bool:
        """Whether the promise holds: heard in time, and an end; an answer is the whole text or none of it."""
        is_ended = self.end == HANDED_OVER or (self.end == ANSWERED and self.is_whole)
        return is_ended and 0 < self.heard_seconds <= HEARD_WITHIN_SECONDS


def make_fault(hop: str, kind: str) -> Fault:
    """The fault of that kind; how a service says "throttled" is its own."""
    service = hop.partition(" ")[0]
    if kind == "throttled":
        status, body = THROTTLED[service]
        return Fault(status=status, body=body)
    return {
        "slow": Fault(delay_seconds=0.1),
        "cut": Fault(cut_after_bytes=0),
        "cut within the reply": Fault(cut_after_bytes=60),
        "refused": Fault(is_refusing=True),
        "black hole": Fault(is_black_hole=True),
        "503": Fault(status=503),
    }[kind]


def list_cells(hops: tuple[str, ...] = HOPS) -> list[tuple[str, str]]:
    """Every hop with every fault that its protocol knows: PostgreSQL does not speak HTTP."""
    return [(h, k) for h in hops for k in KINDS if h != "PostgreSQL" or k not in ("503", "throttled")]


def try_cell(yard: Yard, hop: str, kind: str, moment: str) -> Cell:
    """A call, and a fault that meets it at that moment."""
    patience = LASTING_PATIENCE if moment == WHOLE_CALL else PASSING_PATIENCE
    topic = f"t{zlib.crc32(f'{hop} {kind} {moment}'.encode()):08x}"
    yard.publish(topic, patience_seconds=patience)
    proxy, fault = yard.proxies[hop], make_fault(hop, kind)
    healer = threading.Timer(PASSES_AFTER_SECONDS, lambda: setattr(proxy, "fault", NO_FAULT))

    def begin() -> None:
        proxy.fault = fault
        if moment != WHOLE_CALL:
            healer.start()

    later = begin if moment == THE_WAIT else lambda: None
    if moment != THE_WAIT:
        begin()
    try:
        ending = place_call(
            yard.phone, topic=topic, contact_id=topic, deadline_seconds=patience + SLACK_SECONDS, after_asking=later
        )
    finally:
        healer.cancel()
        proxy.fault = NO_FAULT
    return _describe(hop, kind, moment, ending)


def _describe(hop: str, kind: str, moment: str, ending: Ending) -> Cell:
    return Cell(
        hop,
        kind,
        moment,
        round(ending.heard_seconds, 2),
        ending.end,
        ending.reason,
        round(ending.total_seconds, 1),
        ending.text == ANSWER,
    )


def count_unmirrored(yard: Yard, *, patience_seconds: float) -> int:
    """How many answers the database still lacks when the mirror has had so much time to catch up."""
    deadline = time.monotonic() + patience_seconds
    while True:
        known = {
            attributes["pk"]["S"].removeprefix(answer_pk(""))
            for attributes in yard.store.scan_items(prefix=answer_pk(""))
        }
        with psycopg.connect(yard.database_url) as connection:
            rows = connection.execute("SELECT key FROM cache_admin_cachedanswer").fetchall()
        missing = known - {row[0] for row in rows}
        if not missing or time.monotonic() > deadline:
            return len(missing)
        time.sleep(0.5)


def run(say: Say) -> tuple[list[Cell], int]:
    """All cells, and how many answers the mirror has missed in the end."""
    with (
        tempfile.TemporaryDirectory(prefix="hops-") as name,
        start_emulator(state_dir=None, log=Path(name) / "emulator.log") as emulator,
        open_yard(emulator.url, Path(name)) as yard,
    ):
        cells = []
        for hop, kind in list_cells():
            for moment in MOMENTS:
                cells.append(try_cell(yard, hop, kind, moment))
                say(f"{'ok  ' if cells[-1].is_kept else 'FAIL'} {cells[-1]}")
        return cells, count_unmirrored(yard, patience_seconds=60)


def main() -> int:
    """Tries and shows; 1 when a caller heard nothing in time, came to no end, or the mirror missed an answer."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every part is stopped on the way out
    cells, unmirrored = run(make_say())
    header = ("hop", "fault", "meets", "first heard (s)", "end", "reason", "total (s)")
    rows = [
        (c.hop, c.fault, c.moment, c.heard_seconds, c.end,
         c.reason or "-", c.total_seconds)
        for c in cells
    ]  # fmt: skip
    summary = {
        "cells": len(cells),
        "kept": sum(cell.is_kept for cell in cells),
        "answered": sum(cell.end == ANSWERED for cell in cells),
        "handed_over": sum(cell.end == HANDED_OVER for cell in cells),
        "slowest_first_heard_seconds": max(cell.heard_seconds for cell in cells),
        "answers_missing_in_the_mirror": unmirrored,
    }
    plain = {**summary, "table": [asdict(cell) for cell in cells]}
    show("hops", plain, to_table(header, rows), to_table(("figure", "value"), summary.items()))
    return 0 if summary["kept"] == len(cells) and not unmirrored else 1


if __name__ == "__main__":
    sys.exit(main())
