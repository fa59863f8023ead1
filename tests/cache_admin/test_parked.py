"""Parked questions: the copy of the dead-letter queue, and what becomes of what a supervisor decides."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.test import Client
from django.utils import timezone

import jobs
from cache_admin import dead_letters, gateways
from cache_admin.admin.parked_words import REASONS
from cache_admin.dead_letters import REDRIVEN, DeadLetters
from cache_admin.models import ParkedLook, ParkedMessage
from cache_admin.services.mirror import mirror_changes
from cache_admin.services.parked import discard_messages, look, look_if_due, replay_messages
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.request import DEAD_LETTER_QUEUE, LIVE_QUEUE, PREWARM_QUEUE, GenerationRequest
from connectgenai.wire.store import AnswerStore
from jobs.tasks import look_at_parked
from tests.aws import Aws
from tests.cache_admin.conftest import NOW, login
from tests.cache_admin.test_dead_letters import let_sqs_park, park

LIST = "/admin/cache_admin/parkedmessage/"
WARM = GenerationRequest(topic="faq", question="Are you open at Easter?", language="en-US").to_json()
EVIL = "<script>alert(1)</script>" + "x" * 2_000


@pytest.fixture
def letters(site: Aws, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> DeadLetters:
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0)  # the emulator is one server
    settings.QUEUE_URLS = {name: site.queue_urls[name] for name in (LIVE_QUEUE, PREWARM_QUEUE)}
    return gateways.dead_letters()


@pytest.fixture
def nowhere(letters: DeadLetters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTGENAI_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:9/nowhere")


def park_and_look(letters: DeadLetters, aws: Aws, *bodies: str, **told: str) -> list[ParkedMessage]:
    for body in bodies:
        park(aws, body=body, **told)
    look(letters, now=NOW)
    return list(ParkedMessage.objects.order_by("pk"))


# -- looking


def test_a_look_notes_what_is_parked_and_leaves_it_visible(letters: DeadLetters, site: Aws) -> None:
    (row,) = park_and_look(letters, site, WARM, reason="failed", queue=PREWARM_QUEUE)
    assert (row.topic, row.language, row.question) == ("faq", "en-US", "Are you open at Easter?")
    assert (row.queue, row.excerpt) == (PREWARM_QUEUE, "")
    assert len(list(letters.take(limit=10))) == 1


def test_a_claimed_ticket_is_noted_without_words_and_named_by_its_answer(
    letters: DeadLetters, site: Aws, store: AnswerStore, answer: AskedQuestion
) -> None:
    mirror_changes(store, now=NOW)
    (row,) = park_and_look(letters, site, GenerationRequest(key=answer.key, epoch=1).to_json())
    assert (row.key, row.topic, row.language, row.question) == (answer.key, "faq", "en-US", "")


@pytest.mark.parametrize(
    "body", ["", " ", "[" * 3_000, "9" * 6_000, '{"key": 1}', "\u2028\ufffd", '{"question": "\\ud800"}']
)
def test_whatever_lies_there_can_be_noted_and_shown(
    letters: DeadLetters, site: Aws, supervisor: Client, body: str
) -> None:
    (row,) = park_and_look(letters, site, body or "-")
    assert not row.key
    assert supervisor.get(LIST).status_code == 200
    assert supervisor.get(f"{LIST}{row.pk}/change/").status_code == 200


def test_more_than_one_receive_gives_is_noted_at_once(letters: DeadLetters, site: Aws) -> None:
    assert len(park_and_look(letters, site, *(str(n) for n in range(23)))) == 23
    assert ParkedLook.objects.get().depth == 23


def test_looking_again_changes_nothing_and_is_not_counted_as_a_delivery(letters: DeadLetters, site: Aws) -> None:
    (row,) = park_and_look(letters, site, WARM)
    look(letters, now=NOW + timedelta(hours=1))
    (again,) = ParkedMessage.objects.all()
    assert (again.pk, again.parked_at, again.deliveries) == (row.pk, row.parked_at, 1)


def test_what_sqs_parked_itself_was_received_as_often_as_the_queue_allows(letters: DeadLetters, site: Aws) -> None:
    let_sqs_park(site)
    (row,) = park_and_look(letters, site)
    assert (row.reason, row.queue, row.deliveries, row.parked_at) == (REDRIVEN, PREWARM_QUEUE, 3, NOW)


def test_a_message_that_is_gone_leaves_the_table_after_a_while(letters: DeadLetters, site: Aws) -> None:
    park_and_look(letters, site, WARM)
    (parked,) = letters.take(limit=1)
    letters.discard(parked)
    look(letters, now=NOW + timedelta(seconds=30))
    assert ParkedMessage.objects.count() == 1  # somebody may only hold it for a moment
    look(letters, now=NOW + timedelta(minutes=3))
    assert ParkedMessage.objects.count() == 0


def test_housekeeping_looks_only_when_there_may_be_news(letters: DeadLetters, site: Aws) -> None:
    park(site)
    assert look_if_due(letters, now=NOW)
    assert not look_if_due(letters, now=NOW + timedelta(minutes=5))
    assert look_if_due(letters, now=NOW + timedelta(minutes=16))
    park(site)
    assert look_if_due(letters, now=NOW + timedelta(minutes=17))


def test_of_two_who_look_at_once_one_does(letters: DeadLetters, site: Aws) -> None:
    park(site)
    ParkedLook.objects.create(pk=1, busy_until=NOW + timedelta(seconds=30))
    assert not look(letters, now=NOW)
    assert look(letters, now=NOW + timedelta(seconds=31))  # whoever it was has died


def test_an_outage_is_noted_for_the_page_and_ends_with_the_next_look(
    letters: DeadLetters, site: Aws, nowhere: None, supervisor: Client
) -> None:
    look_at_parked()
    assert "SQS does not serve housekeeping" in supervisor.get(LIST).content.decode()
    look_if_due(letters, now=timezone.now())
    assert "SQS does not serve" not in supervisor.get(LIST).content.decode()


# -- deciding


def test_a_replayed_message_goes_to_its_queue_as_it_was(letters: DeadLetters, site: Aws) -> None:
    first, second = park_and_look(letters, site, WARM, WARM, queue=PREWARM_QUEUE)
    settled = replay_messages([second.message_id], letters=letters, now=NOW)
    assert settled.done == [second.message_id]
    assert (site.count_messages(DEAD_LETTER_QUEUE), site.count_messages(PREWARM_QUEUE)) == (1, 1)
    assert list(ParkedMessage.objects.all()) == [first]
    (sent,) = site.sqs.receive_message(QueueUrl=site.queue_urls[PREWARM_QUEUE])["Messages"]
    assert json.loads(sent["Body"]) == json.loads(WARM)


def test_what_was_not_chosen_is_visible_again_at_once(letters: DeadLetters, site: Aws) -> None:
    rows = park_and_look(letters, site, *(str(n) for n in range(12)))
    discard_messages([rows[0].message_id], letters=letters, now=NOW)
    assert len(list(letters.take(limit=20))) == 11


def test_a_message_that_somebody_else_has_taken_is_told_and_kept_in_view(letters: DeadLetters, site: Aws) -> None:
    (row,) = park_and_look(letters, site, WARM)
    (theirs,) = letters.take(limit=1)
    settled = replay_messages([row.message_id], letters=letters, now=NOW)
    assert (settled.done, settled.lost) == ([], [row.message_id])
    letters.release([theirs.receipt])
    look(letters, now=NOW + timedelta(minutes=5))
    assert ParkedMessage.objects.get().missing_since is None


def test_a_message_without_a_home_is_told_and_kept(letters: DeadLetters, site: Aws) -> None:
    (row,) = park_and_look(letters, site, WARM, queue="somebody-elses")
    assert replay_messages([row.message_id], letters=letters, now=NOW).homeless == [row.message_id]
    assert site.count_messages(DEAD_LETTER_QUEUE) == 1


def test_nothing_is_lost_when_the_send_fails(letters: DeadLetters, site: Aws) -> None:
    rows = park_and_look(letters, site, WARM, WARM, queue=PREWARM_QUEUE)
    broken = DeadLetters(
        site.sqs, url=site.queue_urls[DEAD_LETTER_QUEUE], queue_urls={PREWARM_QUEUE: f"{site.endpoint_url}/0/gone"}
    )
    settled = replay_messages([row.message_id for row in rows], letters=broken, now=NOW)
    assert (settled.done, bool(settled.error)) == ([], True)
    assert (site.count_messages(DEAD_LETTER_QUEUE), ParkedMessage.objects.count()) == (2, 2)


# -- the pages


def test_the_list_says_what_is_parked_and_why_in_plain_words(
    letters: DeadLetters, site: Aws, store: AnswerStore, answer: AskedQuestion, supervisor: Client
) -> None:
    mirror_changes(store, now=NOW)
    park(site, body=GenerationRequest(key=answer.key, epoch=1).to_json(), reason="task_not_allowed")
    park_and_look(letters, site, WARM, reason="failed", queue=PREWARM_QUEUE)
    page = supervisor.get(LIST).content.decode()
    for told in ("Are you open on Sunday?", "Unknown task", "Are you open at Easter?", "Failed three times"):
        assert told in page
    assert "2 messages in the dead-letter queue" in page


def test_a_malformed_body_is_shown_escaped_and_shortened(letters: DeadLetters, site: Aws, supervisor: Client) -> None:
    (row,) = park_and_look(letters, site, EVIL)
    for path in (LIST, f"{LIST}{row.pk}/change/"):
        page = supervisor.get(path).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page
        assert "x" * 700 not in page


@pytest.mark.parametrize(
    ("query", "count"), [("topic=faq", 1), ("topic=other", 0), ("reason=failed", 1), ("reason=not_json", 2)]
)
def test_the_list_can_be_filtered(
    letters: DeadLetters, site: Aws, supervisor: Client, topic: Any, query: str, count: int
) -> None:
    park(site, body=WARM, reason="failed")
    park_and_look(letters, site, "{", "}")
    if query == "topic=other":
        type(topic).objects.create(name="other", instructions="x", model_id="x")
    assert len(supervisor.get(f"{LIST}?{query}").context["cl"].result_list) == count


@pytest.mark.parametrize("wish", ["replay", "discard"])
def test_selected_messages_are_settled_after_a_question_and_noted_in_the_history(
    letters: DeadLetters, site: Aws, supervisor: Client, wish: str
) -> None:
    first, second = park_and_look(letters, site, WARM, WARM, queue=PREWARM_QUEUE)
    asked = supervisor.post(LIST, {"action": f"{wish}_selected", "_selected_action": [second.pk]})
    assert "Are you open at Easter?" in supervisor.get(asked["Location"]).content.decode()
    assert site.count_messages(DEAD_LETTER_QUEUE) == 2  # a question, so far
    page = supervisor.post(asked["Location"], follow=True).content.decode()
    assert ("1 message sent back" in page, "1 message discarded" in page) == (wish == "replay", wish == "discard")
    assert (site.count_messages(DEAD_LETTER_QUEUE), site.count_messages(PREWARM_QUEUE)) == (1, int(wish == "replay"))
    noted = LogEntry.objects.get()
    assert (noted.object_repr, noted.action_flag) == (second.message_id, CHANGE if wish == "replay" else DELETION)
    assert list(ParkedMessage.objects.all()) == [first]


def test_all_that_match_a_filter_are_settled_at_once(letters: DeadLetters, site: Aws, supervisor: Client) -> None:
    park(site, body=WARM, reason="failed", queue=PREWARM_QUEUE)
    park_and_look(letters, site, *("{" for _ in range(30)))
    assert "Discard all 30 that match" in supervisor.get(f"{LIST}?reason=not_json").content.decode()
    page = supervisor.post(f"{LIST}discard/?reason=not_json", follow=True).content.decode()
    assert "30 messages discarded." in page
    assert "1 message in the dead-letter queue" in page
    assert site.count_messages(DEAD_LETTER_QUEUE) == 1
    assert LogEntry.objects.count() == 30


def test_a_supervisor_is_told_when_somebody_else_was_quicker(
    letters: DeadLetters, site: Aws, supervisor: Client
) -> None:
    (row,) = park_and_look(letters, site, WARM)
    list(letters.take(limit=1))
    page = supervisor.post(f"{LIST}replay/?pk={row.pk}", follow=True).content.decode()
    assert "somebody else has taken it" in page
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("path", ["replay/?pk={}", "discard/?pk={}", "look/"])
def test_an_outage_of_sqs_is_said_on_the_page(
    letters: DeadLetters, site: Aws, supervisor: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    (row,) = park_and_look(letters, site, WARM)
    monkeypatch.setenv("CONNECTGENAI_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:9/nowhere")
    response = supervisor.post(LIST + path.format(row.pk), follow=True)
    assert response.status_code == 200
    assert "SQS does not serve at the moment" in response.content.decode()
    assert (site.count_messages(DEAD_LETTER_QUEUE), ParkedMessage.objects.count()) == (1, 1)


def test_the_first_page_says_how_many_are_parked(letters: DeadLetters, site: Aws, supervisor: Client) -> None:
    park_and_look(letters, site, WARM, "{")
    assert "<b>2</b> <span>parked questions</span>" in supervisor.get("/admin/").content.decode()


@pytest.mark.parametrize("wish", ["replay", "discard"])
def test_each_decision_needs_its_own_right(letters: DeadLetters, site: Aws, client: Client, wish: str) -> None:
    (row,) = park_and_look(letters, site, WARM)
    login(client, "view_parkedmessage", "discard_parkedmessage" if wish == "replay" else "replay_parkedmessage")
    assert client.get(LIST).status_code == 200
    assert client.post(f"{LIST}{wish}/?pk={row.pk}").status_code == 403
    assert f"/{wish}/" not in client.get(LIST).content.decode()


@pytest.mark.parametrize("path", ["", "replay/", "discard/", "look/"])
def test_whoever_may_not_look_sees_nothing(letters: DeadLetters, client: Client, path: str) -> None:
    login(client, "view_call")
    assert client.get(LIST + path).status_code == 403


def test_each_reason_that_a_worker_gives_has_words() -> None:
    sources = [path.read_text() for path in Path(jobs.__path__[0]).glob("*.py")]
    found = {
        word
        for source in sources
        for word in re.findall(
            r'(?:PoisonError|Reject|_bury)\([^"\n]*"(\w+)"|_need\([^\n]*"(\w+)"\)|reason="(\w+_\w+)"', source
        )
        for word in word
        if word
    }
    assert {"not_json", "bad_envelope", "task_unknown", "not_a_request", "too_deep"} <= found
    assert found - REASONS.keys() <= {"not_shared"}  # an outcome of a run, not a reason for parking
