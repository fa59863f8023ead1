"""A form that is sent when its session is over: nothing typed is lost, and no other site gets a form out of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

FORM = "/admin/auth/group/add/"
OURS = {"origin": "http://testserver", "sec-fetch-site": "same-origin", "sec-fetch-dest": "document"}
TYPED = {"name": 'Night "shift" <b>', "permissions": ["1", "2"], "password1": "hunter2",
         "topic_scope-TOTAL_FORMS": "0", "topic_scope-INITIAL_FORMS": "0"}  # fmt: skip


@pytest.fixture
def browser(db: None) -> Client:
    """One whose forms need their token, as all do."""
    client = Client(enforce_csrf_checks=True)
    client.get("/admin/login/")
    return client


def send(client: Client, headers: dict[str, str] = OURS, *, token: str = "", **more: Any) -> Any:
    given = token or client.cookies["csrftoken"].value
    return client.post(FORM, {**TYPED, "csrfmiddlewaretoken": given, **more}, headers=headers)


def test_a_form_without_a_session_comes_back_with_all_that_was_typed(browser: Client) -> None:
    reply = send(browser)
    page = reply.content.decode()
    assert (reply.status_code, "Nothing was saved yet" in page) == (403, True)
    assert 'name="name" value="Night &quot;shift&quot; &lt;b&gt;"' in page
    assert re.findall(r'name="permissions" value="(\d)"', page) == ["1", "2"]
    assert "hunter2" not in page
    assert f'action="{FORM}"' in page


def test_it_is_sent_again_after_signing_in_elsewhere(browser: Client) -> None:
    page = send(browser).content.decode()
    browser.force_login(User.objects.create_superuser("ada"))  # in another tab, with the same cookies
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    assert (
        send(browser, token=dict(fields)["csrfmiddlewaretoken"], name="Night", permissions=[])["Location"]
        == "/admin/auth/group/"
    )
    assert Group.objects.filter(name="Night").exists()


def test_an_outdated_token_gives_the_form_back_with_a_new_one(browser: Client) -> None:
    browser.force_login(User.objects.create_superuser("ada"))
    reply = send(browser, token="x" * 64)
    page = reply.content.decode()
    assert (reply.status_code, "Log in again" in page) == (403, False)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    assert send(browser, token=token[1], name="Day", permissions=[]).status_code == 302


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "null"},
        {"origin": "http://testserver", "sec-fetch-site": "same-site"},
        {"origin": "http://testserver:81"},
        {},
    ],
)
@pytest.mark.parametrize("is_in", [True, False])
def test_what_another_site_sends_never_becomes_a_form_of_ours(
    browser: Client, headers: dict[str, str], is_in: bool
) -> None:
    if is_in:
        browser.force_login(User.objects.create_superuser("ada"))
    page = send(browser, headers, token="x" * 64 if is_in else "").content.decode()
    assert "Night" not in page
    assert "Send again" not in page


def test_a_script_is_told_in_its_own_way(browser: Client) -> None:
    reply = send(browser, {**OURS, "sec-fetch-dest": "empty"})
    assert reply["Location"].startswith("/admin/login/")


def test_files_have_to_be_chosen_again_and_the_page_says_so(browser: Client) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    page = send(browser, file=SimpleUploadedFile("a.txt", b"words")).content.decode()
    assert "Files cannot be kept" in page
