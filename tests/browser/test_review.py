"""Approval in a real browser: a candidate is heard, improved and approved; the pages have no barriers at two widths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.workspace import Workspace, open_workspace

QUEUE, DUE = "/admin/cache_admin/reviewitem/", "/admin/cache_admin/approvedanswer/"


@pytest.fixture(scope="module")
def workspace(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_workspace(tmp_path_factory.mktemp("workspace")) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, workspace: Workspace) -> Iterator[Page]:
    """A reviewer's tab."""
    with browser.new_context(base_url=workspace.url, viewport={"width": 1280, "height": 900}) as context:
        cookies: Any = workspace.list_cookies("Reviewers")
        context.add_cookies(cookies)
        yield context.new_page()


def open_first(page: Page) -> str:
    """The candidate that concerns most callers; its question."""
    page.goto(QUEUE)
    link = page.locator("#result_list tbody th a").first
    question = link.inner_text()
    link.click()
    expect(page.get_by_role("heading", name=question)).to_be_visible()
    return question


def find_faults(page: Page) -> list[str]:
    """What axe-core finds, and whether the page scrolls sideways."""
    found = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]] + ["sideways"] * wide


@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_of_approval_have_no_barriers(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    faults: dict[str, list[str]] = {}
    open_first(page)
    expect(page.get_by_text("Fit to be spoken.")).to_be_visible()
    faults["item"] = find_faults(page)
    for address in (QUEUE, DUE, f"{DUE}stale/", f"{QUEUE}take-in/"):
        page.goto(address)
        faults[address] = find_faults(page)
    assert {place: found for place, found in faults.items() if found} == {}


def test_a_candidate_is_listened_to_improved_and_approved(page: Page) -> None:
    errors: list[str] = []
    page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    question = open_first(page)
    candidate = page.get_by_role("region", name="The candidate")
    candidate.get_by_role("button", name="Listen").click()
    expect(candidate.locator("li.is-heard")).to_have_count(1)
    page.locator("#id_text").fill("See www.example.com.")
    expect(page.locator(".voice").get_by_text("nobody can follow a spoken link")).to_be_visible()
    page.locator("#id_text").fill("Yes, from ten until four.")
    expect(page.locator(".voice").get_by_text("Fit to be spoken.")).to_be_visible()
    page.get_by_role("button", name="Approve", exact=True).dblclick()
    expect(page.get_by_text("Approved: every caller hears it")).to_be_visible()
    expect(page.locator("#result_list").get_by_text(question)).to_have_count(0)
    page.goto(f"{QUEUE}?state=published")
    page.locator("#result_list").get_by_role("link", name=question).click()
    expect(page.get_by_role("region", name="What every caller hears now")).to_contain_text("Yes, from ten until four.")
    assert errors == []
