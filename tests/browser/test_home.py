"""The first page, kept open while a caller waits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, expect

from local.stack import Stack
from tests.browser.conftest import Tab

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "Which ferry may I take with a bicycle on Sunday?"


def test_a_waiting_caller_comes_and_goes_without_a_reload(tab: Tab, stack: Stack) -> None:
    page = tab.page
    page.goto("/admin/")
    calls = page.locator('[data-number="calls"] b')
    before = int(calls.inner_text())
    command = [sys.executable, "manage.py", "call", "--topic", "ferry-handbook", "--question", QUESTION]
    environment: Any = stack.environment
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as caller:
        try:
            expect(calls).to_have_text(str(before + 1), timeout=60_000)
        finally:
            caller.kill()
    expect(page.locator("#home-chart")).to_be_visible()
    assert page.locator("#home-table tbody tr").count() == 24


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_has_no_barriers_and_nothing_is_cut_off(
    context: BrowserContext, tab: Tab, scheme: Any, width: int
) -> None:
    page = tab.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto("/admin/")
    expect(page.locator("#home-table tbody tr")).to_have_count(24)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.faults == []
    found = Axe().run(page).response["violations"]
    tab.faults.clear()  # axe puts styles into the page, which our policy refuses
    assert [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]] == []
