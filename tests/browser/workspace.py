"""The site alone, with a day's rows in it and somebody of each role signed in: what every page is looked at with."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ViewportSize

from local.emulator import start_emulator
from local.provision import provision
from local.tether import tethered_command

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90.0
WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 390, "height": 844}


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where the site is, the session of somebody of each role, and a row of each page's model."""

    url: str
    sessions: dict[str, str]
    rows: dict[str, str]

    def list_cookies(self, role: str, language: str = "en") -> list[dict[str, str]]:
        """What a browser of that person has."""
        return [
            {"name": "sessionid", "value": self.sessions[role], "url": self.url},
            {"name": "django_language", "value": language, "url": self.url},
        ]


@contextmanager
def open_workspace(home: Path) -> Iterator[Workspace]:
    """Starts it, and ends it."""
    home.mkdir(parents=True, exist_ok=True)
    with start_emulator(state_dir=None, log=home / "emulator.log") as emulator:
        made = provision(endpoint_url=emulator.url)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONNECTGENAI_", "DJANGO_"))},
            **made.environment,
            "DJANGO_SETTINGS_MODULE": "connectgenai.settings",
            "CONNECTGENAI_SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
            "CONNECTGENAI_DEBUG": "1",
            "CONNECTGENAI_ALLOWED_HOSTS": "127.0.0.1,testserver",
            "DATABASE_URL": f"sqlite:///{home / 'db.sqlite3'}",
            "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        filled = subprocess.run(
            [sys.executable, "-m", "tests.browser.rows"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert filled.returncode == 0, filled.stderr
        with _run_site(environment, home / "site.log") as url:
            yield Workspace(url, **json.loads(filled.stdout.splitlines()[-1]))


@contextmanager
def come_in(browser: Browser, workspace: Workspace, role: str) -> Iterator[BrowserContext]:
    """A window of somebody of the role, who has signed in."""
    with browser.new_context(base_url=workspace.url, viewport=WIDE) as context:
        context.add_cookies(workspace.list_cookies(role))  # type: ignore[arg-type]
        yield context


@contextmanager
def _run_site(environment: dict[str, str], log: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = tethered_command(
        "gunicorn", "connectgenai.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4", "--no-control-socket"
    )
    with log.open("wb") as output, subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT
    ) as site:  # fmt: skip
        try:
            _wait_for(f"{url}/healthz")
            yield url
        finally:
            site.terminate()
            site.wait(20)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer in {START_SECONDS:.0f} s")
