"""Messages that no Producer would send, to a worker process."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

from hypothesis import strategies as st

from benchmarks.proofs.trying import ANY_JSON, TEXTS, Tally, change_json, try_many
from connectgenai.wire.request import DEAD_LETTER_QUEUE, GENERATE_TASK, LIVE_QUEUE
from tests.aws import Aws
from tests.jobs.poison import HEADERS, REQUEST, envelope
from tests.jobs.workers import Worker, ask, count_visible, running_worker, wait_until

# What SQS takes: the characters of XML 1.0 (SQS API reference, SendMessage)
_NOT_SENDABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CALL = json.loads(envelope(json.dumps([[], {"request": REQUEST}, {}]), headers={**HEADERS, "task": GENERATE_TASK}))


def make_bodies() -> st.SearchStrategy[str]:
    """Noise, any JSON, requests and Celery envelopes with one part replaced, and the same in base64."""
    plain = TEXTS | (ANY_JSON | change_json(REQUEST) | change_json(_CALL)).map(json.dumps)
    coded = plain.map(lambda body: base64.b64encode(body.encode("utf-8", "replace")).decode())
    return (plain | coded).map(lambda body: _NOT_SENDABLE.sub("?", body)[:60_000] or " ")


def fuzz_messages(aws: Aws, home: Path, *, examples: int) -> Tally:
    """Sends this many bodies to a worker of four slots; each must end in a task of ours or in the dead-letter queue."""
    bodies: list[str] = []
    try_many(make_bodies(), bodies.append, examples=examples)
    tally = Tally()
    with running_worker(aws, home, visibility_seconds=5, wait_seconds=1) as worker:
        for start in range(0, len(bodies), 5):
            entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[start : start + 5])]
            aws.sqs.send_message_batch(QueueUrl=aws.queue_urls[LIVE_QUEUE], Entries=entries)
        wait_until(
            lambda: not aws.count_messages(LIVE_QUEUE), seconds=60 + len(bodies) / 10, what="the queue is not empty"
        )
        _count(aws, worker, tally, sent=len(bodies))
        good = ask(aws, "and after all that")
        wait_until(lambda: worker.count(good, "end"), seconds=60, what="a good request is not answered any more")
    return tally


def _count(aws: Aws, worker: Worker, tally: Tally, *, sent: int) -> None:
    ran, dead = len(worker.runs()), count_visible(aws, DEAD_LETTER_QUEUE)
    foreign = {note["task"] for note in worker.runs()} - {GENERATE_TASK, HEADERS["task"]}
    tally.tried = sent
    tally.outcomes.update({"run": ran, "dead letter": dead, "worker deaths": int(not worker.is_running())})
    unaccounted = sent - ran - dead
    tally.outcomes["dropped (expired)"] = unaccounted
    if foreign or not worker.is_running():
        tally.count_broken(f"worker ran {foreign}" if foreign else worker.log()[-2_000:])
