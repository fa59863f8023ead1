"""Missed questions, batches and imports in a real browser: typed, previewed, confirmed, watched to the end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from local.stack import SUPERVISOR, Stack
from tests.browser.conftest import Tab

ROOT = Path(__file__).resolve().parents[2]
LIST = "/admin/cache_admin/warmbatch/"
SCHEDULES = "/admin/cache_admin/warmschedule/"
MISSED = "/admin/cache_admin/missedquestion/"
PICTURES = os.environ.get("CONNECTGENAI_PICTURES", "")  # a folder: pictures of the pages for whoever looks at them


def picture(page: Page, name: str) -> None:
    """Takes the page as it is, wide and narrow."""
    for width in (1280, 390) if PICTURES else ():
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}.png"), full_page=True)


def find_violations(page: Page) -> list[str]:
    """axe-core's findings: rule and place."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


def is_too_wide(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def type_questions(page: Page, *questions: str) -> None:
    page.goto(f"{LIST}type/")
    page.get_by_label("Questions").fill("\n".join(questions))
    page.get_by_label("Topic").select_option(index=1)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("button", name="Confirm and begin")).to_be_visible()


def test_typed_questions_are_previewed_confirmed_and_answered_without_a_reload(tab: Tab) -> None:
    page = tab.page
    type_questions(page, "Can I bring my dog to the shop?", "Is there a play corner for children?", "???")
    expect(page.get_by_text("2 rows are chosen.")).to_be_visible()
    page.get_by_role("button", name="Confirm and begin").click()
    expect(page.get_by_text("You may leave this page; it goes on.")).to_be_visible()
    expect(page.locator("#warm-title .badge")).to_have_text("done", timeout=60_000)
    expect(page.locator(".warm-figures")).to_contain_text("tokens")


def test_a_file_of_ready_answers_is_read_in_the_background_and_published(tab: Tab, tmp_path: Path) -> None:
    page = tab.page
    file = tmp_path / "answers.csv"
    file.write_text('question,answer\nIs there a cloakroom?,"Yes, next to the entrance."\nIs it free?,\n')
    page.goto(f"{LIST}answers/")
    page.get_by_label("File").set_input_files(file)
    page.get_by_label("Topic").select_option(index=1)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("button", name="Confirm and begin")).to_be_visible(timeout=60_000)
    page.get_by_role("link", name="invalid: 1").click()
    expect(page.get_by_text("There is no answer.")).to_be_visible()
    page.get_by_role("link", name="new: 1").click()
    page.get_by_role("button", name="Confirm and begin").click()
    expect(page.locator("#warm-title .badge")).to_have_text("done", timeout=60_000)
    page.get_by_role("link", name="Is there a cloakroom?").click()
    expect(page.get_by_text("Yes, next to the entrance.").first).to_be_visible()


def test_a_batch_begins_by_keyboard_alone(tab: Tab) -> None:
    page = tab.page
    type_questions(page, "Do you wrap presents?")
    box = page.get_by_role("checkbox", name="Take row 1: Do you wrap presents?")
    box.focus()
    page.keyboard.press("Space")
    expect(box).not_to_be_checked()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save the choice").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 row is chosen.")).to_be_visible()


def test_what_was_typed_outlives_a_lost_session(tab: Tab, stack: Stack) -> None:
    page = tab.page
    page.goto(f"{LIST}type/")
    page.get_by_label("Questions").fill("Do you sharpen knives?")
    page.get_by_label("Topic").select_option(index=1)
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("heading", name="Your session had ended").wait_for()
    tab.faults.clear()  # the form was refused, as it should be
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Log in again in another tab").click()
    other = opened.value
    other.get_by_label("Username").fill(SUPERVISOR)
    other.get_by_label("Password").fill(stack.password)
    other.get_by_role("button", name="Log in").click()
    other.wait_for_url("**/preferences/")
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("1 row is chosen.")).to_be_visible()
    page.goto(f"{LIST}type/")
    expect(page.get_by_label("Questions")).to_have_value("")


def test_what_a_caller_waited_for_is_missed_and_leads_to_its_answer(tab: Tab, stack: Stack) -> None:
    page, question = tab.page, "Are there lockers at the entrance?"
    command = [sys.executable, "manage.py", "call", "--topic", "store-faq", "--question", question]
    environment: Any = stack.environment
    subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=120)
    link = page.get_by_role("link", name=question, exact=True)
    for _ in range(60):  # the list lags a moment behind the call
        page.goto(MISSED)
        if link.count():
            break
        page.wait_for_timeout(1_000)
    expect(page.get_by_role("row").filter(has=link).get_by_text("1 no answer was ready")).to_be_visible()
    picture(page, "missed-rows")
    page.get_by_role("link", name=f"Listen: {question}").click()
    expect(page.get_by_role("heading", name="What a voice makes of it")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_have_no_barriers(context: BrowserContext, scheme: Any) -> None:
    page = context.new_page()  # no Tab: axe itself tries inline styles, and the policy says so in the console
    page.emulate_media(color_scheme=scheme)
    for path in (
        LIST,
        SCHEDULES,
        f"{SCHEDULES}add/",
        f"{LIST}type/",
        f"{LIST}warm/",
        f"{LIST}answers/",
        MISSED,
        f"{MISSED}?hours=720",
    ):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(path)
        assert find_violations(page) == [], path
        page.set_viewport_size({"width": 390, "height": 900})
        assert not is_too_wide(page), path
        picture(page, f"{scheme}-{path.strip('/').rpartition('/')[2].partition('?')[0]}")
    type_questions(page, "Do you mend clocks?", "do you mend clocks", "Where is my parcel?")
    assert find_violations(page) == []
    picture(page, f"{scheme}-preview")
    page.set_viewport_size({"width": 390, "height": 900})
    assert not is_too_wide(page)
