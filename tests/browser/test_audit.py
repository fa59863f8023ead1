"""Undoing with one click, and the audit trail that tells of both clicks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from local.stack import Stack
from tests.browser.conftest import Tab

ROOT = Path(__file__).resolve().parents[2]
TRAIL = "/admin/cache_admin/auditentry/"
QUESTION = "Can I park a bicycle?"


@pytest.fixture(scope="module")
def answered(stack: Stack) -> str:
    """A question that has been answered on a call; its words."""
    command = [sys.executable, "manage.py", "call", "--topic", "store-faq", "--question", QUESTION]
    environment: Any = stack.environment
    subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=120)
    return QUESTION


def open_answer(page: Page) -> None:
    """The list lags a moment behind the call."""
    link = page.get_by_role("link", name=QUESTION)
    for _ in range(60):
        page.goto("/admin/cache_admin/cachedanswer/")
        if link.count():
            break
        page.wait_for_timeout(1_000)
    link.first.click()


def find_violations(page: Page) -> list[str]:
    """axe-core's findings: rule and place."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


def test_an_invalidation_is_undone_from_the_message_that_tells_of_it(tab: Tab, answered: str) -> None:
    page = tab.page
    open_answer(page)
    text = page.locator("#id_text").input_value()
    page.get_by_role("link", name="Invalidate", exact=True).click()
    page.get_by_label("Reason").fill("A click too many.")
    page.get_by_role("button", name="Invalidate").click()
    expect(page.get_by_text("1 answer invalidated.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 decision undone.")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    open_answer(page)
    expect(page.locator("#id_text")).to_have_value(text)
    page.get_by_role("link", name="Audit trail").last.click()
    expect(page.get_by_role("row", name="undone: answer invalidated")).to_be_visible()
    page.get_by_role("row", name="A click too many.").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Before and after")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_trail_has_no_barriers_and_fits_the_screen(context: BrowserContext, answered: str, width: int) -> None:
    page = context.new_page()  # no Tab: axe itself tries inline styles, and the policy says so in the console
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(TRAIL)
    assert find_violations(page) == []
    page.locator("#result_list tbody th a").first.click()
    expect(page.get_by_role("heading", name="Before and after")).to_be_visible()
    assert find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
