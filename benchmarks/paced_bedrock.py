"""A Bedrock-shaped endpoint that gives each question the same text in the same time: `python -m benchmarks.paced_bedrock SECONDS`.

A process of its own, and a model that costs nothing: what is measured is the worker.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from local.bedrock.pace import Pace
from local.bedrock.server import start_server
from local.tether import tethered_command

TEXT = (
    "The store in Main Street is open from nine to six on weekdays. On Saturdays it closes two hours earlier, at four."
    " It stays shut on Sundays and on public holidays. Parking behind the house is free for two hours, and the bus stops"
    " in front of the door. Returns are accepted at the desk beside the entrance, with or without a receipt."
)


@dataclass(frozen=True, slots=True)
class PacedBedrock:
    """The running endpoint."""

    url: str

    def set_seconds(self, seconds: float) -> None:
        """How long each reply takes from now on."""
        self._call("PUT", "/_control/pace", asdict(make_pace(seconds)))

    def read_calls(self) -> list[dict[str, Any]]:
        """The requests so far: `started_ms`, `seconds` and more."""
        calls: list[dict[str, Any]] = self._call("GET", "/_control/calls")["calls"]
        return calls

    def forget_calls(self) -> None:
        """Begins the list of requests anew."""
        self._call("DELETE", "/_control/calls")

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.loads(reply.read())


def make_pace(seconds: float) -> Pace:
    """A pace in which each reply takes so long; a few events carry it."""
    return Pace(total_seconds=seconds, tokens_per_event=10)


@contextmanager
def open_paced_bedrock(seconds: float) -> Iterator[PacedBedrock]:
    """The endpoint as a child process."""
    command = tethered_command("benchmarks.paced_bedrock", str(seconds))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield PacedBedrock(process.stdout.readline().strip())
        finally:
            process.terminate()


def main() -> None:
    """Serves until it is stopped."""
    with start_server(pace=make_pace(float(sys.argv[1])), model=lambda _: TEXT) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
