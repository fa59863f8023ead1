"""Every page as every role: it opens for whom it should, nothing goes wrong in it, nothing is cut off, and nobody is shut out.

`EVERY_PAGE=long` opens each page in the browser for each role; otherwise those who may do less open what the menu offers them,
and one row of each list.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request

from tests.browser.every_page import Place, find_places, is_here
from tests.browser.workspace import NARROW, WIDE, Workspace, come_in

ROLES = ("Viewers", "Supervisors", "Reviewers", "Administrators")
PARTS = 3
IS_LONG = os.environ.get("EVERY_PAGE") == "long"
STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@pytest.fixture(scope="module")
def places(workspace: Workspace) -> list[Place]:
    """Where the superuser finds a page, which is everywhere but where nothing is meant to be read."""
    return find_places(workspace.rows)


def ask(context: BrowserContext, path: str) -> tuple[int, str]:
    """The status, and "page" if what came is to be read in the browser."""
    reply = context.request.get(path, max_redirects=0)
    is_html = reply.headers.get("content-type", "").startswith("text/html") and reply.status == 200
    return reply.status, "page" if is_html and reply.text().lstrip().lower().startswith("<!doctype") else ""


def find_pages(context: BrowserContext, places: list[Place]) -> list[str]:
    return [place.path for place in places if ask(context, place.path)[1]]


def look(page: Page, path: str, faults: list[str]) -> None:
    """Opens it and notes what goes wrong: in the console, in requests, and with the width, wide and narrow."""
    page.set_viewport_size(WIDE)
    page.goto(path)
    faults.extend(f"{path} scrolls sideways at 1280" for _ in range(is_too_wide(page)))
    page.set_viewport_size(NARROW)
    faults.extend(f"{path} scrolls sideways at 390" for _ in range(is_too_wide(page)))


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def is_fault(request: Request) -> bool:
    """Not what was under way when the next page was opened."""
    return "ERR_ABORTED" not in (request.failure or "")


def listen(page: Page) -> list[str]:
    """What goes wrong in the page from now on."""
    told: list[str] = []
    page.on("console", lambda line: told.append(f"{page.url}: {line.text}") if line.type == "error" else None)
    page.on("pageerror", lambda error: told.append(f"{page.url}: {error}"))
    page.on(
        "requestfailed", lambda request: told.append(f"{request.url}: {request.failure}") if is_fault(request) else None
    )
    return told


def find_barriers(page: Page, scheme: Any, *rules: str) -> list[str]:
    """axe-core's findings, of all rules or these."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = Axe().run(page, options={"runOnly": list(rules or STANDARDS)})
    return [
        f"{page.url} {scheme} {rule['id']}: {n['target']}"
        for rule in found.response["violations"]
        for n in rule["nodes"]
    ]


def test_every_address_answers_as_it_should(browser: Browser, workspace: Workspace, places: list[Place]) -> None:
    with come_in(browser, workspace, "Superuser") as context:
        answers = {place.name: ask(context, place.path)[0] for place in places if is_here(place.name)}
    assert {name: status for name, status in answers.items() if status not in (200, 302, 403, 405)} == {}
    assert sum(status == 200 for status in answers.values()) > 60


@pytest.fixture(scope="module")
def pages(browser: Browser, workspace: Workspace, places: list[Place]) -> list[str]:
    """Every address at which the superuser finds something to read."""
    with come_in(browser, workspace, "Superuser") as context:
        return find_pages(context, places)


@pytest.mark.timeout(600)  # many pages, on two cores that may be shared
@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_has_no_barriers_and_no_faults_in_light_and_dark(
    browser: Browser, workspace: Workspace, pages: list[str], part: int
) -> None:
    faults: list[str] = []
    with come_in(browser, workspace, "Superuser") as context:
        for path in pages[part::PARTS]:
            page = context.new_page()
            told = listen(page)
            look(page, path, faults)
            faults.extend(told)
            page.set_viewport_size(WIDE)
            faults.extend(find_barriers(page, "light"))
            faults.extend(find_barriers(page, "dark", "color-contrast", "link-in-text-block"))
            page.close()  # axe puts styles into the page, which the policy refuses and the console tells
    assert faults == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_what_it_may_without_a_fault(
    browser: Browser, workspace: Workspace, places: list[Place], role: str
) -> None:
    with come_in(browser, workspace, role) as context:
        page = context.new_page()
        faults = listen(page)
        page.goto("/admin/")
        offered = page.locator("#house-menu a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
        assert len(offered) > 5
        assert {path: ask(context, path)[0] for path in offered} == dict.fromkeys(offered, 200)
        statuses = {place.name: ask(context, place.path)[0] for place in places if is_here(place.name)}
        assert {name: status for name, status in statuses.items() if status not in (200, 302, 403, 405)} == {}
        rows = [place.path for place in places if place.name.endswith("_change") and statuses.get(place.name) == 200]
        for path in find_pages(context, places) if IS_LONG else [*offered, *rows]:
            look(page, path, faults)
        assert faults == []
