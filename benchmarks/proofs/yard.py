"""The product with a proxy on every way between its parts, each of which can be made to fail."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.proofs.calls import CONSUMER, PRODUCER
from connectgenai.wire.items import TopicItem
from connectgenai.wire.request import HOUSEKEEPING_QUEUE, LIVE_QUEUE
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt, policies_to_json
from flows.lambda_phone import LambdaPhone
from lambdas.build import build_zip
from local.bedrock.pace import Pace
from local.bedrock.prompt import Prompt
from local.bedrock.server import BedrockServer, start_server
from local.fault_proxy import FaultProxy
from local.lambda_service import Function, LambdaService
from local.provision import Provisioned, local_client, provision
from local.stack import ROOT, WORKER
from tests.postgres import running_postgres

READY_SECONDS = 120.0
SENTENCES = [f"The ferry number {n} leaves the old harbour at {n + 6} o'clock." for n in range(4)]
ANSWER = " ".join(SENTENCES)
PACE = Pace(first_token_seconds=0.3, seconds_per_1000_input_tokens=0, total_seconds=1.0)
# The ways that can fail: (who, to what)
HOPS = (
    "DynamoDB (Lambdas)", "DynamoDB (worker)", "SQS (Lambdas)", "SQS (worker)", "Bedrock", "PostgreSQL",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Yard:
    """All that runs; `proxies` by the name of the hop, and the PostgreSQL server's own URL past its proxy."""

    made: Provisioned
    bedrock: BedrockServer
    proxies: dict[str, FaultProxy]
    phone: LambdaPhone
    store: AnswerStore
    database_url: str

    def publish(self, topic: str, *, patience_seconds: float) -> None:
        """A topic with a model of its own, so that one proof's open breaker is not the next one's."""
        policy = WaitPolicy(
            first_prompt_after=1.5, interval=5.0, max_wait=patience_seconds, prompts=(WaitPrompt(text="One moment."),)
        )
        item = TopicItem(
            name=topic, sharing="everyone", model_id=f"local.{topic}", instructions="Answer.",
            policies=policies_to_json({"en-US": policy}),
        )  # fmt: skip
        self.store.publish_topic(item, now_ms=time.time_ns() // 1_000_000, is_stale=True)


def recite(_: Prompt) -> str:
    """A model that costs nothing."""
    return ANSWER


@contextmanager
def open_yard(endpoint_url: str, home: Path, *, hops: tuple[str, ...] = HOPS) -> Iterator[Yard]:
    """Starts everything behind its proxies; without the hop PostgreSQL the database is a file and nothing mirrors."""
    name = f"y{secrets.token_hex(4)}"
    made = provision(endpoint_url=endpoint_url, table=name, bucket=name, queue_prefix=f"{name}-")
    with ExitStack() as stack:
        bedrock = stack.enter_context(start_server(pace=PACE, model=recite))
        port = _find_port()
        database_url = f"sqlite:///{home / 'db.sqlite3'}"
        if "PostgreSQL" in hops:
            database_url = stack.enter_context(running_postgres(port=port))
        upstreams = {"Bedrock": bedrock.url, "PostgreSQL": f"http://127.0.0.1:{port}"}
        proxies = {hop: stack.enter_context(FaultProxy(upstreams.get(hop, endpoint_url))) for hop in HOPS}
        proxied = database_url.replace(str(port), str(proxies["PostgreSQL"].port))
        environment = {**_own_environment(), **made.environment, **_settings(proxies, proxied)}
        _migrate({**environment, "DATABASE_URL": database_url})
        lambdas = stack.enter_context(_lambdas(made, proxies, home))
        queues = (LIVE_QUEUE, HOUSEKEEPING_QUEUE) if "PostgreSQL" in hops else (LIVE_QUEUE,)
        for queue in queues:
            stack.enter_context(_worker(queue, environment, home))
        phone = LambdaPhone(local_client("lambda", lambdas.url))
        store = AnswerStore(local_client("dynamodb", endpoint_url), table=made.table)
        yield Yard(made, bedrock, proxies, phone, store, database_url)


def _own_environment() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONNECTGENAI_", "DJANGO_"))
    }


def _settings(proxies: dict[str, FaultProxy], database_url: str) -> dict[str, str]:
    """What the workers are told: their ways to everything lead through proxies."""
    return {
        "AWS_ENDPOINT_URL_DYNAMODB": proxies["DynamoDB (worker)"].url,
        "AWS_ENDPOINT_URL_SQS": proxies["SQS (worker)"].url,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": proxies["Bedrock"].url,
        "CONNECTGENAI_MODEL_SILENCE_SECONDS": "3",
        "CONNECTGENAI_SECRET_KEY": secrets.token_hex(32),
        "CONNECTGENAI_DEBUG": "1",
        "DATABASE_URL": database_url,
        "PYTHONUNBUFFERED": "1",
    }


def _migrate(environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)


@contextmanager
def _lambdas(made: Provisioned, proxies: dict[str, FaultProxy], home: Path) -> Iterator[LambdaService]:
    """The real zip under AWS's runtime client, warm."""
    ways = {
        "AWS_ENDPOINT_URL_DYNAMODB": proxies["DynamoDB (Lambdas)"].url,
        "AWS_ENDPOINT_URL_SQS": proxies["SQS (Lambdas)"].url,
    }
    code_zip = home / "lambdas.zip"
    build_zip(code_zip)
    functions = [
        Function(name=name, handler=f"lambdas.{name.removeprefix('connectgenai-')}.handler", timeout_seconds=8,
                 environment={**made.environment, **ways})
        for name in (PRODUCER, CONSUMER)
    ]  # fmt: skip
    with LambdaService(functions=functions, code_zip=code_zip, log_dir=home) as service:
        for function in functions:
            service.invoke(function.name, b"{}")
        yield service


@contextmanager
def _worker(queue: str, environment: dict[str, str], home: Path) -> Iterator[None]:
    """The product's worker on one queue, ready; the one for housekeeping is its own clock."""
    command = [sys.executable, "-m", "celery", "-A", "connectgenai", "worker", *WORKER, "-c", "8"]
    command += ["-Q", queue, "-n", f"{queue}@%h"]
    command += ["-B", "-s", str(home / "beat")] if queue == HOUSEKEEPING_QUEUE else []
    path = home / f"{queue}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_ready(process, path)
        yield
    finally:
        process.kill()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while " ready." not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the worker did not start: {log.read_text()[-2_000:]}")
        time.sleep(0.1)


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
