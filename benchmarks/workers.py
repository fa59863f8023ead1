"""One live worker process with 200 slots: how soon 400 generations are done, what a slot costs, how soon a message starts."""

from __future__ import annotations

import json
import random
import secrets
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, Figures, Say, percentile
from benchmarks.paced_bedrock import PacedBedrock, open_paced_bedrock
from benchmarks.processes import find_children, pss_mb
from benchmarks.sides import many_connections
from connectgenai.wire.items import READY, AnswerItem, TopicItem, answer_pk, from_attributes
from connectgenai.wire.question import identify_question
from connectgenai.wire.request import LIVE_QUEUE, PREWARM_QUEUE, GenerationRequest
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import policies_to_json
from local.emulator import start_emulator
from local.provision import Provisioned, provision
from local.stack import ROOT, WORKER
from local.tether import tethered_command

SLOTS, GENERATIONS, SECONDS = 200, 400, 5.0
PREFORK_SLOTS = 4
STARTS = 120
TOPIC = "bench"
PATIENCE_SECONDS = 90.0


def measure(say: Say) -> Figures:
    """`worker_200`, `send_to_start_*`, `memory_per_slot`."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        home = Path(name)
        emulator = stack.enter_context(start_emulator(state_dir=None, log=home / "emulator.log"))
        bedrock = stack.enter_context(open_paced_bedrock(SECONDS))
        yard = open_yard(provision(endpoint_url=emulator.url), bedrock, home=home)
        with yard.open_worker("threads", slots=SLOTS) as worker:
            say(f"workers: {GENERATIONS} generations of {SECONDS:g} s in {SLOTS} slots")
            figures, threads_mb = measure_load(yard, worker)
            say(f"workers: {STARTS} messages to an idle worker, and as many to a bare loop")
            figures |= measure_starts(yard)
        with yard.open_worker("prefork", slots=PREFORK_SLOTS) as worker:
            say(f"workers: memory of {PREFORK_SLOTS} prefork slots")
            prefork_mb = measure_prefork(yard, worker)
    memory = Figure(threads_mb, prefork_mb, "MB", 1, note="PSS, peer: Celery's prefork pool", bound="ratio <= 0.1")
    return {**figures, "memory_per_slot": memory}


@dataclass(frozen=True, slots=True)
class Yard:
    """Where workers work: the queues, the store, the model."""

    made: Provisioned
    bedrock: PacedBedrock
    home: Path
    store: AnswerStore
    sqs: Any

    @contextmanager
    def open_worker(self, pool: str, *, slots: int) -> Iterator[int]:
        """The product's live worker as its own process, warm; its process id."""
        arguments = [*WORKER[2:], "-P", pool, "-c", str(slots), "-Q", LIVE_QUEUE, "-n", f"{pool}@%h"]
        command = tethered_command("celery", "-A", "connectgenai", "worker", *arguments)
        environment = {**worker_environment(self), "CONNECTGENAI_WORKER_SLOTS": str(slots)}
        with (
            (self.home / f"{pool}.log").open("wb") as log,
            subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT
            ) as process,
        ):
            try:
                self.warm_up(count=2 * slots if pool == "prefork" else 1)
                yield process.pid
            finally:
                process.terminate()

    def warm_up(self, *, count: int) -> None:
        """Quick generations, so that all modules are loaded and all clients made."""
        self.bedrock.set_seconds(0.5)
        self.send(self.claim(count))
        self.wait_until_done()
        self.bedrock.set_seconds(SECONDS)

    def claim(self, count: int) -> list[GenerationRequest]:
        """Questions that were just asked, as the Producer leaves them, and the messages that it would send."""
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda _: self._claim_one(), range(count)))

    def _claim_one(self) -> GenerationRequest:
        question = f"What about case {secrets.token_hex(8)}?"
        asked = identify_question(
            question, topic=TOPIC, language="en-US", sharing="everyone", caller="", contact_id="bench"
        )
        topic = TopicItem(name=TOPIC, sharing="everyone", revision=1)
        item = self.store.ask(asked, topic=topic, seen=None, now_ms=read_clock_ms()).item
        return GenerationRequest(key=item.key, epoch=item.epoch)

    def send(self, requests: Sequence[GenerationRequest], *, queue: str = LIVE_QUEUE) -> None:
        """Puts them on the queue, ten in one request."""
        for start in range(0, len(requests), 10):
            bodies = [request.to_json() for request in requests[start : start + 10]]
            entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
            self.sqs.send_message_batch(QueueUrl=self.made.queue_urls[queue], Entries=entries)

    def wait_until_done(self) -> None:
        """Until nothing is on the live queue, neither waiting nor in work; TimeoutError after the patience."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            time.sleep(0.25)
            url = self.made.queue_urls[LIVE_QUEUE]
            found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            if not any(int(value) for value in found.values()):
                return
        raise TimeoutError(f"the worker was not done after {PATIENCE_SECONDS:g} s")

    def read(self, requests: Sequence[GenerationRequest]) -> list[AnswerItem]:
        """The answers, all of which must be there."""
        pks = [answer_pk(request.key) for request in requests]
        found = [
            from_attributes(AnswerItem, attributes)
            for start in range(0, len(pks), 100)
            for attributes in self.store.read_items(pks[start : start + 100]).values()
        ]
        assert [item.state for item in found] == [READY] * len(requests), {item.reason for item in found}
        return found


def open_yard(made: Provisioned, bedrock: PacedBedrock, *, home: Path) -> Yard:
    """A published topic without documents, and clients for many threads."""
    endpoint = made.environment["AWS_ENDPOINT_URL"]
    store = AnswerStore(many_connections("dynamodb", endpoint), table=made.table)
    topic = TopicItem(
        name=TOPIC, sharing="everyone", model_id="local.paced-v1", instructions="Answer.", policies=policies_to_json({})
    )
    store.publish_topic(topic, now_ms=read_clock_ms(), is_stale=True)
    return Yard(made, bedrock, home, store, many_connections("sqs", endpoint))


def worker_environment(yard: Yard) -> dict[str, str]:
    """What a worker on this machine needs, and nothing of the user's own."""
    return {
        **yard.made.environment,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": yard.bedrock.url,
        "CONNECTGENAI_SECRET_KEY": secrets.token_hex(32),
        "CONNECTGENAI_DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{yard.home / 'db.sqlite3'}",
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
    }


def read_clock_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def measure_load(yard: Yard, pid: int) -> tuple[Figures, float]:
    """From the first send to the last answer, and the memory of one slot, in MB, when all are busy."""
    requests = yard.claim(GENERATIONS)
    yard.bedrock.forget_calls()
    began = read_clock_ms()
    yard.send(requests)
    time.sleep(SECONDS * 0.8)
    slot_mb = pss_mb(pid) / SLOTS
    yard.wait_until_done()
    makespan = (max(item.finished_at for item in yard.read(requests)) - began) / 1000
    calls = yard.bedrock.read_calls()
    note = (
        f"seconds to do all; the endpoint's own replies took {percentile([c['seconds'] for c in calls], 0.5):.2f} s"
        f" (longest {max(c['seconds'] for c in calls):.2f} s), up to {count_at_once(calls)} at once"
    )
    ideal = GENERATIONS / SLOTS * SECONDS
    return {"worker_200": Figure(makespan, ideal, "s", GENERATIONS, note=note, bound="ratio <= 1.5")}, slot_mb


def count_at_once(calls: Sequence[dict[str, Any]]) -> int:
    """The most calls that were open at the same moment."""
    moments = [(call["started_ms"], 1) for call in calls]
    moments += [(call["started_ms"] + call["seconds"] * 1000, -1) for call in calls]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def measure_prefork(yard: Yard, pid: int) -> float:
    """Memory of one prefork slot in MB: a child process that has worked."""
    children = find_children(pid)
    assert len(children) == PREFORK_SLOTS, children
    assert yard.bedrock.read_calls()
    return sum(map(pss_mb, children)) / PREFORK_SLOTS


def measure_starts(yard: Yard) -> Figures:
    """From the send to the generation's start in DynamoDB, beside a bare ReceiveMessage loop on another queue, in turns."""
    requests = yard.claim(STARTS)
    yard.bedrock.set_seconds(0.5)
    sent: dict[str, int] = {}
    with open_bare_loop(yard) as received:
        for request in requests:
            time.sleep(random.uniform(0.03, 0.15))
            sent[request.key] = read_clock_ms()
            yard.send([request])
            time.sleep(random.uniform(0.03, 0.15))
            yard.sqs.send_message(
                QueueUrl=yard.made.queue_urls[PREWARM_QUEUE], MessageBody=json.dumps({"sent": time.time()})
            )
        yard.wait_until_done()
    ours = [float(item.started_at - sent[item.key]) for item in yard.read(requests)]
    return {
        f"send_to_start_p{share}": Figure(
            percentile(ours, share / 100), percentile(received, share / 100), "ms", STARTS, note=note
        )
        for share, note in ((50, "peer: a bare ReceiveMessage loop, which only takes the message"), (99, ""))
    }


@contextmanager
def open_bare_loop(yard: Yard) -> Iterator[list[float]]:
    """A thread that does nothing but receive; the milliseconds from each send to its receipt."""
    received: list[float] = []
    is_over = threading.Event()

    def receive() -> None:
        while not is_over.is_set():
            url = yard.made.queue_urls[PREWARM_QUEUE]
            reply = yard.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            now = time.time()
            received.extend((now - json.loads(m["Body"])["sent"]) * 1000 for m in reply.get("Messages", ()))

    thread = threading.Thread(target=receive, name="bare-loop")
    thread.start()
    try:
        yield received
    finally:
        is_over.set()
        thread.join()
