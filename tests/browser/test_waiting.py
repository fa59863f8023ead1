from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from local.stack import Stack
from tests.browser.conftest import Tab, wait_until
from tests.cache_admin.test_audio_conversion import TONE

POLICIES = "/admin/cache_admin/waitpolicy/"
INCIDENTS = "/admin/cache_admin/incident/"
CALLS = "/admin/cache_admin/call/"
SLOW_MS = 30_000  # two slow cores may be shared with much else
TEXT = "Our shops are closed today because of the storm."


def open_policy(page: Page) -> None:
    page.goto(POLICIES)
    page.locator("#result_list tbody th a").first.click()
    expect(page.locator("[data-play-all]").first).to_be_enabled(timeout=SLOW_MS)


def read_call(page: Page, seconds: int) -> Any:
    return page.locator(f'.preview-call[data-seconds="{seconds}"]')


def find_violations(page: Page) -> list[str]:
    """axe-core's findings on the page as it is now: rule and place."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


def test_the_preview_follows_what_is_typed_and_saves_nothing(tab: Tab) -> None:
    page = tab.page
    open_policy(page)
    call = read_call(page, 20)
    expect(call.locator("rect.bar-prompt").first).to_be_attached()
    expect(call.locator("rect.bar-answer")).to_have_count(1)
    page.locator("#id_prompts-0-text").fill("These words are new.")
    expect(call.get_by_role("img", name=re.compile("These words are new"))).to_be_visible(timeout=SLOW_MS)
    page.locator("#id_max_wait_seconds").fill("15")
    expect(call.locator("rect.bar-hand-over")).to_have_count(1, timeout=SLOW_MS)
    expect(call.locator('[data-figure="first"]')).to_have_text("-")
    page.reload()
    expect(page.locator("#id_prompts-0-text")).not_to_have_value("These words are new.")


def test_a_broken_promise_is_said_and_drawn_and_what_cannot_be_read_is_said_at_its_field(tab: Tab) -> None:
    page = tab.page
    open_policy(page)
    page.locator("#id_hold_seconds").fill("6")
    expect(page.locator("#preview-faults")).to_contain_text("Hold is silence on the line", timeout=SLOW_MS)
    expect(read_call(page, 60).locator("rect.bar-too-long").first).to_be_attached()
    page.locator("#id_hold_seconds").fill("-1")
    field = page.locator("#id_hold_seconds")
    expect(field).to_have_attribute("aria-invalid", "true", timeout=SLOW_MS)
    expect(page.locator("#id_hold_seconds + .preview-fault")).to_contain_text("greater than or equal to 0")
    assert tab.faults == []
    assert find_violations(page) == []
    tab.faults.clear()  # axe itself writes styles into the page
    field.fill("2")
    expect(page.locator(".preview-fault")).to_have_count(0, timeout=SLOW_MS)


def test_a_file_that_is_not_saved_yet_is_in_the_preview_and_can_be_heard(tab: Tab) -> None:
    page = tab.page
    open_policy(page)
    page.evaluate(
        """() => { window.started = 0; const start = AudioBufferSourceNode.prototype.start;
        AudioBufferSourceNode.prototype.start = function () { window.started += this.buffer.duration; start.call(this); } }"""
    )
    page.locator("#id_comfort_audio").set_input_files(TONE)
    row = read_call(page, 20).locator(".timeline-list li").filter(has_text="comfort sound").first
    page.wait_for_timeout(600)
    read_call(page, 20).locator("summary").click()
    row.get_by_role("button").click()
    wait_until(page, "window.started > 0.9")


def test_the_whole_wait_is_played_and_stopped(tab: Tab) -> None:
    page = tab.page
    open_policy(page)
    call = read_call(page, 5)
    button = call.get_by_role("button", name=re.compile("Play the call"))
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(call.locator("line.head")).to_have_attribute("visibility", "visible")
    expect(call.locator("[data-words]")).not_to_be_empty(timeout=SLOW_MS)
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(call.locator("[data-words]")).to_be_empty()


def test_a_policy_is_changed_and_had_back(tab: Tab) -> None:
    page = tab.page
    open_policy(page)
    before = page.locator("#id_max_wait_seconds").input_value()
    page.locator("#id_max_wait_seconds").fill("77")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".messagelist")).to_contain_text("Published with")
    page.get_by_role("link", name="History").click()
    expect(page.locator(".version").first).to_contain_text("77")
    page.get_by_role("link", name=re.compile("Have version .* back")).first.click()
    page.get_by_role("button", name=re.compile("Have version .* back")).click()
    expect(page.locator(".messagelist")).to_contain_text("again, published with")
    expect(page.locator("#id_max_wait_seconds")).to_have_value(before)


@pytest.fixture
def quiet_after(context: BrowserContext) -> Iterator[None]:
    """Whatever happens, no incident text stays on for the tests to come."""
    yield
    page = context.new_page()
    page.goto(INCIDENTS)
    while page.locator(".switch-off").count():
        page.locator(".switch-off").first.click()
        page.goto(INCIDENTS)


def switch_on(page: Page) -> None:
    page.goto(f"{INCIDENTS}add/")
    page.get_by_label("What callers hear").fill(TEXT)
    page.get_by_label("Corner Store").check()
    page.get_by_label("30 minutes").check()
    page.get_by_role("button", name="Say this to callers now").click()
    page.wait_for_url("**/change/")


def test_an_incident_text_is_checked_switched_on_heard_shown_everywhere_and_switched_off(
    tab: Tab, stack: Stack, quiet_after: None
) -> None:
    page = tab.page
    page.goto(f"{INCIDENTS}add/")
    page.get_by_label("What callers hear").fill(f"{TEXT} See www.example.com.")
    expect(page.locator(".voice .bad")).to_contain_text("nobody can follow a spoken link", timeout=SLOW_MS)
    expect(page.locator("#switch-summary")).to_have_text("Choose at least one topic.")
    switch_on(page)
    expect(page.locator(".messagelist")).to_contain_text("It is on")
    page.goto(CALLS)
    banner = page.get_by_role("region", name="Incident texts that callers hear now")
    expect(banner).to_contain_text("Corner Store")
    heard = stack.manage("call", "--topic", "store-faq", "--question", "Is anybody there today?")
    assert TEXT in heard
    banner.get_by_role("link", name="Look, or switch it off").click()
    page.get_by_role("button", name="Switch off").click()
    expect(page.locator(".messagelist")).to_contain_text("It is off")
    expect(banner).to_have_count(0)


def test_a_call_is_drawn_told_and_leads_to_all_who_heard_the_same(tab: Tab, stack: Stack) -> None:
    stack.manage("call", "--topic", "store-faq", "--question", "Can I pay with a gift card in the shop?")
    page = tab.page

    def open_call() -> bool:
        page.goto(CALLS)
        found = page.locator("#result_list tbody tr").filter(has_text="Can I pay with a gift card").locator("th a")
        if not found.count():
            page.wait_for_timeout(1_000)  # the mirror follows within seconds
            return False
        found.first.click()
        return True

    assert any(open_call() for _ in range(20))
    expect(page.locator("#call-svg rect.bar-answer").first).to_be_attached()
    expect(page.locator(".call-rows tbody tr").first).to_contain_text("the caller asks")
    assert page.locator(".call-rows [data-bar]").count() >= 1
    page.locator(".call-rows [data-bar]").last.press("Enter")
    expect(page.locator("[data-words]")).not_to_be_empty()
    assert tab.faults == []
    assert find_violations(page) == []
    tab.faults.clear()  # axe itself writes styles into the page
    page.get_by_role("link", name="who else heard it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Calls that heard version 1 of")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_shuts_anybody_out_or_is_cut_off(
    browser: Browser, stack: Stack, session: Any, quiet_after: None, scheme: Any, width: int
) -> None:
    with browser.new_context(
        base_url=stack.site_url, storage_state=session, color_scheme=scheme, viewport={"width": width, "height": 900}
    ) as window:
        page = window.new_page()
        faults: list[str] = []
        page.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
        open_policy(page)
        places = [page.url, page.url.replace("change/", "history/"), f"{POLICIES}add/", f"{INCIDENTS}add/", CALLS]
        switch_on(page)
        for place in [page.url, INCIDENTS, *places]:
            page.goto(place)
            page.wait_for_load_state("networkidle")
            assert faults == [], place
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
            assert find_violations(page) == [], place
            faults.clear()  # axe itself writes styles into the page
