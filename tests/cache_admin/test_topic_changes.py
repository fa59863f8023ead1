"""What a change of a topic does to its answers: counted cheaply before, told after, and mended by a batch."""

from __future__ import annotations

import html
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cache_admin.admin.topic_changes import show_at_least, warn_before
from cache_admin.models import CachedAnswer, ModelLimit, Topic, WarmBatch
from cache_admin.services import topics
from cache_admin.services.topics import MADE_FROM, AtLeast, count_given, publish_topic
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import AnswerStore
from tests.cache_admin.conftest import ask, login
from tests.cache_admin.test_topics_admin import fill_in_again, page_of

REWARM = "/admin/cache_admin/topic/{}/rewarm/"


def make_answer(question: str, *, calls: int = 1, **changes: Any) -> CachedAnswer:
    asked, now = ask(question), timezone.now()
    names = {name: getattr(asked, name) for name in AskedQuestion.__slots__}
    facts = {
        "state": "READY",
        "source": "generated",
        "chunks": ["Yes."],
        "revision": 1,
        "version": 1,
        "changed_at": now,
    }
    more = {"calls": calls, "expires_at": now + timedelta(days=1), **changes}
    return CachedAnswer.objects.create(**{**names, **facts, **more})


def test_what_callers_are_given_now_is_counted_and_nothing_else(topic: Topic) -> None:
    make_answer("Are you open?")
    others: list[dict[str, Any]] = [
        {"pinned": True},
        {"revision": 0},
        {"state": "FAILED"},
        {"expires_at": timezone.now()},
        {"scope": "draft"},
        {"topic": "other"},
    ]
    for number, changes in enumerate(others):
        make_answer(f"Is it {number}?", **changes)
    assert count_given(topic, now=timezone.now()) == AtLeast(1)


def test_a_topic_of_very_many_answers_is_not_counted_to_the_end(
    topic: Topic, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(topics, "_LOOKED_AT", 3)
    for number in range(4):
        make_answer(f"Is it {number}?")
    with django_assert_max_num_queries(2):
        assert show_at_least(count_given(topic, now=timezone.now())) == "3+"
    assert "1,000+ answers outdated" in warn_before(AtLeast(1_000, is_more=True))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("instructions", "Answer at length."),
        ("model_id", "other.model"),
        ("max_tokens", 500),
        ("temperature", Decimal("0.9")),
        ("guardrail", "gr1:2"),
        ("sharing", "caller"),
    ],
)
def test_what_the_page_warns_of_is_what_makes_answers_outdated(
    topic: Topic, store: AnswerStore, name: str, value: Any
) -> None:
    assert name in MADE_FROM
    setattr(topic, name, value)
    assert publish_topic(topic, store=store, now=timezone.now()).revision == 2


def test_other_settings_leave_answers_as_they_are(topic: Topic, store: AnswerStore) -> None:
    topic.title, topic.ttl_hours, topic.asks_per_minute, topic.needs_approval = "Other", 5, 7, True
    assert publish_topic(topic, store=store, now=timezone.now()).revision == 1


def test_the_page_knows_what_a_change_would_do(supervisor: Client, topic: Topic) -> None:
    make_answer("Are you open?")
    page = supervisor.get(page_of(topic)).content.decode()
    assert "Saving this makes 1 answer outdated" in page
    assert 'data-made-from="instructions model_id' in page
    assert "A change makes earlier answers outdated." in page


def test_after_a_change_the_most_asked_are_offered_to_be_answered_again(supervisor: Client, topic: Topic) -> None:
    make_answer("Are you open?", calls=9)
    reply = supervisor.post(page_of(topic), fill_in_again(topic, instructions="Answer at length."), follow=True)
    page = html.unescape(reply.content.decode())
    assert "1 earlier answer of this topic is not given to callers any more." in page
    assert REWARM.format(topic.pk) in page


def test_whoever_may_not_warm_is_offered_nothing(client: Client, topic: Topic) -> None:
    make_answer("Are you open?")
    login(client, "view_topic", "change_topic", "publish_topic")
    page = client.post(page_of(topic), fill_in_again(topic, instructions="Be brief!"), follow=True).content.decode()
    assert "rewarm" not in page
    assert client.get(REWARM.format(topic.pk)).status_code == 403


def test_the_most_asked_are_answered_again_for_what_it_says_it_costs(supervisor: Client, topic: Topic) -> None:
    Topic.objects.update(revision=2)
    ModelLimit.objects.create(model_id=topic.model_id, input_price=Decimal("0.01"), output_price=Decimal("0.01"))
    make_answer("Asked most?", calls=9)
    make_answer("Asked often?", calls=5)
    make_answer("Written by a person?", calls=4, source="curated")
    make_answer("Good already?", calls=3, revision=2)
    make_answer("Asked least?", calls=1)
    page = supervisor.get(REWARM.format(topic.pk), {"most": "4"}).content.decode()
    assert "2 questions have no good answers any more" in page
    assert "Asked least?" not in page
    assert "$" in page
    reply = supervisor.post(REWARM.format(topic.pk), {"most": "4"})
    batch = WarmBatch.objects.get()
    assert reply["Location"] == f"/admin/cache_admin/warmbatch/{batch.pk}/change/"
    questions = batch.rows.filter(chosen=True).order_by("number").values_list("question", flat=True)
    assert (batch.state, list(questions)) == ("running", ["Asked most?", "Asked often?"])


def test_nothing_to_do_makes_no_batch(supervisor: Client, topic: Topic) -> None:
    make_answer("Good already?")
    assert "nothing to do" in supervisor.post(REWARM.format(topic.pk), {"most": "50"}, follow=True).content.decode()
    assert not WarmBatch.objects.exists()


def test_a_number_that_is_none_is_said_at_its_field(supervisor: Client, topic: Topic) -> None:
    make_answer("Outdated?", revision=0)
    assert "Enter a whole number" in supervisor.post(REWARM.format(topic.pk), {"most": "many"}).content.decode()
    assert not WarmBatch.objects.exists()
