"""Worker processes, and what is done to them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from local.tether import tethered_command

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 18.0  # longer than a lease, so that a stopped worker wakes up to find its answers taken over
READY_SECONDS = 90.0


@dataclass(slots=True)
class Injuries:
    """How often what was done."""

    kills: int = 0
    stops: int = 0


@dataclass(slots=True)
class Crew:
    """Some processes of one module and its arguments; whoever is killed is replaced at once. Use it in a `with` statement."""

    command: Sequence[str]
    environment: Mapping[str, str]
    home: Path
    size: int
    done: Injuries = field(default_factory=Injuries)
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _frozen: int = -1  # the place of the worker that is stopped at this moment
    _number: int = 0

    def __enter__(self) -> Crew:
        self._running = [self._start() for _ in range(self.size)]
        self._wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            _end(process)

    def _start(self) -> subprocess.Popen[bytes]:
        self._number += 1
        command = [part.replace("NUMBER", str(self._number)) for part in self.command]
        with (self.home / f"worker-{self._number}.log").open("wb") as log:
            return subprocess.Popen(
                tethered_command(command[0], *command[1:]),
                cwd=ROOT,
                env=dict(self.environment),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        logs = [self.home / f"worker-{number}.log" for number in range(1, self.size + 1)]
        while not all(b" ready" in log.read_bytes() for log in logs):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the workers did not start: {logs[0].read_text(errors='replace')[-2_000:]}")
            time.sleep(0.2)

    def kill_one(self) -> None:
        """SIGKILL to a random worker with all its children, and a new one in its place; a frozen one must live to wake up."""
        place = random.choice([number for number in range(self.size) if number != self._frozen])
        _end(self._running[place])
        self._running[place] = self._start()
        self.done.kills += 1

    def stop_one(self, over: threading.Event) -> None:
        """SIGSTOP to a random worker for longer than its leases last, then SIGCONT; it counts if callers are still there then."""
        self._frozen = random.randrange(self.size)
        process = self._running[self._frozen]
        _signal(process, signal.SIGSTOP)
        is_over = over.wait(STOP_SECONDS)
        if process.poll() is None:
            _signal(process, signal.SIGCONT)
            self.done.stops += not is_over
        self._frozen = -1


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal(process, signal.SIGKILL)
    process.wait()
    if process.stdin:
        process.stdin.close()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has been killed meanwhile
        os.killpg(process.pid, number)
