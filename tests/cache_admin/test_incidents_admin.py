from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.utils import timezone

from cache_admin.models import Incident, Topic
from cache_admin.templatetags.incidents import incident_banner
from connectgenai.wire.store import AnswerStore
from tests.aws import Aws
from tests.cache_admin.conftest import ask, login

LIST = "/admin/cache_admin/incident/"
TEXT = "Our shops are closed today because of the storm."


def fill_in(**changes: Any) -> dict[str, Any]:
    return {"text": TEXT, "topics": ["faq"], "questions": "", "lasts": "60", "until": "", **changes}


def switch_on(client: Client, **changes: Any) -> Incident:
    assert client.post(f"{LIST}add/", fill_in(**changes)).status_code == 302
    incident = Incident.objects.first()
    assert incident is not None
    return incident


def chunks_of(store: AnswerStore, name: str = "faq") -> tuple[str, ...]:
    item = store.read_topic(name)
    assert item is not None
    return item.incident_chunks


def test_a_text_is_switched_on_for_as_long_as_was_chosen(supervisor: Client, store: AnswerStore, topic: Topic) -> None:
    incident = switch_on(supervisor)
    assert chunks_of(store) == (TEXT,)
    assert timedelta(minutes=59) < incident.until - timezone.now() <= timedelta(hours=1)
    assert incident.started_by == User.objects.get(username="ada")
    assert LogEntry.objects.get().get_change_message() == "Switched on for faq."
    page = supervisor.get(f"{LIST}{incident.pk}/change/").content.decode()
    assert TEXT in page
    assert "Switch off" in page


def test_it_is_switched_off_early_and_can_be_said_again(supervisor: Client, store: AnswerStore, topic: Topic) -> None:
    incident = switch_on(supervisor, questions="Are you open on Sunday?")
    page = supervisor.post(f"{LIST}{incident.pk}/off/", follow=True).content.decode()
    assert "It is off" in page
    assert chunks_of(store) == ()
    assert "Say this text again" in page
    again = supervisor.get(f"{LIST}add/?from={incident.pk}").content.decode()
    assert TEXT in again
    assert "Are you open on Sunday?</textarea>" in again
    assert 'value="faq" id="id_topics_0" checked' in again


def test_a_link_can_choose_the_question_beforehand(supervisor: Client, topic: Topic) -> None:
    page = supervisor.get(f"{LIST}add/", {"topic": "faq", "question": "Are you <b>open</b>?"}).content.decode()
    assert "Are you &lt;b&gt;open&lt;/b&gt;?" in page
    assert 'value="faq" id="id_topics_0" checked' in page


def test_only_the_chosen_questions_are_written(supervisor: Client, store: AnswerStore, topic: Topic) -> None:
    switch_on(supervisor, questions="Are you open on Sunday?\nAre you  open on Sunday?\n")
    item = store.read_topic("faq")
    assert item is not None
    assert item.incident_keys == (ask("Are you open on Sunday?").key,)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"text": ""}, "This field is required."),
        ({"text": "*** | ***"}, "Nothing of this can be spoken."),
        ({"text": "x" * 2_001}, "at most 2000 characters"),
        ({"topics": []}, "Choose at least one topic."),
        ({"topics": ["nowhere"]}, "nowhere is not one of the available choices."),
        ({"questions": "Where is my order?"}, "is about a caller&#x27;s own business"),
        ({"questions": "\n".join(f"Question {n}?" for n in range(101))}, "At most 100 questions"),
        ({"lasts": "other"}, "Say until when."),
        ({"lasts": "other", "until": "soon"}, "Enter a valid date/time."),
        ({"lasts": "other", "until": "2020-01-01T10:00"}, "Choose a time that is to come"),
        ({"lasts": "other", "until": "2199-01-01T10:00"}, "Choose a time that is to come"),
        ({"lasts": "7"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_said_is_refused_at_its_field_and_what_was_typed_is_kept(
    supervisor: Client, store: AnswerStore, topic: Topic, changes: dict[str, Any], fault: str
) -> None:
    page = supervisor.post(f"{LIST}add/", fill_in(**changes)).content.decode()
    assert fault in page
    assert changes.get("text", TEXT)[:50] in page
    assert Incident.objects.count() == 0
    assert chunks_of(store) == ()


def test_a_topic_where_another_text_is_on_is_refused_by_name(supervisor: Client, topic: Topic) -> None:
    switch_on(supervisor)
    page = supervisor.post(f"{LIST}add/", fill_in(text="Another.")).content.decode()
    assert "Another incident text is on here, switch it off first: Questions and answers" in page
    assert Incident.objects.count() == 1


def test_when_dynamodb_is_down_it_says_so_and_keeps_what_was_typed(supervisor: Client, site: Aws, topic: Topic) -> None:
    site.dynamodb.delete_table(TableName=site.table)
    page = supervisor.post(f"{LIST}add/", fill_in()).content.decode()
    assert "nothing was switched on" in page
    assert TEXT in page
    assert "Incident text on" not in page  # the banner
    assert "never on" in supervisor.get(LIST).content.decode()


def test_when_dynamodb_is_down_it_stays_on_and_says_where(supervisor: Client, site: Aws, topic: Topic) -> None:
    incident = switch_on(supervisor)
    site.dynamodb.delete_table(TableName=site.table)
    page = supervisor.post(f"{LIST}{incident.pk}/off/", follow=True).content.decode()
    assert "it is still on for faq" in page
    assert "Incident text on" in page


def test_its_end_is_moved_while_it_is_on(supervisor: Client, store: AnswerStore, topic: Topic) -> None:
    incident = switch_on(supervisor)
    page = supervisor.post(f"{LIST}{incident.pk}/prolong/", {"minutes": "240"}, follow=True).content.decode()
    assert "It lasts until" in page
    incident.refresh_from_db()
    assert incident.until - timezone.now() > timedelta(hours=3, minutes=59)
    wrong = supervisor.post(f"{LIST}{incident.pk}/prolong/", {"minutes": "7"}, follow=True).content.decode()
    assert "Choose how long it lasts." in wrong
    supervisor.post(f"{LIST}{incident.pk}/off/")
    supervisor.post(f"{LIST}{incident.pk}/prolong/", {"minutes": "720"})
    assert chunks_of(store) == ()


def test_when_dynamodb_is_down_the_page_says_that_the_earlier_end_holds(
    supervisor: Client, site: Aws, topic: Topic
) -> None:
    incident = switch_on(supervisor)
    site.dynamodb.delete_table(TableName=site.table)
    page = supervisor.post(f"{LIST}{incident.pk}/prolong/", {"minutes": "240"}, follow=True).content.decode()
    assert "the earlier end holds" in page


def test_missing_topics_are_tried_again(supervisor: Client, store: AnswerStore, topic: Topic) -> None:
    incident = switch_on(supervisor)
    store.set_incident("faq", incident_id="", chunks=(), until_ms=0, now_ms=1)
    incident.topics.update(state="failed")
    assert "Not on: Questions and answers." in supervisor.get("/admin/").content.decode()
    page = supervisor.post(f"{LIST}{incident.pk}/again/", follow=True).content.decode()
    assert "It is on: callers hear it" in page
    assert chunks_of(store) == (TEXT,)


def test_a_banner_stands_on_every_page_for_all_staff_while_one_is_on(
    supervisor: Client, client: Client, topic: Topic
) -> None:
    assert 'incident-banner"' not in supervisor.get("/admin/").content.decode()
    incident = switch_on(supervisor)
    for address in ("/admin/", LIST, "/admin/cache_admin/topic/", f"/admin/cache_admin/topic/{topic.pk}/change/"):
        page = supervisor.get(address).content.decode()
        assert "Incident text on" in page, address
        assert "switched on by ada" in page
    login(client, "view_call")
    page = client.get("/admin/cache_admin/call/").content.decode()
    assert "Questions and answers" in page
    assert "Look, or switch it off" not in page
    client.logout()
    assert "Incident text on" not in client.get("/admin/login/").content.decode()
    Incident.objects.filter(pk=incident.pk).update(until=timezone.now())
    login(client, "view_call")
    assert "Incident text on" not in client.get("/admin/").content.decode()


def test_the_list_shows_what_is_on_and_what_was(supervisor: Client, topic: Topic) -> None:
    first = switch_on(supervisor)
    supervisor.post(f"{LIST}{first.pk}/off/")
    switch_on(supervisor, text="A second text.")
    page = supervisor.get(LIST).content.decode()
    assert page.index("A second text.") < page.index(TEXT)
    assert "switched off" in page


def test_the_right_to_look_is_not_the_right_to_switch(client: Client, supervisor: Client, topic: Topic) -> None:
    incident = switch_on(supervisor)
    login(client, "view_incident")
    assert client.get(LIST).status_code == 200
    page = client.get(f"{LIST}{incident.pk}/change/")
    assert page.status_code == 200
    assert "/off/" not in page.content.decode()
    for send, address in (
        (client.get, "add/"), (client.post, "add/"), (client.post, f"{incident.pk}/off/"),
        (client.post, f"{incident.pk}/again/"), (client.post, f"{incident.pk}/prolong/"),
        (client.post, "voice/"), (client.post, f"{incident.pk}/delete/"),
    ):  # fmt: skip
        assert send(f"{LIST}{address}").status_code == 403, address
    login(client, "view_call")
    assert client.get(f"{LIST}{incident.pk}/change/").status_code == 403
    assert client.get(LIST).status_code == 403


def test_the_right_to_switch_is_enough(client: Client, topic: Topic) -> None:
    login(client, "switch_incident")
    incident = switch_on(client)
    assert client.get(LIST).status_code == 200
    assert client.post(f"{LIST}{incident.pk}/off/").status_code == 302
    incident.refresh_from_db()
    assert incident.ended_at is not None


def test_nothing_is_switched_by_a_link(supervisor: Client, topic: Topic) -> None:
    incident = switch_on(supervisor)
    for page in ("off", "again", "prolong"):
        assert supervisor.get(f"{LIST}{incident.pk}/{page}/").status_code == 405


def test_what_a_voice_makes_of_the_text_is_said_as_it_is_written(supervisor: Client, db: None) -> None:
    found = json.loads(supervisor.post(f"{LIST}voice/", {"text": "See www.example.com."}).content)
    assert "nobody can follow a spoken link" in found["faults"][0]["message"]
    good = json.loads(supervisor.post(f"{LIST}voice/", {"text": TEXT}).content)
    assert (good["verdict"], good["parts"][0]["ssml"]) == ("Fit to be spoken.", f"<speak>{TEXT}</speak>")
    assert json.loads(supervisor.post(f"{LIST}voice/", {"text": ""}).content)["summary"] == "Nothing to hear."


def test_the_banner_costs_one_query_while_nothing_is_on(
    supervisor: Client, topic: Topic, django_assert_num_queries: Any
) -> None:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(username="ada")
    with django_assert_num_queries(1):
        assert incident_banner({"request": request}) == {}
