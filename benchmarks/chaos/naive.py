"""The naive side of the chaos: the same callers, the same trouble, Celery's defaults."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.chaos.callers import GIVES_UP_AFTER, Board, Reply, place_calls
from benchmarks.chaos.judge import Withdrawal
from benchmarks.chaos.meddlers import make_lossy, timed, trouble
from benchmarks.chaos.plan import FAULTS, Plan
from benchmarks.chaos.product import POLICY, Happened, open_model, own_environment, text_author
from benchmarks.chaos.script import Authors, ask_about, make_cases
from benchmarks.chaos.workers import Crew
from local.emulator import start_emulator
from local.provision import CREDENTIALS, REGION, local_client

TABLE = "naive"
PATIENCE_SECONDS = min(POLICY.max_wait, GIVES_UP_AFTER)


def run_naive(plan: Plan) -> Happened:
    """Plays the plan on the naive design."""
    authors, sends = Authors(), dict[str, int]()
    cases = make_cases(plan.questions)
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, open_model(authors, plan) as bedrock:
        home = Path(name)
        with start_emulator(state_dir=None, log=home / "emulator.log") as emulator:
            url = _provision(emulator.url)
            environment = {
                **own_environment(), **CREDENTIALS, "AWS_ENDPOINT_URL": emulator.url, "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url, "NAIVE_TABLE": TABLE,
                "NAIVE_QUEUE_URL": url, "PYTHONUNBUFFERED": "1",
            }  # fmt: skip
            line = Line(local_client("dynamodb", emulator.url), _make_sender(emulator.url, url), authors, {})
            line = Line(line.dynamodb, make_lossy(line.send, sends, seed=plan.seed), authors, {})
            command = ["celery", "-A", "benchmarks.chaos.naive_worker", "worker", "-c", str(plan.slots)]
            command += ["--loglevel", "INFO", "-n", "naive-NUMBER@%h"]
            with Crew(command, environment, home, plan.workers) as crew:
                bedrock.set_faults(*FAULTS)
                began = time.monotonic()
                board = Board()
                with trouble(plan, crew, line, board) as withdrawals:
                    calls = place_calls(
                        cases, callers=plan.callers, lines=plan.lines, ask=line.ask, poll=line.poll, board=board
                    )
                seconds = time.monotonic() - began
                return Happened(calls, withdrawals, authors, bedrock.read_calls(), crew.done, sends, seconds)


def _provision(endpoint_url: str) -> str:
    local_client("dynamodb", endpoint_url).create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    url: str = local_client("sqs", endpoint_url).create_queue(QueueName="naive")["QueueUrl"]
    return url


def _make_sender(endpoint_url: str, url: str) -> Any:
    """Sends the task as Celery's own client would: with its own envelope, through kombu."""
    import os

    os.environ.update({"NAIVE_QUEUE_URL": url, "AWS_ENDPOINT_URL": endpoint_url, "AWS_REGION": REGION, **CREDENTIALS})
    os.environ["AWS_DEFAULT_REGION"] = REGION
    from benchmarks.chaos.naive_worker import answer

    def send(question: str) -> None:
        answer.delay(question)

    return send


@dataclass(frozen=True, slots=True)
class Line:
    """The two Lambdas of the naive design, and its supervisors, on one table."""

    dynamodb: Any
    send: Any
    authors: Authors
    asked_at: dict[str, float]

    def ask(self, question: str, contact: str) -> Reply:
        """A stored text at once; else a task for each caller, and a wait."""
        self.asked_at[contact] = time.monotonic()
        found = self._read(question)
        if found is None:
            self.send(question)
        return self._reply(question, contact, found)

    def poll(self, last: Reply, contact: str) -> Reply:
        """One look; who has looked for as long as the patience lasts is lost: nothing tells the flow why."""
        return self._reply(last["ticket"], contact, self._read(last["ticket"]))

    def _reply(self, question: str, contact: str, text: str | None) -> Reply:
        is_over = time.monotonic() - self.asked_at[contact] > PATIENCE_SECONDS
        status = "200" if text is not None else "timeout" if is_over else "202"
        said = {"play": "ssml" if text else "nothing", "ssml": f"<speak>{text or ''}</speak>"}
        return {"statusCode": status, "ticket": question, "reason": "", "cursor": "", **said}

    def _read(self, question: str) -> str | None:
        found = self.dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": question}}).get("Item")
        return str(found["text"]["S"]) if found else None

    def withdraw(self, case: str) -> Withdrawal | None:
        """Deletes the text."""

        def act() -> None:
            self.dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": ask_about(case)}})

        return timed(case, act)

    def edit(self, case: str) -> Withdrawal | None:
        """Writes another text over it."""

        def act() -> tuple[str, int]:
            text = self.authors.write("edit", case)
            self.dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": ask_about(case)}, "text": {"S": text}})
            return text_author(text)

        return timed(case, act)
