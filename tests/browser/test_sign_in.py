"""Signing in, in a real browser: the second factor is set up and asked for, and a lost session loses nothing."""

from __future__ import annotations

import re

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from local.stack import Stack

NAME, PASSWORD = "grace", "a long enough password"


def log_in(page: Page, *, until: str) -> None:
    page.goto("/admin/login/?next=/admin/password_change/")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(until)


def check(page: Page) -> None:
    """No finding of axe, and no sideways scrolling."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_second_factor_and_a_lost_session(browser: Browser, stack: Stack) -> None:
    stack.manage("ensure_supervisor", NAME, environment={"SUPERVISOR_PASSWORD": PASSWORD})
    faults: list[str] = []
    with browser.new_context(base_url=stack.site_url, viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto("/admin/login/")
        check(page)
        log_in(page, until="**/password_change/")

        page.goto("/account/second-factor/app/")
        check(page)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        page.wait_for_url("**/second-factor/app/")
        assert page.locator(".qr svg").bounding_box()
        check(page)
        secret = page.locator(".secret").inner_text()
        page.get_by_role("textbox").fill(make_code(secret))
        page.get_by_role("button", name="Switch it on").click()
        page.wait_for_url("**/second-factor/paper/")
        check(page)
        paper = page.locator(".codes li").first.inner_text()

        lose_session(page)
        page.get_by_role("button", name="Send again").wait_for()
        check(page)
        with context.expect_page() as opened:
            page.get_by_role("link", name=re.compile("Log in again")).click()
        other = opened.value
        other.get_by_label("Username").fill(NAME)
        other.get_by_label("Password").fill(PASSWORD)
        other.get_by_role("button", name="Log in").click()
        other.wait_for_url("**/second-factor/code/")
        check(other)
        other.get_by_role("textbox").fill(paper)
        other.get_by_role("button", name="Log in").click()
        other.wait_for_url("**/preferences/")
        page.get_by_role("button", name="Send again").click()
        page.wait_for_url("**/admin/auth/group/")
        assert page.locator("#result_list").get_by_role("link", name="Night shift").is_visible()
    assert faults == []


def make_code(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))


def lose_session(page: Page) -> None:
    """The session ends while a form is being filled in."""
    page.goto("/admin/auth/group/add/")
    page.locator("#id_name").fill("Night shift")
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Save", exact=True).click()
