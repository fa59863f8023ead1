"""Our side of the chaos: the Lambdas' handlers, real workers, DynamoDB and SQS over HTTP."""

from __future__ import annotations

import importlib
import logging
import os
import re
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.chaos.callers import Board, Call, Reply, place_calls
from benchmarks.chaos.judge import Withdrawal
from benchmarks.chaos.meddlers import make_lossy, timed, trouble
from benchmarks.chaos.plan import FAULTS, Plan
from benchmarks.chaos.script import Authors, ask_about, make_cases
from benchmarks.chaos.workers import Crew, Injuries
from connectgenai.wire.config import aws_client
from connectgenai.wire.items import TopicItem
from connectgenai.wire.question import AskedQuestion, identify_question
from connectgenai.wire.request import LIVE_QUEUE
from connectgenai.wire.store import AnswerStore, ConflictError
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt, policies_to_json
from local.bedrock.pace import Pace
from local.bedrock.server import BedrockServer, start_server
from local.emulator import start_emulator
from local.provision import local_client, provision
from local.stack import WORKER

TOPIC = "chaos"
# A hold of 0: the emulator on two slow cores could not serve hundreds of looks a second; callers wait between polls instead
POLICY = WaitPolicy(
    hold=0.0, first_prompt_after=1.0, interval=5.0, max_wait=90.0, prompts=(WaitPrompt(text="One moment."),)
)


@dataclass(slots=True)
class Happened:
    """All that was seen of one chaos."""

    calls: list[Call]
    withdrawals: list[Withdrawal]
    authors: Authors
    model_calls: list[dict[str, Any]]
    injuries: Injuries
    sends: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)  # of the workers' runs, by their own logs


def run_product(plan: Plan) -> Happened:
    """Plays the plan on the product."""
    authors, sends = Authors(), dict[str, int]()
    cases = make_cases(plan.questions)
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, open_model(authors, plan) as bedrock:
        home = Path(name)
        with start_emulator(state_dir=None, log=home / "emulator.log") as emulator:
            made = provision(endpoint_url=emulator.url)
            store = AnswerStore(local_client("dynamodb", emulator.url), table=made.table)
            publish(store)
            environment = {**own_environment(), **made.environment, **_settings(bedrock, home, plan)}
            command = ["celery", "-A", "connectgenai", "worker", *WORKER, "-c", str(plan.slots)]
            command += ["-Q", LIVE_QUEUE, "-n", "chaos-NUMBER@%h"]
            supervisor = Desk(store, authors)
            crew = Crew(command, environment, home, plan.workers)
            with _handlers(made.environment, sends, seed=plan.seed) as (ask, poll), crew:
                bedrock.set_faults(*FAULTS)
                began = time.monotonic()
                board = Board()
                with trouble(plan, crew, supervisor, board) as withdrawals:
                    calls = place_calls(cases, callers=plan.callers, lines=plan.lines, ask=ask, poll=poll, board=board)
                seconds = time.monotonic() - began
                outcomes = count_outcomes(home)
                return Happened(calls, withdrawals, authors, bedrock.read_calls(), crew.done, sends, seconds, outcomes)


@contextmanager
def open_model(authors: Authors, plan: Plan) -> Iterator[BedrockServer]:
    """Bedrock's stand-in, whose answers say which question and which run they are of."""
    pace = Pace(first_token_seconds=0.3, seconds_per_1000_input_tokens=0, total_seconds=plan.answer_seconds)
    with start_server(pace=pace, model=authors.recite) as bedrock:
        yield bedrock


def own_environment() -> dict[str, str]:
    """This process's environment without whatever it says of AWS and of the product."""
    left_out = ("AWS_", "CONNECTGENAI_", "DJANGO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def _settings(bedrock: BedrockServer, home: Path, plan: Plan) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
        "CONNECTGENAI_MODEL_SILENCE_SECONDS": "5",
        "CONNECTGENAI_WORKER_SLOTS": str(plan.slots),
        "CONNECTGENAI_SECRET_KEY": secrets.token_hex(32),
        "CONNECTGENAI_DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{home / 'unused.sqlite3'}",
        "PYTHONUNBUFFERED": "1",
    }


def publish(store: AnswerStore) -> None:
    """The topic, shared by all callers."""
    topic = TopicItem(
        name=TOPIC, sharing="everyone", model_id="local.chaos-v1", instructions="Answer.",
        policies=policies_to_json({"en-US": POLICY}),
    )  # fmt: skip
    store.publish_topic(topic, now_ms=now_ms(), is_stale=True)


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def identify(case: str) -> AskedQuestion:
    """The question as the Producer identifies it."""
    return identify_question(
        ask_about(case), topic=TOPIC, language="en-US", sharing="everyone", caller="", contact_id=""
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """Supervisors, as the admin's services act for them."""

    store: AnswerStore
    authors: Authors

    def withdraw(self, case: str) -> Withdrawal | None:
        """KeyError when nobody has asked yet."""
        key = identify(case).key

        def act() -> None:
            self.store.invalidate(key, reason="chaos", now_ms=now_ms())

        return timed(case, act)

    def edit(self, case: str) -> Withdrawal | None:
        """None when the answer has changed meanwhile, or has never been asked for."""
        asked = identify(case)
        seen = self.store.read_answer(asked.key, consistent=True)
        if seen is None:
            return None

        def act() -> tuple[str, int]:
            text = self.authors.write("edit", case)
            chunks = [part + "." for part in text.rstrip(".").split(". ")]
            self.store.publish(
                asked, chunks=[" ".join(chunks[:3]), " ".join(chunks[3:])], seen_version=seen.version,
                revision=seen.revision, ttl_seconds=3_600, now_ms=now_ms(),
            )  # fmt: skip
            return text_author(text)

        try:
            return timed(case, act)
        except ConflictError:
            return None


def text_author(text: str) -> tuple[str, int]:
    """Who wrote a text of `Authors`."""
    _, _, rest = text.partition(", ")
    kind, number = rest.partition(",")[0].split()
    return kind, int(number)


@contextmanager
def _handlers(environment: dict[str, str], sends: dict[str, int], *, seed: int) -> Iterator[tuple[Any, Any]]:
    """The two Lambdas' own handlers in this process, whose sends now and then get lost or doubled."""
    before = dict(os.environ)
    os.environ.update(environment)
    aws_client.cache_clear()
    try:
        producer, consumer = (
            importlib.reload(importlib.import_module(f"lambdas.{n}")) for n in ("producer", "consumer")
        )
        logging.disable(logging.WARNING)  # the handlers tell of each of thousands of polls
        for number, module in enumerate((producer, consumer)):
            module.desk.send = make_lossy(module.desk.send, sends, seed=seed + number)

        def ask(question: str, contact: str) -> Reply:
            reply: Reply = producer.handler(_event(contact, topic=TOPIC, question=question), Context())
            return reply

        def poll(last: Reply, contact: str) -> Reply:
            event = _event(contact, ticket=last["ticket"], cursor=last["cursor"])
            reply: Reply = consumer.handler(event, Context())
            return reply

        yield ask, poll
    finally:
        aws_client.cache_clear()
        logging.disable(logging.NOTSET)
        os.environ.clear()
        os.environ.update(before)


class Context:
    """What a Lambda is told of its invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """As at the start of one of 8 s."""
        return 8_000


def _event(contact: str, **parameters: str) -> dict[str, Any]:
    return {
        "Details": {
            "ContactData": {"ContactId": contact, "Channel": "VOICE", "LanguageCode": "en-US"},
            "Parameters": parameters,
        }
    }


def count_outcomes(home: Path) -> Counter[str]:
    """What came of the workers' runs, as their logs tell; a killed worker's unfinished ones are in no log."""
    logs = (log.read_text(errors="replace") for log in home.glob("worker-*.log"))
    return Counter(word for log in logs for word in re.findall(r'"outcome": ?"(\w+)"', log))


def requests(model_calls: Sequence[dict[str, Any]], *, with_faulty: bool = False) -> list[tuple[str, float]]:
    """The case and the start of each request that the model served without a fault, or of each request at all."""
    return [
        (call["question"].rpartition("case ")[2].rstrip("?"), call["started_ms"] / 1000)
        for call in model_calls
        if call["operation"] == "converse-stream" and (with_faulty or not call["fault"])
    ]
