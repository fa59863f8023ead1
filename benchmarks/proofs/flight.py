"""`make flight`: many callers ask few questions at once, through the real Producer in many threads and processes.

One generation for each question, whoever asks: the proof counts what was queued and what a worker could start.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.proofs.tables import Say, make_say, show, to_table
from connectgenai.wire.items import TopicItem
from connectgenai.wire.request import LIVE_QUEUE, GenerationRequest
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy, policies_to_json
from local.emulator import start_emulator
from local.provision import Provisioned, local_client, provision

TOPIC = "race"
START_SECONDS = 4.0  # for all processes to import the Lambda
ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Flight:
    """What came of a race; `generations` are the messages, each delivered twice at once, that won `start`."""

    asks: int
    questions: int
    processes: int
    threads: int
    sends: int
    sends_logged: int
    generations: int
    tickets: int
    misses: int
    joined: int
    refused: int
    seconds: float


def race(made: Provisioned, *, home: Path, questions: int, asks: int, processes: int, threads: int) -> Flight:
    """Lets `asks` callers race over `questions` questions; every process asks each question as often."""
    store = AnswerStore(local_client("dynamodb", made.environment["AWS_ENDPOINT_URL"]), table=made.table)
    policies = policies_to_json({"en-US": WaitPolicy()})
    store.publish_topic(TopicItem(name=TOPIC, sharing="everyone", policies=policies), now_ms=_now_ms(), is_stale=True)
    texts = [f"What does tariff number {n} cost?" for n in range(questions)]
    plan = {"topic": TOPIC, "questions": texts, "asks_each": asks // questions // processes, "threads": threads}
    starts_at = time.time() + START_SECONDS
    racers = [
        _start(made, home / f"racer-{n}", {**plan, "name": f"p{n}", "starts_at": starts_at}) for n in range(processes)
    ]
    replies = [reply for number, racer in enumerate(racers) for reply in _wait(racer, home / f"racer-{number}")]
    seconds = time.time() - starts_at
    logged = sum((home / f"racer-{n}.log").read_text().count('"event": "queued"') for n in range(processes))
    messages = _drain(made)
    # a ticket's cursor ends in how the ask was met: "joined", or "-" for a generation of its own
    kinds = Counter(r["cursor"].rpartition(".")[2] if r["statusCode"] == "202" else "refused" for r in replies)
    return Flight(
        asks=len(replies),
        questions=questions,
        processes=processes,
        threads=processes * threads,
        sends=len(messages),
        sends_logged=logged,
        generations=count_starts(store, messages),
        tickets=len({reply["ticket"] for reply in replies if reply["ticket"]}),
        misses=kinds["-"],
        joined=kinds["joined"],
        refused=kinds["refused"],
        seconds=round(seconds, 1),
    )


def _start(made: Provisioned, path: Path, plan: dict[str, Any]) -> subprocess.Popen[bytes]:
    environment = {**made.environment, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "benchmarks.proofs.racer", str(path.with_suffix(".json"))]
    with path.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT
        )
    assert process.stdin is not None
    process.stdin.write(json.dumps(plan).encode() + b"\n")
    process.stdin.close()
    return process


def _wait(process: subprocess.Popen[bytes], path: Path) -> list[dict[str, str]]:
    if process.wait():
        raise RuntimeError(path.with_suffix(".log").read_text()[-2_000:])
    found: list[dict[str, str]] = json.loads(path.with_suffix(".json").read_text())
    return found


def _drain(made: Provisioned) -> list[GenerationRequest]:
    """Every message of the live queue."""
    sqs, url = local_client("sqs", made.environment["AWS_ENDPOINT_URL"]), made.queue_urls[LIVE_QUEUE]
    found: list[GenerationRequest] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(GenerationRequest.from_dict(json.loads(message["Body"])))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def count_starts(store: AnswerStore, messages: list[GenerationRequest]) -> int:
    """How many of the messages' deliveries may generate; each message is delivered twice, as SQS may do."""

    def start(work: tuple[int, GenerationRequest]) -> bool:
        number, request = work
        token = f"run{number:09d}"
        return store.start(request.key, epoch=request.epoch, token=token, revision=1, now_ms=_now_ms()) is not None

    deliveries = [request for request in messages for _ in range(2)]
    with ThreadPoolExecutor(16) as pool:
        return sum(pool.map(start, enumerate(deliveries)))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def run(say: Say) -> Flight:
    """The whole race on an emulator of its own."""
    with tempfile.TemporaryDirectory(prefix="flight-") as name:
        home = Path(name)
        with start_emulator(state_dir=None, log=home / "emulator.log") as emulator:
            say("10,000 callers ask 200 questions, in 5 processes of 8 threads each")
            made = provision(endpoint_url=emulator.url)
            return race(made, home=home, questions=200, asks=10_000, processes=5, threads=8)


def main() -> int:
    """Races and shows; 1 when a question was generated twice or not at all."""
    flight = run(make_say())
    rows = [(name.replace("_", " "), value) for name, value in asdict(flight).items()]
    show("flight", asdict(flight), to_table(("figure", "value"), rows))
    return 0 if flight.sends == flight.generations == flight.questions == flight.misses else 1


if __name__ == "__main__":
    sys.exit(main())
