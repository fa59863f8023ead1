"""The emulator as a child process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from local import emulator as module
from local.emulator import Emulator, EmulatorError, start_emulator
from local.provision import local_client

ROOT = Path(__file__).resolve().parents[2]
LISTEN = "0A"  # the state's number in /proc/net/tcp


def read_listeners(pid: int) -> set[str]:
    """The local addresses (hexadecimal, as the kernel prints them) on which a process listens over TCP."""
    inodes = {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.exists() or fd.is_symlink()}
    rows = [
        row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == LISTEN and f"socket:[{row[9]}]" in inodes}


def is_served(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.rsplit(":", 1)[1]))) == 0


def wait_until_gone(url: str, *, seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while is_served(url) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_served(url)


def test_the_emulator_serves_as_soon_as_it_is_started(emulator: Emulator) -> None:
    with urllib.request.urlopen(f"{emulator.url}/_ministack/health", timeout=30) as reply:
        assert reply.status == 200


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_listens_on_loopback_only_and_on_one_port(emulator: Emulator) -> None:
    port = int(emulator.url.rsplit(":", 1)[1])
    assert read_listeners(emulator.pid) == {f"0100007F:{port:04X}"}


def test_its_data_survives_a_restart_on_another_port(tmp_path: Path) -> None:
    with start_emulator(state_dir=tmp_path / "data", log=tmp_path / "log") as first:
        sqs, s3 = local_client("sqs", first.url), local_client("s3", first.url)
        url = sqs.create_queue(QueueName="kept")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="still here")
        s3.create_bucket(Bucket="kept")
        s3.put_object(Bucket="kept", Key="a", Body=b"still here")
    with start_emulator(state_dir=tmp_path / "data", log=tmp_path / "log") as second:
        sqs, s3 = local_client("sqs", second.url), local_client("s3", second.url)
        url = sqs.get_queue_url(QueueName="kept")["QueueUrl"]
        assert url.startswith(second.url)
        assert second.url != first.url
        assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "still here"
        assert s3.get_object(Bucket="kept", Key="a")["Body"].read() == b"still here"


def test_without_a_directory_for_its_state_it_keeps_nothing(tmp_path: Path) -> None:
    with start_emulator(state_dir=None, log=tmp_path / "log") as first:
        local_client("sqs", first.url).create_queue(QueueName="lost")
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_reset_forgets_everything(tmp_path: Path) -> None:
    with start_emulator(state_dir=None, log=tmp_path / "log") as running:
        sqs = local_client("sqs", running.url)
        sqs.create_queue(QueueName="forgotten")
        running.reset()
        assert not sqs.list_queues().get("QueueUrls")


def test_a_port_that_another_process_took_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = module._find_free_port()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(module, "_find_free_port", lambda: next(ports))
        with start_emulator(state_dir=None, log=tmp_path / "log") as running:
            assert running.url == f"http://127.0.0.1:{free}"


def test_another_emulator_on_the_port_is_not_taken_for_ours(emulator: Emulator, tmp_path: Path) -> None:
    port = int(emulator.url.rsplit(":", 1)[1])
    assert module._start_on(port, state_dir=None, log=tmp_path / "log") is None


def test_an_emulator_that_cannot_start_is_an_error_that_names_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPTS", 2)
    monkeypatch.setattr(module, "tethered_command", lambda name: [sys.executable, "-c", "raise SystemExit('no')"])
    with pytest.raises(EmulatorError, match=str(tmp_path / "log")):
        start_emulator(state_dir=None, log=tmp_path / "log")
    assert (tmp_path / "log").read_text() == "no\nno\n"


def test_stopping_it_ends_the_process_even_with_a_long_poll_open(tmp_path: Path) -> None:
    running = start_emulator(state_dir=None, log=tmp_path / "log")
    queue = local_client("sqs", running.url).create_queue(QueueName="polled")["QueueUrl"]
    with socket.create_connection(("127.0.0.1", int(running.url.rsplit(":", 1)[1]))) as poll:
        body = f"Action=ReceiveMessage&WaitTimeSeconds=20&QueueUrl={queue}".encode()
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}"
        poll.sendall(head.encode() + b"\r\n\r\n" + body)
        time.sleep(0.3)
        running.stop()
    assert not running.is_running()
    assert not is_served(running.url)


def test_it_ignores_the_users_own_aws_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICES", "s3")
    monkeypatch.setenv("GATEWAY_PORT", "1")
    with start_emulator(state_dir=None, log=tmp_path / "log") as running:
        assert local_client("sqs", running.url).list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


PARENT = """
import sys, time
from pathlib import Path
from local.emulator import start_emulator
running = start_emulator(state_dir=Path(sys.argv[1]), log=Path(sys.argv[1]) / "log")
print(running.url, flush=True)
time.sleep(600)
"""


def test_it_ends_with_its_parent_and_saves_even_when_the_parent_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        local_client("sqs", url).create_queue(QueueName="kept")
        parent.send_signal(signal.SIGKILL)
        assert wait_until_gone(url)
    saved = tmp_path / "state" / "sqs.json"
    for _ in range(300):  # it stops listening before it saves
        if saved.exists() and "kept" in saved.read_text():
            return
        time.sleep(0.1)
    pytest.fail("nothing was saved")
