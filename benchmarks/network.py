"""A network between us and the emulator: `python -m benchmarks.network URL` prints the address of a proxy that adds a delay.

It is a process of its own, since in ours its work would compete with what is measured.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from local.fault_proxy import Fault, FaultProxy
from local.tether import tethered_command

DELAY_SECONDS = 0.002  # each way, as between two availability zones


@contextmanager
def open_network(upstream: str) -> Iterator[str]:
    """The URL of a proxy in front of `upstream` that delays all data in both directions."""
    command = tethered_command("benchmarks.network", upstream)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> None:
    """Serves until it is stopped."""
    with FaultProxy(sys.argv[1]) as proxy:
        proxy.fault = Fault(delay_seconds=DELAY_SECONDS)
        print(proxy.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
