"""A topic in a real browser: a question tried out as its answer streams in, an answer compared with a new one, a change warned of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Tab

TOPICS = "/admin/cache_admin/topic/"
ANSWERS = "/admin/cache_admin/cachedanswer/"
PICTURES = os.environ.get("CONNECTGENAI_PICTURES", "")  # a folder: pictures of the pages for whoever looks at them


def look_for_barriers(page: Page, name: str) -> list[str]:
    """What axe-core finds, in light at both widths, and whether the page scrolls sideways."""
    found = []
    for width in (1280, 390) if name.endswith("light") else (1280,):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(400)  # the menu folds away
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}.png"), full_page=True)
        found += [
            f"{rule['id']}: {node['target']}"
            for rule in Axe().run(page).response["violations"]
            for node in rule["nodes"]
        ]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"{name} is wider than {width} pixels")
    return found


def open_topic(page: Page) -> None:
    page.goto(TOPICS)
    page.locator("#result_list").get_by_role("link", name="store-faq").click()


def open_console(page: Page) -> None:
    open_topic(page)
    page.get_by_role("link", name="Test console").click()


def prewarm(page: Page, question: str) -> None:
    """Has a question answered, and waits on its page until it is."""
    page.goto(f"{ANSWERS}prewarm/")
    page.get_by_label("Topic").select_option(index=1)
    page.get_by_label("Question").fill(question)
    page.get_by_role("button", name="Pre-warm").click()
    listen = page.locator(".field-heard").get_by_role("button", name="Listen")
    for _ in range(60):  # the mirror lags a moment behind the worker
        if listen.count():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(listen).to_be_visible()


def test_a_question_is_looked_at_asked_aside_and_heard(tab: Tab) -> None:
    page = tab.page
    open_console(page)
    page.get_by_label("Question").fill("Could you tell me, do you sell bicycles?")
    page.get_by_role("button", name="What would it meet?").click()
    expect(page.get_by_text("New: it is generated while the caller waits.")).to_be_visible()
    expect(page.get_by_text("do you sell bicycles", exact=True)).to_be_visible()
    page.get_by_text("The prompt that the model gets").click()
    expect(page.get_by_text("<question>Could you tell me, do you sell bicycles?</question>")).to_be_visible()
    page.get_by_role("button", name="Ask", exact=True).click()
    answer = page.locator("section", has=page.get_by_role("heading", name="The answer, made aside"))
    expect(answer.get_by_role("button", name="Listen")).to_be_visible(timeout=60_000)
    expect(answer.get_by_text("first words after")).to_be_visible()
    answer.get_by_role("button", name="Listen").click()
    expect(answer.locator("li.is-heard")).to_have_count(1)
    answer.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("New: it is generated while the caller waits.")).to_be_visible()  # nobody hears the trial


def test_an_answer_is_generated_anew_compared_and_published(tab: Tab) -> None:
    page = tab.page
    prewarm(page, "When do you open on a holiday?")
    page.get_by_role("link", name="Generate anew and compare").click()
    page.get_by_role("button", name="Generate anew").click()
    publish = page.get_by_role("button", name="Publish the new one")
    expect(publish).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Listen")).to_have_count(2)
    page.get_by_role("button", name="Listen").last.click()
    expect(page.locator("section").last.locator("li.is-heard")).to_have_count(1)
    publish.click()
    expect(page.get_by_text("Callers hear the new text from their next poll on.")).to_be_visible()
    expect(page.get_by_text("Generated anew, compared, and chosen.")).to_be_visible()


def test_a_change_says_what_it_does_before_it_is_saved(tab: Tab) -> None:
    page = tab.page
    open_topic(page)
    warning = page.locator("#topic-warning")
    expect(warning).to_be_hidden()
    before = page.locator("#id_instructions").input_value()
    page.locator("#id_instructions").fill("Answer at length.")
    expect(warning).to_be_visible()
    page.locator("#id_instructions").fill(before)
    expect(warning).to_be_hidden()
    page.locator("#id_title").fill("Another title")
    expect(warning).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_have_no_barriers(context: BrowserContext, scheme: str) -> None:
    page = context.new_page()  # no Tab: axe itself tries inline styles, and the policy says so in the console
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    open_console(page)
    page.get_by_label("Question").fill("What is the price of a stamp?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("button", name="Listen").first).to_be_visible(timeout=60_000)
    page.get_by_text("The prompt that the model gets").click()
    barriers = look_for_barriers(page, f"console-{scheme}")
    prewarm(page, "Where can I park my car?")
    page.get_by_role("link", name="Generate anew and compare").click()
    page.get_by_role("button", name="Generate anew").click()
    expect(page.get_by_role("button", name="Publish the new one")).to_be_visible(timeout=60_000)
    barriers += look_for_barriers(page, f"compare-{scheme}")
    open_topic(page)
    page.locator("#id_instructions").fill("Answer at length.")
    barriers += look_for_barriers(page, f"topic-{scheme}")
    page.locator(".field-text a").first.click()
    barriers += look_for_barriers(page, f"document-{scheme}")
    open_topic(page)
    page.get_by_role("link", name="Answer again").click()
    assert barriers + look_for_barriers(page, f"rewarm-{scheme}") == []
