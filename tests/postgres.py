"""A private PostgreSQL for tests, from Debian's packages: `python -m tests.postgres COMMAND ...` runs a command on one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

INSTALLED = Path("/usr/lib/postgresql")
START_SECONDS = 90.0
DEFAULT_PORT = 5432
# Its server ends with us, however we end: then its standard input ends.
TETHER = '"$@" & cat >/dev/null; kill -INT $!; wait $!'
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresError(Exception):
    """There is no server; the message says why."""


def find_binaries() -> Path | None:
    """The newest installed version's folder of programs, or None."""
    versions = [path for path in INSTALLED.glob("*/bin") if (path / "initdb").exists()]
    return max(versions, key=lambda path: float(path.parent.name), default=None)


@contextmanager
def running_postgres(*, port: int = 0) -> Iterator[str]:
    """The DATABASE_URL of a fresh server on a socket in a folder of its own, and on a port of 127.0.0.1 if one is given.

    Raises PostgresError when it does not start.
    """
    binaries = find_binaries()
    if binaries is None:
        raise PostgresError(f"PostgreSQL is not installed under {INSTALLED}")
    user = _find_user()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # sockets' paths must be short
    try:
        shutil.chown(folder, user)
        _run(binaries / "initdb", "-D", str(folder / "data"), "-U", "postgres", "--auth=trust", "--no-sync", user=user)
        with _serving(binaries, folder, user, port):
            host = f"127.0.0.1:{port}" if port else quote(str(folder), safe="")
            yield f"postgresql://postgres@{host}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _find_user() -> str:
    """PostgreSQL refuses to run as root; Debian's package brings a user for it."""
    return "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def _run(*command: object, user: str) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/", **_as(user))
    if done.returncode:
        raise PostgresError(f"{words[0]} failed: {done.stderr}")


def _as(user: str) -> dict[str, Any]:
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def _serving(binaries: Path, folder: Path, user: str, port: int) -> Iterator[None]:
    where = (f"listen_addresses={'127.0.0.1' if port else ''}", f"port={port or DEFAULT_PORT}")
    settings = [word for setting in (*QUICK, *where, f"unix_socket_directories={folder}") for word in ("-c", setting)]
    server = [str(binaries / "postgres"), "-D", str(folder / "data"), *settings]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", TETHER, "sh", *server], stdin=subprocess.PIPE, stdout=log, stderr=log, cwd="/", **_as(user)
        )
    try:
        _wait(folder, port or DEFAULT_PORT)
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)


def _wait(folder: Path, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            psycopg.connect(host=str(folder), port=port, user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise PostgresError(f"PostgreSQL did not start: {(folder / 'log').read_text()[-2000:]}")


def main() -> int:
    """Runs the command in the arguments with DATABASE_URL set; its exit code."""
    with running_postgres() as url:
        return subprocess.run(sys.argv[1:], env={**os.environ, "DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
