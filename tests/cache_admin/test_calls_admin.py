from __future__ import annotations

import pytest
from django.test import Client

from cache_admin.models import Call
from cache_admin.services.mirror import apply_items
from tests.cache_admin.conftest import NOW_MS, login
from tests.cache_admin.test_mirror import answer_item, call_item

LIST = "/admin/cache_admin/call/"
CONTACT = "0f6e2f9c-1111-2222-3333-444455556666"
EVENTS = ("3000|prompt|1", "5600|comfort|", "11000|prompt|2", "15250|part|1", "20000|part|2")


@pytest.fixture
def call(db: None) -> Call:
    apply_items(
        [
            answer_item(1, question="Are you open <b>now</b>?"),
            call_item(
                1, CONTACT, outcome="answered", source="generated", events=EVENTS, first_words_at=NOW_MS + 15_250,
                initial_contact_id="first", caller="k1:abcdef", prompts=2, parts=2,
            ),
        ]
    )  # fmt: skip
    return Call.objects.get()


def test_the_list_shows_what_was_asked_and_how_it_went(supervisor: Client, call: Call) -> None:
    page = supervisor.get(LIST).content.decode()
    assert "Are you open &lt;b&gt;now&lt;/b&gt;?" in page
    assert '<span class="badge badge-good">answered</span>' in page
    assert "15.2 s" in page


def test_the_page_tells_the_call_from_the_question_to_the_end(supervisor: Client, call: Call) -> None:
    page = supervisor.get(f"{LIST}{call.pk}/change/").content.decode()
    for seconds, what in (
        ("0.0", "the caller asks"),
        ("3.0", "wait prompt 1"),
        ("5.6", "comfort sound"),
        ("15.3", "part 1 of the answer"),
    ):
        assert f"<td>{seconds} s</td>" in page
        assert what in page
    assert "5.4 s" in page  # the longest gap
    assert "k1:abcdef" not in page


@pytest.mark.parametrize("query", [CONTACT, "first", "faq.1", f"  {CONTACT} "])
def test_a_call_is_found_by_its_ids(supervisor: Client, call: Call, query: str) -> None:
    assert len(supervisor.get(LIST, {"q": query}).context["cl"].result_list) == 1
    assert len(supervisor.get(LIST, {"q": query.strip()[:-1]}).context["cl"].result_list) == 0


@pytest.mark.parametrize(
    ("query", "count"), [("outcome__exact=answered", 1), ("outcome__exact=failed", 0), ("source__exact=hit", 0)]
)
def test_calls_can_be_filtered(supervisor: Client, call: Call, query: str, count: int) -> None:
    assert len(supervisor.get(f"{LIST}?{query}").context["cl"].result_list) == count


@pytest.mark.parametrize("events", [(), ("rubbish",), ("|",), ("-5|part|1",), ("12|<script>|<b>",)])
def test_any_events_can_be_shown(supervisor: Client, db: None, events: tuple[str, ...]) -> None:
    apply_items([call_item(1, events=events)])
    page = supervisor.get(f"{LIST}{Call.objects.get().pk}/change/").content.decode()
    assert "the caller asks" in page
    assert "<script>|" not in page
    assert "Not known any more." in page


def test_calls_are_only_to_look_at(client: Client, call: Call) -> None:
    login(client, "view_call", "add_call", "change_call", "delete_call")
    assert client.get(f"{LIST}{call.pk}/change/").status_code == 200
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{call.pk}/change/", {}).status_code == 403
    assert client.post(f"{LIST}{call.pk}/delete/", {"post": "yes"}).status_code == 403
