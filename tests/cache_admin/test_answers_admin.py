from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from cache_admin.models import CachedAnswer, Topic
from cache_admin.services.mirror import mirror_changes
from connectgenai.wire.items import PENDING
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.request import PREWARM_QUEUE
from connectgenai.wire.store import AnswerStore
from tests.aws import Aws
from tests.cache_admin.conftest import NOW, NOW_MS, ask, login

LIST = "/admin/cache_admin/cachedanswer/"


@pytest.fixture
def row(store: AnswerStore, answer: AskedQuestion) -> CachedAnswer:
    mirror_changes(store, now=NOW)
    return CachedAnswer.objects.get()


def page_of(row: CachedAnswer) -> str:
    return f"{LIST}{row.pk}/change/"


def edit(row: CachedAnswer, text: str, **changes: Any) -> dict[str, Any]:
    return {"text": text, "seen_version": str(row.version), **changes}


def test_the_list_shows_the_question_and_how_its_answer_is(supervisor: Client, row: CachedAnswer) -> None:
    page = supervisor.get(LIST).content.decode()
    assert "Are you open on Sunday?" in page
    assert '<span class="badge badge-good">ready</span>' in page


def test_the_page_shows_what_callers_hear(supervisor: Client, row: CachedAnswer) -> None:
    page = supervisor.get(page_of(row)).content.decode()
    assert "We are open on Sunday. Come between ten and four." in page
    assert "every caller" in page
    assert 'name="seen_version" value="4"' in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?q=sunday", 1), ("?q=monday", 0), ("?topic=faq", 1), ("?topic=other", 0), ("?state__exact=READY", 1),
        ("?state__exact=FAILED", 0), ("?language=en-US", 1), ("?source__exact=curated", 0), ("?pinned__exact=1", 0),
    ],
)  # fmt: skip
def test_the_list_can_be_searched_and_filtered(supervisor: Client, row: CachedAnswer, query: str, count: int) -> None:
    response = supervisor.get(LIST + query)
    assert len(response.context["cl"].result_list) == count


def test_an_edited_answer_is_what_callers_hear_next(supervisor: Client, store: AnswerStore, row: CachedAnswer) -> None:
    response = supervisor.post(page_of(row), edit(row, "**We are open** on Sunday from ten to six.", pinned="on"))
    item = store.read_answer(row.key)
    assert response.status_code == 302
    assert item is not None
    assert (item.text, item.source, item.pinned) == ("We are open on Sunday from ten to six.", "curated", True)
    row.refresh_from_db()
    assert (row.text, row.version, row.pinned) == (item.text, item.version, True)
    assert LogEntry.objects.get().user.username == "ada"


def test_a_text_may_be_good_until_a_time_of_ones_own(supervisor: Client, store: AnswerStore, row: CachedAnswer) -> None:
    until = timezone.now().replace(second=0, microsecond=0) + timedelta(hours=3)
    for typed, status in (("2001-01-01T10:00", 200), (f"{until:%Y-%m-%dT%H:%M}", 302)):
        response = supervisor.post(page_of(row), edit(row, "Closed today.", good_until=typed))
        assert response.status_code == status
    item = store.read_answer(row.key)
    assert item is not None
    assert abs(item.expires_at - until.timestamp()) <= 1


def test_an_edit_of_an_older_version_shows_both_texts_and_loses_neither(
    supervisor: Client, store: AnswerStore, row: CachedAnswer
) -> None:
    supervisor.post(page_of(row), edit(row, "The other supervisor's text."))
    response = supervisor.post(page_of(row), edit(row, "My text <b>is</b> better."))
    page = response.content.decode()
    assert response.status_code == 409
    assert "The other supervisor&#x27;s text." in page
    assert "My text &lt;b&gt;is&lt;/b&gt; better." in page
    item = store.read_answer(row.key)
    assert item is not None
    assert item.text == "The other supervisor's text."
    assert f'name="seen_version" value="{item.version}"' in page


def test_after_a_conflict_my_text_can_take_the_place_of_theirs(
    supervisor: Client, store: AnswerStore, row: CachedAnswer
) -> None:
    supervisor.post(page_of(row), edit(row, "Theirs."))
    conflict = supervisor.post(page_of(row), edit(row, "Mine."))
    form = conflict.context["form"]
    supervisor.post(page_of(row), {"text": form["text"].value(), "seen_version": form["seen_version"].value()})
    item = store.read_answer(row.key)
    assert item is not None
    assert item.text == "Mine."


def test_a_worker_that_was_quicker_is_a_conflict_too(supervisor: Client, store: AnswerStore, row: CachedAnswer) -> None:
    store.invalidate(row.key, reason="wrong", now_ms=NOW_MS)
    topic = store.read_topic("faq")
    assert topic is not None
    store.ask(ask(row.question), topic=topic, seen=store.read_answer(row.key), now_ms=NOW_MS)
    response = supervisor.post(page_of(row), edit(row, "Mine."))
    assert response.status_code == 409
    assert "being generated" in response.content.decode()


@pytest.mark.parametrize("text", ["", "   ", "***", "https://example.com/a", "```code```"])
def test_a_text_that_cannot_be_spoken_is_an_error_at_the_field(
    supervisor: Client, store: AnswerStore, row: CachedAnswer, text: str
) -> None:
    response = supervisor.post(page_of(row), edit(row, text))
    assert (response.status_code, list(response.context["adminform"].errors)) == (200, ["text"])
    item = store.read_answer(row.key)
    assert item is not None
    assert item.version == row.version


def test_when_dynamodb_does_not_serve_the_text_is_kept_in_the_form(
    supervisor: Client, row: CachedAnswer, site: Aws
) -> None:
    site.dynamodb.delete_table(TableName=site.table)
    page = supervisor.post(page_of(row), edit(row, "A long text that took me an hour.")).content.decode()
    assert "DynamoDB does not serve" in page
    assert "A long text that took me an hour." in page


def test_an_invalidation_asks_for_a_reason_first(supervisor: Client, store: AnswerStore, row: CachedAnswer) -> None:
    wish = {"action": "invalidate_selected", "_selected_action": str(row.pk)}
    asked = supervisor.post(LIST, wish)
    assert asked["Location"] == f"{LIST}invalidate/?pk={row.pk}"
    assert "Are you open on Sunday?" in supervisor.get(asked["Location"]).content.decode()
    response = supervisor.post(asked["Location"], {"reason": ""})
    assert "This field is required." in response.content.decode()
    item = store.read_answer(row.key)
    assert item is not None
    assert item.state == "READY"


def test_an_invalidated_answer_is_gone_for_callers_at_once(
    supervisor: Client, store: AnswerStore, row: CachedAnswer
) -> None:
    response = supervisor.post(f"{LIST}invalidate/?pk={row.pk}", {"reason": "closed on Sundays now"}, follow=True)
    item = store.read_answer(row.key)
    assert item is not None
    assert (item.state, item.chunks, item.reason) == ("INVALID", (), "closed on Sundays now")
    row.refresh_from_db()
    assert (row.state, row.text) == ("INVALID", "")
    assert "1 answer invalidated." in response.content.decode()
    assert "closed on Sundays now" in LogEntry.objects.get().change_message


def test_a_double_click_on_invalidate_does_no_harm(supervisor: Client, row: CachedAnswer) -> None:
    for _ in range(2):
        assert supervisor.post(f"{LIST}invalidate/?pk={row.pk}", {"reason": "wrong"}).status_code == 302


def test_a_warmed_question_is_claimed_queued_and_shown(
    supervisor: Client, store: AnswerStore, topic: Topic, site: Aws
) -> None:
    wish = {"topic": topic.pk, "language": "", "question": "Do you sell lamps?"}
    response = supervisor.post(f"{LIST}prewarm/", wish, follow=True)
    item = store.read_answer(ask("do you sell lamps").key)
    assert item is not None
    assert (item.state, item.language, site.count_messages(PREWARM_QUEUE)) == (PENDING, "en-US", 1)
    assert "The answer is being generated." in response.content.decode()
    assert response.redirect_chain[0][0] == page_of(CachedAnswer.objects.get(key=item.key))


def test_a_known_question_is_not_generated_again(
    supervisor: Client, topic: Topic, answer: AskedQuestion, site: Aws
) -> None:
    wish = {"topic": topic.pk, "question": "Um, are you open on Sunday please?"}
    response = supervisor.post(f"{LIST}prewarm/", wish, follow=True)
    assert "There is a good answer already." in response.content.decode()
    assert site.count_messages(PREWARM_QUEUE) == 0


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"question": "Where is my order?"}, "This is a personal question"),
        ({"question": "!!!"}, "This is no question that a caller could speak."),
        ({"question": "a" * 1_001}, "A question has at most 1,000 characters."),
        ({"language": "fi-FI"}, "The topic is not offered in this language."),
        ({"question": ""}, "This field is required."),
        ({"topic": "0"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_warmed_is_explained(
    supervisor: Client, topic: Topic, site: Aws, changes: dict[str, str], fault: str
) -> None:
    wish = {"topic": topic.pk, "language": "en-US", "question": "Do you sell lamps?", **changes}
    assert fault in supervisor.post(f"{LIST}prewarm/", wish).content.decode()
    assert site.count_messages(PREWARM_QUEUE) == 0


def test_a_question_that_could_not_be_queued_is_not_claimed_for_ever(
    supervisor: Client, store: AnswerStore, topic: Topic, site: Aws
) -> None:
    site.sqs.delete_queue(QueueUrl=site.queue_urls[PREWARM_QUEUE])
    page = supervisor.post(f"{LIST}prewarm/", {"topic": topic.pk, "question": "Do you sell lamps?"}).content.decode()
    assert "SQS does not serve" in page
    item = store.read_answer(ask("Do you sell lamps?").key)
    assert item is not None
    assert (item.state, item.reason) == ("INVALID", "not_sent")


def test_each_right_opens_just_its_own_page(client: Client, row: CachedAnswer, topic: Topic) -> None:
    login(client, "view_cachedanswer")
    page = client.get(page_of(row)).content.decode()
    assert "Come between ten and four." in page
    assert 'name="text"' not in page
    assert "Invalidate" not in page
    assert client.post(page_of(row), edit(row, "Mine.")).status_code == 403
    assert client.get(f"{LIST}invalidate/?pk={row.pk}").status_code == 403
    assert client.get(f"{LIST}prewarm/").status_code == 403
    login(client, "view_cachedanswer", "invalidate_cachedanswer", "prewarm_cachedanswer")
    assert client.get(f"{LIST}invalidate/?pk={row.pk}").status_code == 200
    assert client.get(f"{LIST}prewarm/").status_code == 200


def test_nobody_adds_or_deletes_answers_here(supervisor: Client, row: CachedAnswer) -> None:
    assert supervisor.get(f"{LIST}add/").status_code == 403
    assert supervisor.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_another_callers_answer_does_not_say_whose_it_is(supervisor: Client, row: CachedAnswer) -> None:
    CachedAnswer.objects.update(scope="caller:k1:9f86d081884c7d65")
    page = supervisor.get(page_of(row)).content.decode()
    assert "one caller" in page
    assert "9f86d081884c7d65" not in page
