from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cache_admin.models import SourceDocument, Topic, TopicLanguage, WaitPolicy
from cache_admin.services.topics import describe_topic, invalidate_topic, publish_topic, republish_users
from connectgenai.wire.items import TopicItem
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import HIT, MISS, AnswerStore, StoreError, find_outcome
from tests.aws import Aws
from tests.cache_admin.conftest import NOW, NOW_MS


def published(store: AnswerStore) -> TopicItem:
    item = store.read_topic("faq")
    assert item is not None
    return item


@pytest.mark.parametrize(
    "changes",
    [
        {"instructions": "Answer at length."},
        {"model_id": "anthropic.claude"},
        {"max_tokens": 100},
        {"temperature": Decimal("0.7")},
        {"guardrail": "gr8:1"},
        {"sharing": "caller"},
    ],
)
def test_what_answers_are_made_from_makes_earlier_ones_untrustworthy(
    store: AnswerStore, topic: Topic, answer: AskedQuestion, changes: dict[str, Any]
) -> None:
    Topic.objects.update(**changes)
    publish_topic(Topic.objects.get(), store=store, now=NOW)
    assert (published(store).revision, Topic.objects.get().revision) == (2, 2)
    assert find_outcome(store.read_answer(answer.key), published(store), now_ms=NOW_MS) == MISS


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Another"},
        {"ttl_hours": 1},
        {"enabled": False},
        {"hold_until_checked": True},
        {"temperature": Decimal("0.20")},
    ],
)
def test_other_changes_keep_earlier_answers(
    store: AnswerStore, topic: Topic, answer: AskedQuestion, changes: dict[str, Any]
) -> None:
    Topic.objects.update(**changes)
    publish_topic(Topic.objects.get(), store=store, now=NOW)
    assert published(store).revision == 1
    assert find_outcome(store.read_answer(answer.key), published(store), now_ms=NOW_MS) == HIT


def test_another_document_or_title_of_one_counts_too(store: AnswerStore, topic: Topic) -> None:
    document = SourceDocument.objects.create(topic=topic, title="Hours", sha256="a" * 64, kind="txt", file="x.txt")
    publish_topic(Topic.objects.get(), store=store, now=NOW)
    document.title = "Opening hours"
    document.save()
    publish_topic(Topic.objects.get(), store=store, now=NOW)
    assert (published(store).revision, published(store).documents) == (3, ("a" * 64 + " Opening hours",))


def test_the_incident_answer_and_the_estimate_outlive_a_publication(store: AnswerStore, topic: Topic) -> None:
    store.set_incident("faq", incident_id="i1", chunks=["We are closed."], until_ms=NOW_MS + 9_999, now_ms=NOW_MS)
    store.set_estimate("faq", seconds=9, now_ms=NOW_MS)
    item = publish_topic(topic, store=store, now=NOW)
    assert (item.incident_chunks, item.estimate_seconds) == (("We are closed.",), 9)


def test_when_dynamodb_does_not_serve_the_next_publication_still_knows_what_has_changed(
    store: AnswerStore, topic: Topic, site: Aws
) -> None:
    topic.instructions = "Answer at length."
    topic.save()
    with pytest.raises(StoreError):
        publish_topic(topic, store=AnswerStore(site.dynamodb, table="there-is-no-such-table"), now=NOW)
    publish_topic(Topic.objects.get(), store=store, now=NOW)
    assert published(store).revision == 2


def test_a_policy_goes_out_to_all_its_topics_and_no_others(
    store: AnswerStore, topic: Topic, policy: WaitPolicy
) -> None:
    draft = Topic.objects.create(name="draft", instructions="x", model_id="y")
    TopicLanguage.objects.create(topic=draft, language="en-US", wait_policy=policy)
    TopicLanguage.objects.create(topic=topic, language="en-GB", wait_policy=policy)
    policy.apology = "Sorry."
    assert republish_users(policy, store=store, now=NOW) == 1
    assert {p.apology for p in published(store).languages().values()} == {"Sorry."}
    assert store.read_topic("draft") is None


def test_the_first_language_is_the_topics_own(topic: Topic, policy: WaitPolicy) -> None:
    TopicLanguage.objects.create(topic=topic, language="de-DE", wait_policy=policy, position=2)
    TopicLanguage.objects.create(topic=topic, language="es-ES", wait_policy=policy, position=1)
    assert list(describe_topic(topic).languages()) == ["en-US", "es-ES", "de-DE"]


def test_bulk_invalidation_spares_pinned_answers(store: AnswerStore, topic: Topic, answer: AskedQuestion) -> None:
    item = store.read_answer(answer.key)
    assert item is not None
    assert invalidate_topic(topic, store=store, now=NOW) == 2
    assert find_outcome(item, published(store), now_ms=NOW_MS) == MISS
    pinned = store.publish(
        answer, chunks=["Yes."], seen_version=item.version, revision=1, ttl_seconds=60, pinned=True, now_ms=NOW_MS
    )
    assert find_outcome(pinned, published(store), now_ms=NOW_MS) == HIT
