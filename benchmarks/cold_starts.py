"""CPU from a process's start to its first reply, for each handler, beside `import boto3` and the same clients."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.hits import QUESTION, TOPIC, identify, store_answer
from benchmarks.measure import Figure, Figures, Say, interleave, percentile
from benchmarks.processes import run_for_cpu_ms
from flows.caller import Dialled
from lambdas.build import build_zip
from local.emulator import start_emulator
from local.provision import provision
from local.runtime_dir import build_runtime_dir

RUNS = 21
# As Lambda's runtime does it: the module is imported, then the handler gets an event. The event comes as an argument.
OURS = """
import json, sys, time
sys.path.insert(0, {code!r})
from lambdas.{name} import handler
class Context:
    def get_remaining_time_in_millis(self): return 8000
print(handler(json.loads(sys.argv[1]), Context())["statusCode"])
"""
PEER = """
import boto3
for service in {services!r}: boto3.client(service)
print("made")
"""
SERVICES = {"producer": ("dynamodb", "sqs"), "consumer": ("dynamodb",)}


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the children run."""

    code: Path
    environment: dict[str, str]
    ticket: str

    def start_ours(self, name: str) -> float:
        """CPU ms of a handler's process: a miss for the Producer (which needs SQS too), a ready answer for the Consumer."""
        parameters = {
            "producer": {"topic": TOPIC, "question": f"What about case {uuid.uuid4().hex}?"},
            "consumer": {"ticket": self.ticket, "cursor": ""},
        }[name]
        event = json.dumps(Dialled(topic=TOPIC, question="", contact_id=str(uuid.uuid4())).event(**parameters))
        expected = {"producer": "202", "consumer": "200"}[name]
        return self._run(OURS.format(code=str(self.code), name=name), event, expected=expected)

    def start_peer(self, name: str) -> float:
        """CPU ms of a process that imports boto3 and makes the clients that this handler needs."""
        return self._run(PEER.format(services=SERVICES[name]), expected="made")

    def _run(self, program: str, *arguments: str, expected: str) -> float:
        # -S and -B: nothing but the runtime's packages, and no byte code written, as in Lambda
        command = [sys.executable, "-S", "-B", "-c", program, *arguments]
        cpu_ms, said = run_for_cpu_ms(command, cwd=self.code, environment=self.environment)
        assert said.splitlines()[-1] == expected, said  # after the lines that a Lambda logs
        return cpu_ms


def measure(say: Say) -> Figures:
    """`cold_start_producer`, `cold_start_consumer`, and `cold_start`: the one that compares worse."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        start_emulator(state_dir=None, log=Path(name) / "emulator.log") as emulator,
    ):
        say(f"cold_starts: {RUNS} starts of each handler and its peer, in turns")
        figures = compare_starts(open_bench(Path(name), endpoint_url=emulator.url), runs=RUNS)
    worse = max(figures.values(), key=lambda figure: figure.ratio or 0.0)
    return {**figures, "cold_start": worse}


def open_bench(home: Path, *, endpoint_url: str) -> Bench:
    """The zip unpacked, the runtime's packages, an answer to poll for."""
    made = provision(endpoint_url=endpoint_url)
    store_answer(made)
    build_zip(home / "lambdas.zip")
    with zipfile.ZipFile(home / "lambdas.zip") as archive:
        archive.extractall(home / "task")
    runtime = build_runtime_dir(home / "runtime")
    environment = {**made.environment, "PYTHONPATH": str(runtime), "PATH": os.defpath, "LANG": "C.UTF-8"}
    return Bench(home / "task", environment, f"{identify(QUESTION).key}:1")


def compare_starts(bench: Bench, *, runs: int) -> Figures:
    """Medians for both handlers; one start of each before, so that files are in the machine's cache."""
    sides = {
        f"{side}_{name}": (lambda side=side, name=name: getattr(bench, f"start_{side}")(name))
        for name in SERVICES
        for side in ("ours", "peer")
    }
    interleave(1, **sides)
    samples = interleave(runs, **sides)
    return {
        f"cold_start_{name}": Figure(
            percentile(samples[f"ours_{name}"], 0.5),
            percentile(samples[f"peer_{name}"], 0.5),
            "CPU ms",
            runs,
            bound="ratio <= 1.15",
        )
        for name in SERVICES
    }
