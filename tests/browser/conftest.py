"""A real browser on the whole product: emulator, Lambdas, workers, Bedrock's stand-in and the site, each a process."""

from __future__ import annotations

import json
import os
import re
import shutil
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from local.stack import SUPERVISOR, Stack
from tests.browser.workspace import Workspace, open_workspace

# A model quick enough for tests, and slow enough for callers to hear that they are waiting
PACE = {"first_token_seconds": 1.0, "seconds_per_1000_input_tokens": 0.0, "tokens_per_second": 60.0}
SWITCHES = ["--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


def wait_until(page: Page, expression: str, *, seconds: float = 20) -> None:
    """Waits for a JavaScript expression; Playwright's own wait evaluates in the page, which our policy refuses."""
    for _ in range(round(seconds * 10)):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(expression)


# Each page is looked at in light and dark by test_every_page; what a page comes to look like in use, in dark too, with EVERY_PAGE=long
LOOKED_AT_ELSEWHERE = re.compile(r"(barriers|shuts|axe)\w*\[.*dark\]$")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what the short run need not look at twice."""
    if os.environ.get("EVERY_PAGE") == "long":
        return
    twice = [item for item in items if LOOKED_AT_ELSEWHERE.search(item.name)]
    config.hook.pytest_deselected(items=twice)
    items[:] = [item for item in items if item not in twice]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Chromium's path; without it the tests are skipped, but not where they are to prove something."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found and not os.environ.get("CI"):
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    assert found, "Chromium is not installed (Debian: apt-get install chromium)"
    return found


@pytest.fixture(scope="session")
def stack(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running product, with the demonstration's topics and a quick model."""
    with Stack(home=tmp_path_factory.mktemp("stack"), say=lambda _: None) as running:
        url = running.environment["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
        wish = urllib.request.Request(f"{url}/_control/pace", json.dumps(PACE).encode(), method="PUT")
        urllib.request.urlopen(wish, timeout=5).close()
        yield running


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests."""
    switches = [*SWITCHES, "--no-sandbox"] if os.geteuid() == 0 else SWITCHES
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=switches)
        yield running
        running.close()


@pytest.fixture(scope="session")
def session(browser: Browser, stack: Stack) -> Any:
    """The cookies of somebody who has logged in."""
    with browser.new_context(base_url=stack.site_url) as context:
        page = context.new_page()
        page.goto("/admin/login/?next=/admin/")
        page.get_by_label("Username").fill(SUPERVISOR)
        page.get_by_label("Password").fill(stack.password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/admin/")
        return context.storage_state()


@pytest.fixture(scope="session")
def workspace(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The site alone, with a day's rows in it and somebody of each role signed in."""
    with open_workspace(tmp_path_factory.mktemp("workspace")) as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class Tab:
    """A page, and what went wrong in it: errors of its console and its script, and requests that failed."""

    page: Page
    faults: list[str] = field(default_factory=list)


@pytest.fixture
def context(browser: Browser, stack: Stack, session: Any) -> Iterator[BrowserContext]:
    """A window of somebody who has logged in."""
    with browser.new_context(
        base_url=stack.site_url, storage_state=session, viewport={"width": 1360, "height": 1000}
    ) as made:
        yield made


@pytest.fixture
def tab(context: BrowserContext) -> Iterator[Tab]:
    """A tab; a test that uses it fails when anything in it goes wrong."""
    page = context.new_page()
    opened = Tab(page)
    page.on("console", lambda told: opened.faults.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: opened.faults.append(str(error)))
    page.on(
        "response", lambda reply: opened.faults.append(f"{reply.status} {reply.url}") if reply.status > 399 else None
    )
    yield opened
    assert opened.faults == []
