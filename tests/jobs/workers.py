"""Real worker processes, and what they did."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectgenai.wire.request import DEAD_LETTER_QUEUE, GENERATE_TASK, LIVE_QUEUE, MIRROR_TASK
from tests.aws import Aws

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60.0
STOP_SECONDS = 60.0
PLAIN = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO")


@dataclass
class Worker:
    """One `celery worker` process; its log, its notes of what ran, and its health file lie in `home`."""

    process: subprocess.Popen[bytes]
    home: Path

    @property
    def health_file(self) -> Path:
        """What the worker says of itself."""
        return self.home / "health-under-test.json"

    def log(self) -> str:
        """All that it has logged."""
        return (self.home / "worker.log").read_text(errors="replace")

    def runs(self, event: str = "start") -> list[dict[str, Any]]:
        """The tasks that began (or ended), in order."""
        path = self.home / "runs.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [note for note in map(json.loads, lines) if note["event"] == event]

    def count(self, message_id: str, event: str = "start") -> int:
        """How often this message's task began (or ended)."""
        return sum(note["id"] == message_id for note in self.runs(event))

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM, and its exit status."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)


def wait_until(is_so: Callable[[], object], *, seconds: float = 30.0, what: object = "") -> None:
    """Returns as soon as it is so; fails after the time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so after {seconds} s: {what}"
        time.sleep(0.05)


@contextmanager
def running_worker(
    aws: Aws,
    home: Path,
    *,
    queues: tuple[str, ...] = (LIVE_QUEUE,),
    slots: int = 4,
    pool: str = "threads",
    endpoint_url: str = "",
    visibility_seconds: int = 30,
    wait_seconds: int = 2,
    hold_seconds: float = 900,
    loses_connection_after: float = 0,
    **more: Any,
) -> Iterator[Worker]:
    """A worker on these queues that is ready; `more` are further Celery settings. It is gone at the end, whatever happens."""
    home.mkdir(parents=True, exist_ok=True)
    dead_letter_url = aws.queue_urls[DEAD_LETTER_QUEUE]
    settings = {
        "queue_urls": {name: url for name, url in aws.queue_urls.items() if name != DEAD_LETTER_QUEUE},
        "dead_letter_url": dead_letter_url,
        "allowed_tasks": [GENERATE_TASK, MIRROR_TASK, "jobs.absent"],
        "silent_queues": [LIVE_QUEUE],
        "health_file": str(home / "health-%n.json"),
        "visibility_seconds": visibility_seconds,
        "hold_seconds": hold_seconds,
        "wait_seconds": wait_seconds,
    }
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DJANGO_"))}
    given: dict[str, Any] = {"celery": settings, "more": more, "runs": str(home / "runs.jsonl")}
    given["loses_connection_after"] = loses_connection_after
    environment = {
        **own,
        **aws.environment,
        "AWS_ENDPOINT_URL": endpoint_url or aws.endpoint_url,
        "WORKER_APP": json.dumps(given),
    }
    command = [sys.executable, "-m", "celery", "-A", "tests.jobs.worker_app", "worker", *PLAIN]
    command += ["-n", "under-test@%h", "-P", pool, "-c", str(slots), "-Q", ",".join(queues)]
    with (home / "worker.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    worker = Worker(process, home)
    try:
        wait_until(lambda: " ready." in worker.log() or not worker.is_running(), seconds=START_SECONDS)
        assert worker.is_running(), worker.log()
        yield worker
    finally:
        process.kill()
        process.wait()


def ask(aws: Aws, question: str, *, queue: str = LIVE_QUEUE) -> str:
    """Sends a plain request, as anything in AWS would; the message's id."""
    return send(aws, json.dumps({"v": 1, "topic": "faq", "question": question}), queue=queue)


def send(aws: Aws, body: str, *, queue: str = LIVE_QUEUE) -> str:
    """Sends this body; the message's id."""
    message_id: str = aws.sqs.send_message(QueueUrl=aws.queue_urls[queue], MessageBody=body)["MessageId"]
    return message_id


def count_visible(aws: Aws, queue: str = LIVE_QUEUE) -> int:
    """How many messages a worker could receive now."""
    name = "ApproximateNumberOfMessages"
    reply = aws.sqs.get_queue_attributes(QueueUrl=aws.queue_urls[queue], AttributeNames=[name])
    return int(reply["Attributes"][name])


def take_dead_letters(aws: Aws) -> list[dict[str, Any]]:
    """Receives all that lies on the dead-letter queue, with its attributes."""
    url, found = aws.queue_urls[DEAD_LETTER_QUEUE], []
    while messages := aws.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=600
    ).get("Messages"):
        found += messages
    return found
