"""A supervisor chooses German and a time zone, and has them on every page, also in what scripts write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Tab

PAGE = "/admin/preferences/"


def choose(page: Page, *, language: str, time_zone: str) -> None:
    page.goto(f"{PAGE}?next=/admin/")
    page.locator("#id_language").select_option(language)
    page.locator("#id_time_zone").select_option(time_zone)
    page.locator(".submit-row input[type=submit]").click()
    page.wait_for_url("**/admin/")


@pytest.fixture
def german(tab: Tab) -> Iterator[Page]:
    """The first page in German; English again for the tests that follow."""
    choose(tab.page, language="de", time_zone="Asia/Kolkata")
    yield tab.page
    choose(tab.page, language="", time_zone="")


def test_pages_and_scripts_speak_german_and_show_the_zones_time(german: Page, tab: Tab) -> None:
    expect(german.locator("html")).to_have_attribute("lang", "de")
    expect(german.locator("#home-at")).to_contain_text("IST")
    expect(german.locator("#home-table tbody tr").last.locator("th")).to_contain_text(
        ":30"
    )  # half an hour beside the others'
    german.goto("/admin/cache_admin/phonecall/")
    expect(german.locator("#timeline")).to_contain_text("Funkstille")  # a script's word
    german.locator("#id_question").fill("")
    german.locator("#phone-button").click()
    expect(german.locator("#error-question")).to_have_text("Dieses Feld ist zwingend erforderlich.")
    tab.faults.clear()  # the form's 400 was asked for


def test_figures_have_the_languages_own_comma(german: Page) -> None:
    german.goto("/admin/cache_admin/waitpolicy/")
    german.locator("#result_list tbody th a").first.click()
    first = german.locator(".preview-call [data-figure=total]").first
    expect(first).to_contain_text(",", timeout=15_000)
    assert "." not in first.inner_text()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut_off_where_words_are_longer(german: Page, width: int) -> None:
    german.set_viewport_size({"width": width, "height": 900})
    for path in (
        "",
        "cache_admin/cachedanswer/",
        "cache_admin/topic/add/",
        "cache_admin/incident/add/",
        "preferences/",
    ):
        german.goto(f"/admin/{path}")
        assert german.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_choice_has_no_barriers_and_offers_the_browsers_zone(tab: Tab) -> None:
    page = tab.page
    choose(page, language="", time_zone="Europe/Berlin")
    page.goto(PAGE)
    note = page.locator("#browser-zone")
    expect(note).to_contain_text("This browser is in")
    note.get_by_role("button", name="Take it").click()
    expect(page.locator("#id_time_zone")).not_to_have_value("Europe/Berlin")
    assert tab.faults == []
    found = Axe().run(page).response["violations"]
    tab.faults.clear()  # axe puts styles into the page, which our policy refuses
    choose(page, language="", time_zone="")
    assert [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]] == []
