"""The test console: what a question would meet without asking it, the exact prompt, and an answer that no caller hears."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from cache_admin import gateways
from cache_admin.mapping import epoch_ms
from cache_admin.models import CachedAnswer, Call, SourceDocument, Topic
from cache_admin.services.documents import DocumentText, keep_document
from cache_admin.services.topics import publish_topic
from cache_admin.trials.drafts import identify_draft
from cache_admin.trials.matching import find_match
from cache_admin.trials.prompts import SHOWN_CHARACTERS, show_prompt
from connectgenai.wire.items import TopicItem
from connectgenai.wire.prompt import Document, build_prompt
from connectgenai.wire.store import AnswerStore, Usage
from tests.aws import Aws
from tests.cache_admin.conftest import ask, generate, login

QUESTION = "Are you open on Sunday?"


def page_of(topic: Topic) -> str:
    return f"/admin/cache_admin/topic/{topic.pk}/try/"


def send(client: Client, topic: Topic, question: str = QUESTION, *, do: str = "look", **more: Any) -> str:
    wish = {"question": question, "language": "en-US", "since": "0", "do": do, **more}
    return html.unescape(client.post(page_of(topic), wish, follow=True).content.decode())


def read_item(store: AnswerStore) -> TopicItem:
    item = store.read_topic("faq")
    assert item is not None
    return item


def test_a_question_is_looked_at_without_being_asked(supervisor: Client, topic: Topic, store: AnswerStore) -> None:
    page = send(supervisor, topic, "Um, please tell me, are you OPEN on Sunday?")
    assert "New: it is generated while the caller waits." in page
    assert "are you open on sunday" in page
    assert ask(QUESTION).key in page
    assert (store.read_answer(ask(QUESTION).key, consistent=True), CachedAnswer.objects.exists()) == (None, False)
    assert gateways.count_queued("CONNECTGENAI_PREWARM_QUEUE_URL") == 0


def test_a_known_answer_is_shown_as_callers_hear_it(supervisor: Client, topic: Topic, store: AnswerStore) -> None:
    generate(store, ask(QUESTION), "We are open on Sunday.", now_ms=epoch_ms(timezone.now()))
    page = send(supervisor, topic)
    assert "Known: the caller hears this answer at once." in page
    assert "We are open on Sunday." in page


def test_a_personal_question_is_said_to_be_never_shared(supervisor: Client, topic: Topic) -> None:
    page = send(supervisor, topic, "Where is my order 12345?")
    assert "Never. It holds a number" in page
    assert "nobody else hears the answer" in page


@pytest.mark.parametrize(
    ("wish", "expected"),
    [({"enabled": False}, "off"), ({"sharing": "caller"}, "own"), ({"needs_approval": True}, "own"), ({}, "miss")],
)
def test_the_match_follows_the_topics_settings(
    topic: Topic, store: AnswerStore, wish: dict[str, Any], expected: str
) -> None:
    for name, value in wish.items():
        setattr(topic, name, value)
    publish_topic(topic, store=store, now=timezone.now())
    match = find_match(QUESTION, topic=read_item(store), language="en-US", store=store, now_ms=0)
    assert match.outcome == expected


def test_an_incident_stands_before_all_answers(supervisor: Client, topic: Topic, store: AnswerStore) -> None:
    until_ms = epoch_ms(timezone.now()) + 60_000
    store.set_incident("faq", incident_id="i1", chunks=["The till is down."], until_ms=until_ms, now_ms=0)
    page = send(supervisor, topic)
    assert "An incident is on" in page
    assert "The till is down." in page


@pytest.mark.parametrize(("question", "fault"), [("", "This field is required"), ("???", "no question that a caller")])
def test_what_is_no_question_is_said_at_its_field(supervisor: Client, topic: Topic, question: str, fault: str) -> None:
    assert fault in send(supervisor, topic, question)


def add_document(topic: Topic, text: str, title: str) -> None:
    found = DocumentText(text, "txt")
    document = SourceDocument(topic=topic, title=title)
    keep_document(document, found, text.encode(), name=f"{title}.txt", storage=default_storage)
    document.save()


def test_the_prompt_is_the_very_one_that_the_workers_build(topic: Topic, store: AnswerStore) -> None:
    add_document(topic, "Open from ten to four.", "hours")
    publish_topic(topic, store=store, now=timezone.now())
    item = read_item(store)
    blocks = show_prompt("Open?", topic=item, language="en-US", storage=default_storage)
    built = build_prompt(item, [Document("hours", "Open from ten to four.")], question="Open?", language="en-US")
    texts = [part["text"] for part in built["system"] if "text" in part]
    assert [block.text for block in blocks][: len(texts)] == texts
    assert built["messages"][0]["content"][0]["text"] in [block.text for block in blocks]


def test_a_long_document_is_cut_short_and_what_it_says_is_escaped(
    supervisor: Client, topic: Topic, store: AnswerStore
) -> None:
    add_document(topic, "<script>alert(1)</script>" + "x" * (SHOWN_CHARACTERS + 5_000), "long")
    publish_topic(topic, store=store, now=timezone.now())
    wish = {"question": QUESTION, "language": "en-US", "do": "look"}
    page = supervisor.post(page_of(topic), wish).content.decode()
    assert "<script>alert" not in page
    assert "more characters" in page
    assert "x" * SHOWN_CHARACTERS not in page


def test_a_missing_text_is_told_and_the_rest_is_shown(supervisor: Client, topic: Topic, store: AnswerStore) -> None:
    SourceDocument.objects.create(topic=topic, title="lost", sha256="0" * 64, kind="txt", file="documents/files/x")
    publish_topic(topic, store=store, now=timezone.now())
    page = send(supervisor, topic)
    assert "upload the document again" in page
    assert "New: it is generated" in page


def test_a_trial_is_generated_aside_and_never_heard_or_counted(
    supervisor: Client, topic: Topic, store: AnswerStore
) -> None:
    page = send(supervisor, topic, do="ask")
    assert "It waits for a worker." in page
    asked = identify_draft(QUESTION, topic="faq", language="en-US")
    assert asked.key.rpartition(".")[2] in page
    run: dict[str, Any] = {"epoch": 1, "token": "t"}
    now = epoch_ms(timezone.now())
    store.start(asked.key, revision=1, now_ms=now + 1_000, **run)
    store.append(asked.key, chunk="We are.", index=0, now_ms=now + 2_000, **run)
    usage = Usage(model="local.extractive-v1", input_tokens=50, output_tokens=5)
    store.finish(asked.key, chunks=["We are."], revision=1, ttl_seconds=900, usage=usage, now_ms=now + 3_000, **run)
    page = html.unescape(supervisor.get(page_of(topic), {"draft": asked.key.rpartition(".")[2]}).content.decode())
    assert "We are." in page
    assert "first words after" in page
    assert "50 read, 5 written" in page
    assert "New: it is generated while the caller waits." in page
    assert store.read_answer(ask(QUESTION).key, consistent=True) is None
    assert not Call.objects.exists()


def test_an_address_of_no_draft_opens_an_empty_console(supervisor: Client, topic: Topic, site: Aws) -> None:
    for name in ("0" * 32, "../../x", ""):
        reply = supervisor.get(page_of(topic), {"draft": name})
        assert (reply.status_code, b"trial-answer" in reply.content) == (200, False)


def test_a_topic_that_is_not_published_cannot_be_tried(supervisor: Client, topic: Topic) -> None:
    Topic.objects.update(published_at=None, name="other")
    assert "Save the topic first" in supervisor.get(page_of(topic)).content.decode()
    assert "is not published" in send(supervisor, topic)


@pytest.mark.parametrize(
    ("rights", "do", "expected"),
    [
        (["view_topic"], "look", 403),
        (["view_topic", "view_cachedanswer"], "look", 200),
        (["view_topic", "view_cachedanswer"], "ask", 403),
        (["view_topic", "view_cachedanswer", "prewarm_cachedanswer"], "ask", 302),
    ],
)
def test_who_may_do_what(client: Client, topic: Topic, rights: list[str], do: str, expected: int) -> None:
    login(client, *rights)
    wish = {"question": QUESTION, "language": "en-US", "since": "0", "do": do}
    assert client.post(page_of(topic), wish).status_code == expected
