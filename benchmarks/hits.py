"""A hit through the Producer's handler beside a bare read of the same item, and the AWS calls that each reply takes."""

from __future__ import annotations

import io
import logging
import os
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, Figures, Say, interleave, percentile, time_ms
from benchmarks.naive.reply import PROMPTS
from benchmarks.network import DELAY_SECONDS, open_network
from connectgenai.wire.config import aws_client
from connectgenai.wire.items import TopicItem, answer_pk
from connectgenai.wire.question import AskedQuestion, identify_question
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt, policies_to_json
from flows.caller import Dialled
from lambdas.desk import TRIES, make_desk
from local.emulator import start_emulator
from local.provision import Provisioned, local_client, provision

SAMPLES, SAMPLES_OVER_NETWORK, WARM_UP = 2_000, 1_000, 50
TOPIC, QUESTION = "bench", "When is the store open?"
ANSWER = "The store in Main Street is open from nine to six on weekdays, and from ten to four on Saturdays."
MS_PER_SECOND = 1000


def measure(say: Say) -> Figures:
    """`hit_p50` and `hit_p99`, both again over a network, and `aws_calls_*`."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        start_emulator(state_dir=None, log=Path(name) / "emulator.log") as emulator,
    ):
        made = provision(endpoint_url=emulator.url)
        store_answer(made)
        say(f"hits: {SAMPLES:,} hits and as many bare reads, in turns")
        figures = compare_hits(made.environment, count=SAMPLES, suffix="")
        with open_network(emulator.url) as url:
            say(f"hits: {SAMPLES_OVER_NETWORK:,} over a network of {DELAY_SECONDS * MS_PER_SECOND:g} ms each way")
            figures |= compare_hits(
                {**made.environment, "AWS_ENDPOINT_URL_DYNAMODB": url}, count=SAMPLES_OVER_NETWORK, suffix="_network"
            )
        say("hits: counting AWS calls")
        return figures | count_calls(made.environment)


def store_answer(made: Provisioned) -> str:
    """Publishes a topic and a supervisor's answer to the question; the answer's key."""
    store = AnswerStore(local_client("dynamodb", made.environment["AWS_ENDPOINT_URL"]), table=made.table)
    now = time.time_ns() // 1_000_000
    policy = WaitPolicy(comfort_audio="s3://bench/comfort.wav", prompts=tuple(WaitPrompt(text=t) for t in PROMPTS))
    topic = TopicItem(
        name=TOPIC,
        sharing="everyone",
        policies=policies_to_json({"en-US": policy}),
        model_id="local.bench-v1",
        asks_per_caller=1_000_000,
    )
    topic = store.publish_topic(topic, now_ms=now, is_stale=True)
    asked = identify(QUESTION)
    store.publish(asked, chunks=[ANSWER], seen_version=0, revision=topic.revision, ttl_seconds=86_400, now_ms=now)
    return asked.key


def identify(question: str) -> AskedQuestion:
    """The question as the Producer identifies it for a shared topic."""
    return identify_question(question, topic=TOPIC, language="en-US", sharing="everyone", caller="", contact_id="")


@contextmanager
def lambda_process(environment: Mapping[str, str]) -> Iterator[Any]:
    """This process as a Lambda's: its environment, its clients, its log lines written; a desk as both handlers have it."""
    before = dict(os.environ)
    log = logging.StreamHandler(io.StringIO())
    logger = logging.getLogger("connectgenai")
    try:
        os.environ.update(environment)
        logger.addHandler(log)
        aws_client.cache_clear()
        yield make_desk()
    finally:
        logger.removeHandler(log)
        aws_client.cache_clear()
        os.environ.clear()
        os.environ.update(before)


def compare_hits(environment: Mapping[str, str], *, count: int, suffix: str) -> Figures:
    """Median and 99th percentile of a hit, warm, beside a bare GetItem of the same answer through the same client."""
    with lambda_process(environment) as desk:
        client = dynamodb_client()
        read = partial(read_item, client, environment["CONNECTGENAI_TABLE"], answer_pk(identify(QUESTION).key))
        hit = partial(ask, desk, QUESTION, status="200")
        interleave(WARM_UP, ours=partial(time_ms, hit), peer=partial(time_ms, read))
        samples = interleave(count, ours=partial(time_ms, hit), peer=partial(time_ms, read))
    return {
        f"hit_p{share}{suffix}": Figure(
            percentile(samples["ours"], share / 100),
            percentile(samples["peer"], share / 100),
            "ms",
            count,
            bound="" if suffix else "ratio <= 2.2",
        )
        for share in (50, 99)
    }


def dynamodb_client() -> Any:
    """The very client that the desk's store uses."""
    return aws_client("dynamodb", **TRIES)


def read_item(client: Any, table: str, pk: str) -> None:
    """A bare, eventually consistent read."""
    assert "Item" in client.get_item(TableName=table, Key={"pk": {"S": pk}})


def ask(desk: Any, question: str, *, status: str) -> dict[str, str]:
    """What the Producer's handler does, for a caller who was never there before."""
    event = Dialled(topic=TOPIC, question=question, contact_id=str(uuid.uuid4()), caller="+15550100").event(
        topic=TOPIC, question=question
    )
    reply: dict[str, str] = desk.ask(event).to_map()
    assert reply["statusCode"] == status, reply
    return reply


def count_calls(environment: Mapping[str, str]) -> Figures:
    """AWS calls of a warm hit, a miss, and a poll that holds for its two seconds; beside them those of the naive design.

    The naive design has no hit: each ask is a put and a send, and each poll a get.
    """
    with lambda_process(environment) as desk:
        calls = Counter[str]()
        for client in (dynamodb_client(), aws_client("sqs", **TRIES)):
            client.meta.events.register("before-send", lambda request, **_: calls.update([name_call(request)]))
        ask(desk, QUESTION, status="200")
        ask(desk, QUESTION, status="200")
        hit = take(calls, lambda: ask(desk, QUESTION, status="200"))
        waiting: dict[str, str] = {}
        miss = take(calls, lambda: waiting.update(ask(desk, "And on Sundays?", status="202")))
        poll = take(calls, partial(hold, desk, waiting))
    return {
        "aws_calls_hit": Figure(hit.total(), 2, "calls", 1, note=f"{spell(hit)}; the naive design generates again"),
        "aws_calls_miss": Figure(miss.total(), 2, "calls", 1, note=spell(miss)),
        "aws_calls_poll": Figure(poll.total(), 1, "calls", 1, note=f"{spell(poll)}, in a hold of 2 s"),
    }


def name_call(request: Any) -> str:
    """The operation of an HTTP request to AWS's JSON services."""
    target = request.headers["X-Amz-Target"]
    return str((target.decode() if isinstance(target, bytes) else target).rpartition(".")[2])


def take(calls: Counter[str], work: Callable[[], object]) -> Counter[str]:
    """The calls that the work makes."""
    calls.clear()
    work()
    return calls.copy()


def hold(desk: Any, waiting: Mapping[str, str]) -> None:
    """A poll for an answer that does not come, in the middle of a wait: nothing is due but the hold's end."""
    parameters = {"ticket": waiting["ticket"], "cursor": waiting["cursor"], "budget": "2"}
    event = Dialled(topic=TOPIC, question="", contact_id="poll").event(**parameters)
    assert desk.poll(event).status == "202"


def spell(calls: Counter[str]) -> str:
    """The operations, the most frequent first."""
    ordered = sorted(calls.items(), key=lambda call: (-call[1], call[0]))
    return ", ".join(f"{count} {name}" for name, count in ordered)
