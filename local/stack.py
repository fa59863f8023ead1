"""The whole product on one machine: emulated AWS, Bedrock's stand-in, the Lambdas, the workers and the site."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from connectgenai.wire.request import HOUSEKEEPING_QUEUE, LIVE_QUEUE, PREWARM_QUEUE
from lambdas.build import build_zip
from local.emulator import start_emulator
from local.lambda_service import Function, LambdaService
from local.provision import provision
from local.tether import tethered_command

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
STOP_SECONDS = 40.0
PREFERRED_PORT = 8000
SUPERVISOR = "supervisor"
WORKER = ("-P", "threads", "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO")
# queue -> slots; what callers wait for has a process of its own
WORKERS = {LIVE_QUEUE: 50, PREWARM_QUEUE: 10, HOUSEKEEPING_QUEUE: 4}


class StackError(Exception):
    """A part did not start; the message says which, and where its log is."""


@dataclass
class Stack:
    """Everything that runs; `environment` is what a process needs to take part. Use it in a `with` statement."""

    home: Path
    say: Callable[[str], None]
    model: str = "extractive"
    environment: dict[str, str] = field(default_factory=dict)
    site_url: str = ""
    password: str = ""
    lambdas: LambdaService | None = None
    _parts: ExitStack = field(default_factory=ExitStack)
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Stack:
        try:
            self._start()
        except BaseException:
            self._parts.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._parts.close()

    def _start(self) -> None:
        kept = _read_or_make_secrets(self.home / "secrets.env")
        self.password = kept["SUPERVISOR_PASSWORD"]
        self.say("Starting the AWS emulator (DynamoDB, SQS, S3)")
        emulator = self._parts.enter_context(
            start_emulator(state_dir=self.home, log=self.home / "logs" / "emulator.log")
        )
        self._parts.callback(_stop_all, self._processes)  # the emulator ends after them
        made = provision(endpoint_url=emulator.url, caller_keys=kept["CONNECTGENAI_CALLER_KEYS"])
        self.environment = {**made.environment, **self._site_environment(kept["CONNECTGENAI_SECRET_KEY"])}
        self.say(f"Starting the Bedrock-shaped endpoint with the {self.model} model")
        self.environment["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = self._start_bedrock()
        self.say("Building the Lambdas and starting them under AWS's runtime client")
        self.environment["AWS_ENDPOINT_URL_LAMBDA"] = self._start_lambdas(made.environment)
        self.say("Preparing the database and the supervisors' login")
        self.manage("migrate", "--verbosity", "0")
        self.manage("collectstatic", "--noinput", "--verbosity", "0")
        self.manage("ensure_supervisor", SUPERVISOR, environment={"SUPERVISOR_PASSWORD": self.password})
        self.say("Publishing the demonstration's topics")
        self.manage("topics", "import", str(ROOT / "local" / "demo" / "topics.yaml"))
        self.say(f"Starting {len(WORKERS)} workers and the site")
        for queue, slots in WORKERS.items():
            self._start_worker(queue, slots)
        self._start_site()
        self._write_environment()

    def manage(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        """Runs a management command and returns what it prints; StackError with its words when it fails."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self._full(environment), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise StackError(f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _full(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """The environment of a part: nothing of the user's own AWS settings reaches it."""
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "CONNECTGENAI_", "DJANGO_"))
        }
        return {**own, "PYTHONUNBUFFERED": "1", **self.environment, **(more or {})}

    def _site_environment(self, secret_key: str) -> dict[str, str]:
        return {
            "CONNECTGENAI_SECRET_KEY": secret_key,
            "CONNECTGENAI_DEBUG": "1",
            "CONNECTGENAI_ALLOWED_HOSTS": "127.0.0.1,localhost",
            "DATABASE_URL": f"sqlite:///{self.home / 'db.sqlite3'}",
        }

    def _start_bedrock(self) -> str:
        port = _find_port(0)
        self._spawn("bedrock", "local.bedrock", "--port", str(port), "--model", self.model)
        url = f"http://127.0.0.1:{port}"
        self._wait_for(f"{url}/healthz", part="bedrock")
        return url

    def _start_lambdas(self, environment: dict[str, str]) -> str:
        code_zip = self.home / "lambdas.zip"
        build_zip(code_zip)
        functions = [
            Function(
                name=f"connectgenai-{name}",
                handler=f"lambdas.{name}.handler",
                timeout_seconds=timeout,
                environment=environment,
            )
            for name, timeout in (("producer", 8), ("consumer", 60))
        ]
        self.lambdas = LambdaService(functions=functions, code_zip=code_zip, log_dir=self.home / "logs")
        self._parts.enter_context(self.lambdas)
        for function in functions:  # as provisioned concurrency would: the first caller should not hear a cold start
            self.lambdas.invoke(function.name, b"{}")
        return self.lambdas.url

    def _start_worker(self, queue: str, slots: int) -> None:
        beat = ("-B", "-s", str(self.home / "beat-schedule")) if queue == HOUSEKEEPING_QUEUE else ()
        self._spawn(
            queue,
            "celery",
            "-A",
            "connectgenai",
            "worker",
            *WORKER,
            "-c",
            str(slots),
            "-Q",
            queue,
            "-n",
            f"{queue}@%h",
            *beat,
        )

    def _start_site(self) -> None:
        port = _find_port(PREFERRED_PORT)
        self.site_url = f"http://127.0.0.1:{port}"
        self._spawn(
            "site",
            "gunicorn",
            "connectgenai.wsgi",
            "--bind",
            f"127.0.0.1:{port}",
            "--workers",
            "1",
            "--threads",
            "8",
            "--no-control-socket",
        )
        self._wait_for(f"{self.site_url}/healthz", part="site")

    def _spawn(self, part: str, module: str, *arguments: str) -> None:
        log = self.home / "logs" / f"{part}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                tethered_command(module, *arguments),
                cwd=ROOT,
                env=self._full(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours alone: parts are stopped in order
            )
        self._processes.append(process)

    def _wait_for(self, url: str, *, part: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own http URL
                    return
            except OSError:
                time.sleep(0.1)
        raise StackError(
            f"The part {part!r} did not start in {START_SECONDS:.0f} s; see {self.home / 'logs' / part}.log"
        )

    def _write_environment(self) -> None:
        """Lets `manage.py` in another terminal take part, for as long as the stack runs."""
        file = self.home / "stack.env"
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}={value}\n" for name, value in self.environment.items()))
        self._parts.callback(file.unlink, missing_ok=True)


def _stop_all(processes: list[subprocess.Popen[bytes]]) -> None:
    """Asks all to end before it waits for any: each may have a task to finish."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()


def _find_port(preferred: int) -> int:
    """The preferred port, or any other when somebody has it."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise StackError("No free port on 127.0.0.1")


def _read_or_make_secrets(file: Path) -> dict[str, str]:
    """This machine's own secrets, made at the first start and kept for the next."""
    file.parent.mkdir(parents=True, exist_ok=True)
    (file.parent / "logs").mkdir(exist_ok=True)
    if not file.exists():
        made = {
            "CONNECTGENAI_SECRET_KEY": secrets.token_urlsafe(48),
            "CONNECTGENAI_CALLER_KEYS": f"k1:{secrets.token_urlsafe(24)}",
            "SUPERVISOR_PASSWORD": secrets.token_urlsafe(9),
        }
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}={value}\n" for name, value in made.items()))
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
