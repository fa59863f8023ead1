"""Parked questions and drift, with the real worker behind them, in a real browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from connectgenai.wire.request import GenerationRequest
from local.provision import local_client
from local.stack import Stack
from tests.browser.conftest import Tab

PARKED = "/admin/cache_admin/parkedmessage/"
DRIFT = "/admin/cache_admin/reconciliation/"
HOUSEKEEPING_MS = 60_000  # it comes twice a minute, on two slow cores that may be shared with much else
QUESTION = "Do you sell hats in winter?"


@pytest.fixture
def parked(stack: Stack) -> None:
    """A question that failed three times, and something that is no question."""
    environment = stack.environment
    sqs = local_client("sqs", environment["AWS_ENDPOINT_URL"])
    warm = GenerationRequest(topic="store-faq", question=QUESTION, language="en-US").to_json()
    for body, reason in ((warm, "failed"), ("<b>no JSON</b>", "not_json")):
        told = {"reason": reason, "queue": "cgai-prewarm"}
        attributes: Any = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
        url = environment["CONNECTGENAI_DEAD_LETTER_QUEUE_URL"]
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)


def find_violations(page: Page) -> list[str]:
    """axe-core's findings on the page as it is now: rule and place."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


def reload_until(page: Page, words: str) -> None:
    """The list does not change by itself."""
    for _ in range(30):
        page.reload()
        if page.get_by_role("row", name=re.compile(words)).count():
            return
        page.wait_for_timeout(1_000)
    raise AssertionError(f"{words} never came")


def test_a_parked_question_is_sent_back_and_answered(tab: Tab, parked: None) -> None:
    page = tab.page
    page.goto(PARKED)
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text(re.compile("messages? in the dead-letter queue"))).to_be_visible()
    row = page.get_by_role("row", name=re.compile(QUESTION.replace("?", r"\?")))
    row.get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option(label="Send selected messages back to the workers")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("heading", name="Send parked questions back?")).to_be_visible()
    page.get_by_role("button", name="Send back").click()
    expect(page.get_by_text("1 message sent back to the workers.")).to_be_visible()
    page.goto(f"/admin/cache_admin/cachedanswer/?q={QUESTION.replace(' ', '+').rstrip('?')}")
    reload_until(page, "Do you sell hats")


def test_a_comparison_is_asked_for_and_its_result_appears_by_itself(tab: Tab) -> None:
    page = tab.page
    page.goto(DRIFT)
    page.get_by_role("button", name="Compare now").click()
    expect(page.get_by_text("Housekeeping begins within half a minute.")).to_be_visible()
    expect(page.get_by_text(re.compile("as DynamoDB has|differs? from"))).to_be_visible(timeout=HOUSEKEEPING_MS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(context: BrowserContext, parked: None, scheme: Any) -> None:
    page = context.new_page()  # no Tab: axe itself tries inline styles, and the policy says so in the console
    page.emulate_media(color_scheme=scheme)
    page.goto(PARKED)
    page.get_by_role("button", name="Look again").click()
    found = {}
    for path in (PARKED, f"{PARKED}?reason=not_json", f"{PARKED}discard/?reason=not_json", DRIFT):
        page.goto(path)
        found[path] = find_violations(page)
    page.goto(f"{PARKED}?reason=not_json")
    page.locator("#result_list").get_by_role("link", name="Unreadable").first.click()
    expect(page.get_by_text("It is no JSON.")).to_be_visible()
    found["one"] = find_violations(page)
    assert {name: faults for name, faults in found.items() if faults} == {}
