"""What is around every page, in a real browser: menu, filters, search, and forms that are sent once and not lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect

from tests.browser.workspace import NARROW, Workspace, come_in

ANSWERS, TOPIC = "/admin/cache_admin/cachedanswer/", "/admin/cache_admin/topic/1/change/"


@pytest.fixture
def page(browser: Browser, workspace: Workspace) -> Iterator[Page]:
    with come_in(browser, workspace, "Supervisors") as context:
        yield context.new_page()


def test_a_second_click_sends_nothing_twice(page: Page) -> None:
    sent: list[str] = []

    def note(route: Route) -> None:
        if route.request.method == "POST":
            sent.append(route.request.url)
            route.fulfill(status=204)  # the page stays
        else:
            route.continue_()

    page.goto(TOPIC)
    page.route(f"**{TOPIC}", note)
    save = page.get_by_role("button", name="Save", exact=True)
    save.evaluate("button => { button.click(); button.click(); }")
    expect(save).to_be_disabled()
    page.wait_for_timeout(300)
    assert len(sent) == 1


def test_the_button_that_was_pressed_reaches_the_server(page: Page) -> None:
    page.goto(TOPIC)
    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_load_state()
    expect(page.locator(".messagelist .success")).to_be_visible()
    assert page.url.endswith(TOPIC)


@pytest.mark.parametrize(("typed", "asked"), [("Another title", ["beforeunload"]), ("", [])])
def test_whoever_leaves_a_form_is_asked_only_if_something_was_typed(page: Page, typed: str, asked: list[str]) -> None:
    dialogs: list[str] = []

    def agree(dialog: Dialog) -> None:
        dialogs.append(dialog.type)
        dialog.accept()

    page.on("dialog", agree)
    page.goto(TOPIC)
    page.locator("#id_title").press("End")
    if typed:
        page.locator("#id_title").fill(typed)
    page.get_by_role("link", name="Calls", exact=True).click()
    page.wait_for_url("**/call/")
    assert dialogs == asked


def test_the_menu_and_the_filters_stay_as_they_were_left(page: Page) -> None:
    page.goto(ANSWERS)
    expect(page.locator("#changelist-filter")).to_be_hidden()
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("button", name="Menu").click()
    page.goto("/admin/cache_admin/call/")
    expect(page.locator("#changelist-filter")).to_be_visible()
    assert page.locator("#house-menu").evaluate("menu => menu.offsetWidth") < 80
    expect(page.get_by_role("button", name="Menu")).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_role("link", name="Answers", exact=True)).to_be_attached()


def test_on_a_narrow_page_the_menu_lies_over_it_and_escape_closes_it(page: Page) -> None:
    page.set_viewport_size(NARROW)
    page.goto(ANSWERS)
    expect(page.locator("#house-menu")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Now", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#house-menu")).to_be_hidden()
    expect(page.get_by_role("button", name="Menu")).to_be_focused()
    assert page.locator("#result_list tbody tr").first.evaluate("row => getComputedStyle(row).display") == "block"


def test_a_slash_leads_to_the_search_and_a_chip_takes_a_filter_away(page: Page) -> None:
    page.goto(f"{ANSWERS}?state__exact=FAILED")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search")).to_be_focused()
    page.locator(".chip", has_text="State").click()
    expect(page.locator(".chip")).to_have_count(0)
    expect(page.locator("#result_list tbody tr").nth(5)).to_be_visible()
