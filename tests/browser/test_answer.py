"""An answer's page: heard part by part, checked while it is written, compared with its earlier texts."""

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
LIST = "/admin/cache_admin/cachedanswer/"
QUESTION = "Are dogs allowed in the store?"


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
        page.goto(LIST)
        if link.count():
            break
        page.wait_for_timeout(1_000)
    link.first.click()
    expect(page.get_by_role("heading", name="What a voice makes of it")).to_be_visible()


def find_violations(page: Page) -> list[str]:
    """axe-core's findings: rule and place."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


def test_a_text_is_checked_as_it_is_written_and_put_back_when_it_was_no_good(tab: Tab, answered: str) -> None:
    page = tab.page
    open_answer(page)
    panel = page.locator(".voice")
    expect(panel.get_by_text("Fit to be spoken.")).to_be_visible()
    before = page.locator("#id_text").input_value()
    page.locator("#id_text").fill("See www.example.com for dogs.")
    expect(panel.get_by_text("nobody can follow a spoken link")).to_be_visible()
    page.locator("#id_text").fill("Dogs are welcome on a lead.")
    expect(panel.get_by_text("Fit to be spoken.")).to_be_visible()
    page.locator("#id_why").fill("The store manager says so.")
    page.get_by_role("button", name="Save", exact=True).click()
    open_answer(page)
    expect(page.get_by_text("The store manager says so.")).to_be_visible()
    page.locator(".versions a[href*='/texts/']").first.click()
    expect(page.locator("ins").first).to_be_visible()
    page.get_by_role("button", name="Put the earlier text back").click()
    expect(page.get_by_text("Callers hear the earlier text again.")).to_be_visible()
    expect(page.locator("#id_text")).to_have_value(before)


def test_the_parts_are_played_one_after_the_other(tab: Tab, answered: str) -> None:
    page = tab.page
    open_answer(page)
    heard = page.locator(".field-heard")
    heard.get_by_role("button", name="Listen").click()
    expect(heard.locator("li.is-heard")).to_have_count(1)
    heard.get_by_role("button", name="Stop").click()
    expect(heard.locator("li.is-heard")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_have_no_barriers(context: BrowserContext, answered: str, scheme: Any) -> None:
    page = context.new_page()  # no Tab: axe itself tries inline styles, and the policy says so in the console
    page.emulate_media(color_scheme=scheme)
    open_answer(page)
    assert find_violations(page) == []
    page.locator(".versions a[href*='/texts/']").first.click()
    expect(page.get_by_role("heading", name="Earlier", exact=True)).to_be_visible()
    assert find_violations(page) == []
