"""What processes cost: CPU of one that ran to its end, memory of those that run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def run_for_cpu_ms(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> tuple[float, str]:
    """Milliseconds of CPU, in user and system mode, from the process's start to its end, and what it printed.

    Raises RuntimeError with its words when it fails.
    """
    with subprocess.Popen(
        command, cwd=cwd, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said, errors = process.stdout.read(), process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {said}{errors}")
    return (usage.ru_utime + usage.ru_stime) * 1000, said.strip()


def pss_mb(pid: int) -> float:
    """A process's proportional share of memory in MB: pages that it shares with others count in part (proc(5), smaps_rollup)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no Pss of process {pid}")


def find_children(pid: int) -> list[int]:
    """The processes that this one has started."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]
