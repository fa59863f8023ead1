"""What every list says about itself: what it is narrowed down to, and why there is nothing in it; and the menu beside it."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.admin.sites import site
from django.test import Client
from django.utils import timezone

from cache_admin.lists.emptiness import REASONS
from cache_admin.navigation import PAGES, SECTIONS
from cache_admin.services.mirror import apply_items
from tests.cache_admin.conftest import login
from tests.cache_admin.test_mirror import answer_item, call_item

ANSWERS, CALLS = "/admin/cache_admin/cachedanswer/", "/admin/cache_admin/call/"
CHIP = re.compile(r'<a href="([^"]*)" class="chip"[^>]*><span>([^:]+): <b>([^<]+)</b>')


def read_chips(client: Client, url: str) -> dict[str, tuple[str, str]]:
    """Name -> value, and where the list is without it."""
    page = client.get(url).content.decode()
    return {name: (html.unescape(value), html.unescape(link)) for link, name, value in CHIP.findall(page)}


def test_each_filter_that_is_on_can_be_taken_away_alone(supervisor: Client) -> None:
    chips = read_chips(supervisor, f"{ANSWERS}?state__exact=READY&source__exact=curated&q=open")
    assert {name: value for name, (value, _) in chips.items()} == {"State": "ready", "Source": "a supervisor"}
    assert set(chips["State"][1].lstrip("?").split("&")) == {"source__exact=curated", "q=open"}


def test_what_came_with_a_link_and_is_no_filters_choice_is_told_too(supervisor: Client) -> None:
    since = timezone.now().replace(hour=8, minute=30).isoformat()
    chips = read_chips(supervisor, f"{CALLS}?source__in=hit,curated&asked_at__gte={since.replace('+', '%2B')}")
    assert chips["Source"][0] == "known answer, a supervisor's text"
    assert chips["Asked"][0].startswith("since ")
    assert "08:30" in chips["Asked"][0] or "8:30" in chips["Asked"][0]
    assert chips["Asked"][1] in ("?source__in=hit%2Ccurated", "?source__in=hit,curated")


def test_what_a_filter_shows_by_itself_is_no_chip(supervisor: Client) -> None:
    assert read_chips(supervisor, "/admin/cache_admin/reviewitem/") == {}
    assert list(read_chips(supervisor, "/admin/cache_admin/reviewitem/?state=draft")) == ["State"]


def test_an_empty_list_says_what_to_do(supervisor: Client) -> None:
    assert "No answers yet" in supervisor.get(ANSWERS).content.decode()
    apply_items([answer_item(1), call_item(1)])
    page = supervisor.get(f"{ANSWERS}?state__exact=FAILED").content.decode()
    assert "Nothing matches" in page
    assert "No answers yet" not in page
    assert "empty-list" not in supervisor.get(ANSWERS).content.decode()


@pytest.mark.parametrize("name", sorted(REASONS))
def test_each_reason_is_for_a_list_that_is_there(name: str) -> None:
    assert name in {model._meta.model_name for model in site._registry}


def test_the_menu_shows_what_somebody_may_see_and_marks_where_they_are(client: Client, db: None) -> None:
    login(client, "view_call", "view_topic")
    page = client.get(CALLS).content.decode()
    menu = page[page.index('id="house-menu"') : page.index("</nav>", page.index('id="house-menu"'))]
    assert re.findall(r'href="([^"]+)" title', menu) == ["/admin/", CALLS, "/admin/cache_admin/topic/"]
    assert re.findall(r'href="([^"]+)" title="[^"]+" aria-current="page"', menu) == [CALLS]


def test_no_page_is_missing_in_the_menu(supervisor: Client) -> None:
    page = supervisor.get("/admin/").content.decode()
    for model in site._registry:
        assert f'href="/admin/{model._meta.app_label}/{model._meta.model_name}/"' in page, model


def test_each_section_names_pages_that_there_are() -> None:
    named = {name for _title, names in SECTIONS for name in names}
    assert named == set(PAGES)
    assert named <= {model._meta.model_name for model in site._registry}
