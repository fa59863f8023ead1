"""`make fuzz`: bad input at every door. No exception reaches Connect, no worker dies, no upload crashes, no SSML breaks."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import django

from benchmarks.proofs.fuzz_events import fuzz_events
from benchmarks.proofs.fuzz_messages import fuzz_messages
from benchmarks.proofs.ssml import count_naive_faults, try_answers
from benchmarks.proofs.tables import Say, make_say, show, to_table
from benchmarks.proofs.trying import Tally
from local.emulator import start_emulator
from local.provision import provision
from tests.aws import make_aws

EVENTS, MESSAGES, UPLOADS, ANSWERS = 5_000, 2_000, 2_000, 20_000
SEED = 2026


def run(say: Say) -> tuple[dict[str, Tally], int]:
    """What became of everything by the door it came to, and how many answers naive SSML would have broken."""
    from benchmarks.proofs.fuzz_uploads import fuzz_uploads, make_samples

    found: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        home = Path(name)
        with start_emulator(state_dir=None, log=home / "emulator.log") as emulator:
            say(f"{EVENTS:,} events to each Lambda")
            events = fuzz_events(provision(endpoint_url=emulator.url), home, examples=EVENTS)
            found |= {f"event to {function}": tally for function, tally in events.items()}
            say(f"{MESSAGES:,} messages to a worker")
            found["SQS message"] = fuzz_messages(make_aws(emulator.url), home / "worker", examples=MESSAGES)
    say(f"{UPLOADS:,} uploads of each kind")
    uploads = fuzz_uploads(make_samples(), examples=UPLOADS)
    found |= {f"upload: {kind}": tally for kind, tally in uploads.items()}
    say(f"{ANSWERS:,} answers to SSML")
    found["answer to SSML"] = try_answers(ANSWERS, seed=SEED)
    return found, count_naive_faults(ANSWERS, seed=SEED)


def main() -> int:
    """Tries and shows; 1 when anything broke."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    found, naive = run(make_say())
    rows = [(door, f"{t.tried:,}", t.outcomes["broken"], _describe(t.outcomes)) for door, t in found.items()]
    figures: dict[str, object] = {
        door: {"tried": t.tried, "broken": t.broken, "outcomes": dict(t.outcomes)} for door, t in found.items()
    }
    figures["answers that text between <speak> tags would have broken"] = naive
    naively = f"Text put between <speak> tags as it is: {naive:,} of {ANSWERS:,} of the same answers malformed."
    show("fuzz", figures, to_table(("door", "tried", "broken", "what became of them"), rows), naively)
    return int(any(tally.broken for tally in found.values()))


def _describe(outcomes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(outcomes.items()))


if __name__ == "__main__":
    sys.exit(main())
