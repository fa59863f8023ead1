"""The probe's verdicts, and that it is cheap enough to be asked every few seconds."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.health import Health, find_fault, read_health, write_health

NOW = 1_800_000_000.0
WELL = Health(at=NOW - 1, polled_at={"cgai-live": NOW - 20}, busy=3, slots=50)


def probe(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jobs.health", str(path), "--max-age", "45"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("health", "fault"),
    [
        (WELL, ""),
        (Health(at=NOW - 46, polled_at={"cgai-live": NOW - 1}, slots=50), "has not reported"),
        (Health(at=NOW, polled_at={"cgai-live": NOW - 46}, slots=50), "cgai-live"),
        (Health(at=NOW, polled_at={"a": NOW, "b": NOW - 46}, slots=50), "b"),
        (Health(at=NOW, slots=50), "any queue"),
        (Health(at=NOW, polled_at={"cgai-live": NOW - 300}, busy=50, slots=50), ""),
        (Health(at=NOW, polled_at={"cgai-live": NOW}, busy=2, slots=2, overdue=2), "stuck"),
        (Health(at=NOW, polled_at={"cgai-live": NOW}, busy=2, slots=2, overdue=1), ""),
    ],
    ids=["well", "silent", "not polling", "one queue of two", "never polled", "full", "all stuck", "one stuck"],
)
def test_a_fault_is_named(health: Health, fault: str) -> None:
    found = find_fault(health, max_age_seconds=45, now_seconds=NOW)
    assert (fault in found) if fault else found == ""


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_health(tmp_path / "health.json", WELL)
    assert read_health(tmp_path / "health.json") == WELL
    assert [path.name for path in tmp_path.iterdir()] == ["health.json"]


def test_the_command_says_in_one_line_and_by_its_status_whether_the_worker_lives(tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    write_health(path, Health(at=time.time(), polled_at={"cgai-live": time.time()}, busy=1, slots=4))
    assert (probe(path).returncode, probe(path).stdout) == (0, "healthy: 1 of 4 slots busy\n")
    write_health(path, Health(at=time.time() - 100, polled_at={}, slots=4))
    done = probe(path)
    assert (done.returncode, done.stdout.count("\n")) == (1, 1)
    assert "has not reported" in done.stdout


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"at": "x", "other": 1}'])
def test_without_a_workers_file_there_is_no_healthy_worker(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "health.json"
    if content is not None:
        path.write_text(content)
    done = probe(path)
    assert (done.returncode, "no health file" in done.stdout) == (1, True)


def test_the_probe_loads_nothing_heavy() -> None:
    heavy = "{'celery', 'kombu', 'boto3', 'botocore', 'django'}"
    check = f"import sys, jobs.health; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
