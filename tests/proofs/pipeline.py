"""The product as it runs in production, in processes of its own: two Lambdas, two workers, the site; and all that they log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectgenai.wire.request import HOUSEKEEPING_QUEUE, LIVE_QUEUE, PREWARM_QUEUE
from flows.lambda_phone import LambdaPhone
from lambdas.build import build_zip
from local.bedrock.generation import TextModel
from local.bedrock.pace import INSTANT
from local.bedrock.server import BedrockServer, start_server
from local.lambda_service import Function, LambdaService
from local.provision import local_client
from tests.aws import Aws
from tests.jobs.workers import PLAIN, wait_until

ROOT = Path(__file__).resolve().parents[2]
LAMBDAS = ("producer", "consumer")
WORKERS = {"worker": f"{LIVE_QUEUE},{PREWARM_QUEUE}", "housekeeping": HOUSEKEEPING_QUEUE}
START_SECONDS = 120.0


@dataclass
class Pipeline:
    """What runs, and where each part logs: `logs`/NAME.log."""

    aws: Aws
    bedrock: BedrockServer
    phone: LambdaPhone
    environment: dict[str, str]
    logs: Path
    site_url: str = ""

    def manage(self, *arguments: str, **more: str) -> str:
        """Runs a management command; what it prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env={**self.environment, **more}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def invoke(self, name: str, contact: dict[str, Any], **parameters: str) -> dict[str, str]:
        """What a flow gets of a Lambda."""
        event = {"Details": {"ContactData": contact, "Parameters": parameters}}
        return self.phone.invoke(f"connectgenai-{name}", event)

    def read_logs(self) -> dict[str, str]:
        """All that each part has logged, by its name."""
        return {path.stem.removeprefix("connectgenai-"): path.read_text() for path in sorted(self.logs.glob("*.log"))}

    def read_lines(self, part: str, event: str = "", **wanted: object) -> list[dict[str, Any]]:
        """The part's lines about an event that has these fields; lines of AWS's own runtime are no JSON."""
        lines = [json.loads(line) for line in self.read_logs().get(part, "").splitlines() if line.startswith("{")]
        named = [line for line in lines if event in ("", line["event"])]
        return [line for line in named if wanted.items() <= line.items()]

    def wait_for(self, part: str, event: str, **wanted: object) -> dict[str, Any]:
        """The first such line, as soon as it is logged."""
        wait_until(lambda: self.read_lines(part, event, **wanted), seconds=90, what=(part, event, wanted))
        return self.read_lines(part, event, **wanted)[0]

    def read_metrics(self) -> dict[str, str]:
        """What each worker offers to Prometheus."""
        found = {}
        for part in WORKERS:
            port = self.wait_for(part, "metrics_served")["port"]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as reply:
                found[part] = reply.read().decode()
        return found


@contextmanager
def running_pipeline(aws: Aws, home: Path, *, model: TextModel) -> Iterator[Pipeline]:
    """Everything started, on a database of its own; gone at the end."""
    logs = home / "logs"
    with ExitStack() as parts:
        bedrock = parts.enter_context(start_server(pace=INSTANT, model=model))
        build_zip(home / "lambdas.zip")
        functions = [
            Function(
                name=f"connectgenai-{name}",
                handler=f"lambdas.{name}.handler",
                timeout_seconds=60,
                environment=aws.environment,
            )
            for name in LAMBDAS
        ]
        service = parts.enter_context(LambdaService(functions=functions, code_zip=home / "lambdas.zip", log_dir=logs))
        phone = LambdaPhone(local_client("lambda", service.url))
        pipeline = Pipeline(aws, bedrock, phone, make_environment(aws, bedrock, home), logs)
        pipeline.manage("migrate", "--verbosity", "0")
        for name, queues in WORKERS.items():
            clock = ("-B", "-s", str(home / "beat")) if queues == HOUSEKEEPING_QUEUE else ()
            command = ("celery", "-A", "connectgenai", "worker", *PLAIN, "--loglevel", "DEBUG", "-P", "threads")
            start(pipeline, parts, name, *command, "-c", "4", "-n", f"{name}@%h", "-Q", queues, *clock)
        start(pipeline, parts, "site", "gunicorn", "connectgenai.wsgi", "--bind", "127.0.0.1:0", "--no-control-socket")
        for name in WORKERS:
            pipeline.wait_for(name, "metrics_served")
        wait_until(lambda: "Booting worker" in pipeline.read_logs()["site"], seconds=START_SECONDS)
        (listening,) = [line for line in pipeline.read_lines("site") if "Listening" in line.get("message", "")]
        pipeline.site_url = listening["message"].split()[2]
        yield pipeline


def make_environment(aws: Aws, bedrock: BedrockServer, home: Path) -> dict[str, str]:
    """What production sets, but for endpoints, and style sheets that nobody has collected."""
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONNECTGENAI_", "DJANGO_"))
    }
    return {
        **own,
        **aws.environment,
        "PYTHONUNBUFFERED": "1",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "CONNECTGENAI_SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
        "CONNECTGENAI_DEBUG": "0",
        "CONNECTGENAI_ALLOWED_HOSTS": "127.0.0.1",
        "CONNECTGENAI_METRICS_ADDRESS": "0",
        "DATABASE_URL": f"sqlite:///{home / 'db.sqlite3'}",
    }


def start(pipeline: Pipeline, parts: ExitStack, name: str, module: str, *arguments: str) -> None:
    """Starts a part, whose stdout and stderr are its log, and sees to its end."""
    with (pipeline.logs / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=pipeline.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    parts.callback(stop, process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, that gunicorn may end its own processes; SIGKILL when that does not help."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
