"""Whether callers notice a batch: from a new question to its first words, while 10,000 questions are pre-warmed and while they are not.

The whole product runs: emulator, paced model, the workers of each queue as processes of their own. The same steady calls go on
in phases, in turns with the batch paused and running; both sides share the machine, the tables and one model's quota.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.hits import lambda_process
from benchmarks.measure import Figure, Figures, Say, percentile
from flows.caller import Dialled
from local.stack import ROOT, Stack

ROWS, CALLS, PAIRS = 10_000, 40, 4
SECONDS_BETWEEN_CALLS = 0.7
REQUESTS_PER_MINUTE = 300  # of which callers need 86, and at most 240 flow steadily: pre-warming gets what is left
PACE = {"first_token_seconds": 1.0, "seconds_per_1000_input_tokens": 0.0, "tokens_per_second": 40.0}
TOPIC, LANGUAGE, MODEL = "store-faq", "en-US", "local.extractive-v1"
WARMED, ASKED = "How much does the {} cost?", "Do you sell the {} here?"
PATIENCE_SECONDS, QUIET_SECONDS = 60.0, 4.0


def measure(say: Say) -> Figures:
    """What `compare` finds on a product of its own."""
    with TemporaryDirectory(prefix="bench-") as name, Stack(home=Path(name), say=lambda _: None) as stack:
        return compare(stack, say, rows=ROWS, calls=CALLS, pairs=PAIRS)


def compare(stack: Stack, say: Say, *, rows: int, calls: int, pairs: int) -> Figures:
    """`live_p95_beside_batch` and `live_p50_beside_batch` beside the same without it, and what the batch got done meanwhile."""
    waits: dict[str, list[float]] = {"without": [], "with": []}
    warmed, seconds = 0, 0.0
    with Bench(stack) as bench, lambda_process(stack.environment) as desk:
        found = bench.begin(rows)
        say(f"beside: a batch of {found:,} questions is confirmed")
        place_calls(desk, 5)
        for _ in range(pairs):
            waits["without"] += place_calls(desk, calls)
            bench.resume()
            began = time.time()
            waits["with"] += place_calls(desk, calls)
            ended = time.time()
            warmed += bench.count_warmed(began, ended)
            seconds += ended - began
            bench.pause()
            last = {side: percentile(some[-calls:], 0.95) for side, some in waits.items()}
            say(f"beside: p95 {last['without']:.2f} s without, {last['with']:.2f} s with; {warmed} pre-warmed")
        done = bench.count_done()
    return _to_figures(waits, rows=found, done=done, warmed=warmed, seconds=seconds)


def _to_figures(waits: dict[str, list[float]], *, rows: int, done: int, warmed: int, seconds: float) -> Figures:
    count = len(waits["with"])
    beside = f"{warmed:,} of a batch's {rows:,} questions were generated in the {seconds:.0f} s of these calls"
    p95, p50 = ({side: percentile(some, share) for side, some in waits.items()} for share in (0.95, 0.5))
    return {
        "live_p95_beside_batch": Figure(p95["with"], p95["without"], "s", count, beside, "ratio <= 1.2"),
        "live_p50_beside_batch": Figure(p50["with"], p50["without"], "s", count),
        "prewarmed_per_minute": Figure(warmed / seconds * 60, None, "questions", warmed),
        "batch_rows": Figure(rows, None, "rows", 1, f"{done:,} of them noted as done at the end of the last phase"),
    }


# -- callers


def place_calls(desk: Any, count: int) -> list[float]:
    """Seconds from the question to the first words of each call; one new question after the other, at a steady pace."""
    began = time.monotonic()
    with ThreadPoolExecutor(count) as callers:
        calls = []
        for number in range(count):
            time.sleep(max(0.0, began + number * SECONDS_BETWEEN_CALLS - time.monotonic()))
            calls.append(callers.submit(_call, desk))
        return [call.result() for call in calls]


def _call(desk: Any) -> float:
    """RuntimeError when there is no answer."""
    question = ASKED.format(make_name(uuid.uuid4().int, letters=12))
    contact = Dialled(topic=TOPIC, question=question, contact_id=str(uuid.uuid4()), caller="")
    began = time.monotonic()
    reply = desk.ask(contact.event(topic=TOPIC, question=question)).to_map()
    while reply["statusCode"] == "202" and time.monotonic() - began < PATIENCE_SECONDS:
        reply = desk.poll(contact.event(ticket=reply["ticket"], cursor=reply["cursor"])).to_map()
    if reply["statusCode"] not in ("200", "206"):
        raise RuntimeError(f"a live call got {reply['statusCode']} {reply['reason']}")
    return time.monotonic() - began


def make_name(number: int, *, letters: int) -> str:
    """A word of its own for each number; in letters, for a question with a long number in it is a caller's own, and not shared."""
    return "".join(chr(97 + number // 26**place % 26) for place in range(letters))


# -- the batch


class Bench:
    """The batch, begun and steered from a process that has the site's environment. Use it in a `with` statement."""

    def __init__(self, stack: Stack) -> None:
        self._file = stack.home / "questions.csv"
        self._model = stack.environment["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "CONNECTGENAI_", "DJANGO_"))}
        self._desk = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.beside"],
            cwd=ROOT,
            env={**kept, **stack.environment, "DJANGO_SETTINGS_MODULE": "connectgenai.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Bench:
        self._pace_before = _send("GET", f"{self._model}/_control/pace")
        _send("PUT", f"{self._model}/_control/pace", PACE)
        return self

    def __exit__(self, *_: object) -> None:
        _send("PUT", f"{self._model}/_control/pace", self._pace_before)
        self._desk.communicate(timeout=PATIENCE_SECONDS)  # its input is closed, and it ends

    def begin(self, rows: int) -> int:
        """Uploads a file of questions, lets housekeeping read it, and confirms it, paused; how many rows it has to do."""
        with self._file.open("w", newline="") as file:
            csv.writer(file).writerows([["question"], *([WARMED.format(make_name(n, letters=5))] for n in range(rows))])
        return int(self._ask_for(f"begin {self._file}"))

    def resume(self) -> None:
        """Returns once the model answers the batch's questions."""
        began = time.time()
        self._ask_for("resume")
        self._wait_until(lambda: self.count_warmed(began, time.time()) > 0)

    def pause(self) -> None:
        """Returns once the model is left alone: a paused batch's questions under way are answered nevertheless."""
        self._ask_for("pause")
        self._wait_until(lambda: not self.count_warmed(time.time() - QUIET_SECONDS, time.time()))

    def count_done(self) -> int:
        """How many rows housekeeping has noted as done."""
        return int(self._ask_for("count"))

    def count_warmed(self, began: float, ended: float) -> int:
        """How many of the batch's questions the model was asked between two moments, in epoch seconds."""
        head = WARMED.partition("{")[0]
        calls = _send("GET", f"{self._model}/_control/calls")["calls"]
        return sum(began <= call["started_ms"] / 1000 <= ended and call["question"].startswith(head) for call in calls)

    def _wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            if time.monotonic() > deadline:
                raise TimeoutError("the batch does not do what it is told")
            time.sleep(0.5)

    def _ask_for(self, wish: str) -> str:
        assert self._desk.stdin is not None
        assert self._desk.stdout is not None
        print(wish, file=self._desk.stdin, flush=True)
        if not (said := self._desk.stdout.readline().strip()):
            raise RuntimeError(f"the process that steers the batch has ended at {wish}")
        return said


def _send(method: str, url: str, body: object = None) -> Any:
    wish = urllib.request.Request(url, json.dumps(body).encode() if body else None, method=method)
    with urllib.request.urlopen(wish, timeout=30) as reply:
        return json.load(reply)


# -- in the process that begins and steers it


def _serve() -> None:
    """Does one wish after the other, and says what came of it."""
    import django

    django.setup()
    from cache_admin.models import WarmBatch
    from cache_admin.warming import batches

    for line in sys.stdin:
        wish, _, file = line.strip().partition(" ")
        if wish == "begin":
            print(_begin(Path(file)), flush=True)
        elif wish == "count":
            print(batches.read_progress(WarmBatch.objects.get()).done, flush=True)
        else:
            print({"pause": batches.pause, "resume": batches.resume}[wish](WarmBatch.objects.get()), flush=True)


def _begin(path: Path) -> int:
    from django.core.files import File
    from django.db import transaction
    from django.utils import timezone

    from cache_admin import gateways
    from cache_admin.models import ModelLimit, WarmBatch
    from cache_admin.services.capacity import publish_limit
    from cache_admin.warming import batches

    limit = ModelLimit.objects.create(model_id=MODEL, requests_per_minute=REQUESTS_PER_MINUTE)
    publish_limit(limit, store=gateways.answer_store())
    with path.open("rb") as file:
        batch = batches.make_file_batch(
            File(file, name=path.name), kind=WarmBatch.Kind.PREWARM, topic=TOPIC, language=LANGUAGE,
            storage=gateways.file_storage(), by=None, now=timezone.now(),
        )  # fmt: skip
    while batch.state == WarmBatch.State.READING:
        time.sleep(0.5)
        batch.refresh_from_db()
    with transaction.atomic():  # so that it begins with a pause
        if not batches.confirm(batch, now=timezone.now()):
            raise SystemExit(f"the batch is {batch.state}: {batch.problem}")
        batches.pause(batch)
    return batches.read_progress(batch).waiting


if __name__ == "__main__":
    _serve()
