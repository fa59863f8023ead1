"""The AWS emulator (ministack) as a child process on loopback: DynamoDB, SQS and S3 on a laptop and in tests."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from local.tether import tethered_command

START_SECONDS = 60.0
STOP_SECONDS = 30.0
ATTEMPTS = 5


class EmulatorError(Exception):
    """The emulator did not start or stop as it should; the message says where its log is."""


class Emulator:
    """A running emulator at `url`; stop it, or use it in a `with` statement."""

    def __init__(self, process: subprocess.Popen[bytes], *, url: str, log: Path) -> None:
        self.url = url
        self.pid = process.pid
        self._process, self._log = process, log

    def reset(self) -> None:
        """Forgets every table, queue and object."""
        request = urllib.request.Request(f"{self.url}/_ministack/reset", method="POST")  # noqa: S310 - our own http URL
        with urllib.request.urlopen(request, timeout=START_SECONDS):  # noqa: S310
            pass

    def is_running(self) -> bool:
        """Whether the process still lives."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ends the emulator, which writes its state only now; EmulatorError when it had to be killed."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise EmulatorError(f"The AWS emulator did not stop and was killed; see {self._log}") from None
        finally:
            _close_stdin(self._process)

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_emulator(*, state_dir: Path | None, log: Path) -> Emulator:
    """Starts an emulator on a free port of 127.0.0.1 and waits until it serves; its data lives in `state_dir`, or nowhere.

    Raises EmulatorError when it does not come up.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(ATTEMPTS):
        emulator = _start_on(_find_free_port(), state_dir=state_dir, log=log)
        if emulator is not None:
            return emulator
    raise EmulatorError(f"The AWS emulator did not start; see {log}")


def _start_on(port: int, *, state_dir: Path | None, log: Path) -> Emulator | None:
    """The emulator on this port; None when it ended at once, for another process was quicker to take the port."""
    badge = secrets.token_hex(8)
    process = _spawn(_environment(port, badge=badge, state_dir=state_dir), log=log)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            _close_stdin(process)
            return None
        if _read_badge(port) == badge:
            return Emulator(process, url=url, log=log)
        time.sleep(0.05)
    process.kill()
    process.wait()
    _close_stdin(process)
    raise EmulatorError(f"The AWS emulator was not ready after {START_SECONDS:.0f} s; see {log}")


def _spawn(environment: dict[str, str], *, log: Path) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C is for the process that started us, which stops the emulator last.
    with log.open("ab") as output:
        return subprocess.Popen(
            tethered_command("ministack"),
            cwd=log.parent,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _environment(port: int, *, badge: str, state_dir: Path | None) -> dict[str, str]:
    """Only what the emulator needs: a variable of the user's (AWS_*, SERVICES, ...) must not change what it does."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {
        **kept,
        "BIND_HOST": "127.0.0.1",  # its default is every interface
        # Not GATEWAY_PORT: queues are kept under their URL, which would hold that port, and a restart on another port
        # would find them empty. With EDGE_PORT the kept URLs are constant, and each reply names the port it came through.
        "EDGE_PORT": str(port),
        "MINISTACK_EDITION": badge,
        "IOT_MTLS_ENABLED": "0",
        "IOT_MTLS_PORT": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",  # else it looks for containers of its own to remove
        **_persistence(state_dir),
    }


def _persistence(state_dir: Path | None) -> dict[str, str]:
    if state_dir is None:
        return {}
    paths = {"STATE_DIR": str(state_dir / "state"), "S3_DATA_DIR": str(state_dir / "s3")}
    return {"PERSIST_STATE": "1", "S3_PERSIST": "1", **paths}


def _read_badge(port: int) -> str | None:
    """What the server on this port wears as its edition: it proves that the one that answers is the one we started."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/_ministack/health")
        health = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return str(health.get("edition")) if isinstance(health, dict) else None


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _close_stdin(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
