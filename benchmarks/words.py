"""The first words of a summary that the model writes for 20 s, through real workers, for callers of both designs at once."""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, Figures, Say, percentile
from benchmarks.naive.worker import NaiveWorker, Prompt
from benchmarks.sides import Side, many_connections, open_naive
from connectgenai.wire.prompt import build_prompt
from connectgenai.wire.request import LIVE_QUEUE
from connectgenai.wire.store import AnswerStore
from flows.caller import CONSUMER, PRODUCER, Dialled, place_call
from flows.lambda_phone import LambdaPhone
from jobs.documents import DocumentLibrary
from local.stack import Stack

TOPIC = "ferry-handbook"
QUESTIONS = (
    "Please summarise the handbook for me.",
    "Can you give me an overview of the rules for freight?",
    "Summarise the rules for vehicles.",
    "What are the most important points about tickets?",
    "Summarise everything about bad weather and cancellations.",
    "I would like a summary of prices and refunds.",
)
# So long a caller listens at least: the model still writes meanwhile, and a gap between two parts would be silence too.
LISTEN_SECONDS = 30.0
BETWEEN_CALLERS_SECONDS = 0.7


@dataclass(frozen=True, slots=True)
class Heard:
    """What one caller noticed, in seconds."""

    first_words: float
    longest_silence: float


def measure(say: Say) -> Figures:
    """`first_words` and `longest_silence`."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        home = Path(name)
        say("words: starting the whole product")
        product = stack.enter_context(Stack(home=home, say=lambda _: None))
        naive = stack.enter_context(open_naive(product.environment["AWS_ENDPOINT_URL"], home=home))
        stack.enter_context(open_naive_worker(product, naive))
        phone = LambdaPhone(
            many_connections("lambda", product.environment["AWS_ENDPOINT_URL_LAMBDA"]),
            s3=many_connections("s3", product.environment["AWS_ENDPOINT_URL"]),
        )
        warm_up(phone, naive, callers=len(QUESTIONS))
        say(f"words: {len(QUESTIONS)} callers a side ask for a summary")
        heard = place_calls({"ours": phone, "naive": naive.phone})
    return describe(heard)


def open_naive_worker(product: Stack, naive: Side) -> NaiveWorker:
    """The naive worker on the product's own topic, model and documents: both sides ask the model the very same."""
    endpoint = product.environment["AWS_ENDPOINT_URL"]
    return NaiveWorker(
        sqs=many_connections("sqs", endpoint),
        dynamodb=many_connections("dynamodb", endpoint),
        bedrock=many_connections("bedrock-runtime", product.environment["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]),
        queue_url=naive.made.queue_urls[LIVE_QUEUE],
        table=naive.made.table,
        prompt=make_prompt(product),
    )


def make_prompt(product: Stack) -> Prompt:
    """Converse's arguments as our worker makes them."""
    endpoint = product.environment["AWS_ENDPOINT_URL"]
    store = AnswerStore(many_connections("dynamodb", endpoint), table=product.environment["CONNECTGENAI_TABLE"])
    library = DocumentLibrary(many_connections("s3", endpoint), bucket=product.environment["CONNECTGENAI_BUCKET"])

    def prompt(name: str, question: str) -> dict[str, Any]:
        topic = store.read_topic(name)
        assert topic is not None
        return build_prompt(topic, library.load(topic.documents), question=question, language="en-US")

    return prompt


def warm_up(ours: LambdaPhone, naive: Side, *, callers: int) -> None:
    """A sandbox for each caller, on both sides."""
    ticket = f"{TOPIC}.{'0' * 32}:1"
    with ThreadPoolExecutor(callers) as pool:
        event = Dialled(TOPIC, "", "warm").event(ticket=ticket, cursor="")
        list(pool.map(lambda _: ours.invoke(CONSUMER, event), range(callers)))
        event = Dialled(TOPIC, "", "warm").event(topic="unknown", question="Warm?")
        list(pool.map(lambda _: ours.invoke(PRODUCER, event), range(callers // 2)))
    naive.warm_up(CONSUMER, {"ticket": ticket, "cursor": ""}, count=callers)


def place_calls(phones: dict[str, LambdaPhone]) -> dict[str, list[Heard]]:
    """All callers of both sides in real time, a little apart from each other."""
    with ThreadPoolExecutor(2 * len(QUESTIONS)) as pool:
        placed = {
            name: [
                pool.submit(listen_after, number * BETWEEN_CALLERS_SECONDS, partial(call, phone, question))
                for number, question in enumerate(QUESTIONS)
            ]
            for name, phone in phones.items()
        }
        return {name: [future.result() for future in futures] for name, futures in placed.items()}


def call(phone: LambdaPhone, question: str) -> Iterator[dict[str, Any]]:
    """One call's events, as they happen."""
    dialled = Dialled(topic=TOPIC, question=question, contact_id=str(uuid.uuid4()))
    return place_call(dialled, invoke=phone.invoke, audio_seconds=phone.audio_seconds)


def listen_after(seconds: float, place: Callable[[], Iterator[dict[str, Any]]]) -> Heard:
    """What the caller heard who calls after so many seconds."""
    time.sleep(seconds)
    return listen(place())


def listen(events: Iterator[dict[str, Any]]) -> Heard:
    """Follows a call until its first words, and for LISTEN_SECONDS at least; RuntimeError when no answer came."""
    first_words: float | None = None
    quiet_since = longest = 0.0
    for event in events:
        if event["event"] != "play":
            continue
        longest = max(longest, event["at"] - quiet_since)
        quiet_since = event["at"] + event["seconds"]
        if event["kind"] == "answer" and first_words is None:
            first_words = event["at"]
        if first_words is not None and quiet_since > LISTEN_SECONDS:
            break
    if first_words is None:
        raise RuntimeError("the call ended without an answer")
    return Heard(first_words, longest)


def describe(heard: dict[str, list[Heard]]) -> Figures:
    """The median of the first words; of the silences the worst of all calls."""
    count = len(heard["ours"])
    first = {name: percentile([h.first_words for h in found], 0.5) for name, found in heard.items()}
    silence = {name: max(h.longest_silence for h in found) for name, found in heard.items()}
    return {
        "first_words": Figure(first["ours"], first["naive"], "s", count, note="median", bound="ratio <= 0.25"),
        "longest_silence": Figure(
            silence["ours"], silence["naive"], "s", count, note="the worst of all calls", bound="ours <= 2.5"
        ),
    }
