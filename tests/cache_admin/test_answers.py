from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_celery_results.models import TaskResult

from cache_admin import gateways
from cache_admin.models import CachedAnswer, Topic
from cache_admin.services.answers import AnswerError, edit_answer, invalidate_answers, make_chunks, prewarm_question
from cache_admin.services.mirror import apply_items, mirror_changes
from cache_admin.services.retention import forget_old_results
from cache_admin.services.topics import publish_topic
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.speech import fits_one_prompt
from connectgenai.wire.store import AnswerStore, ConflictError, FencedError, StoreError, Usage
from tests.aws import Aws
from tests.cache_admin.conftest import NOW, NOW_MS, ask, generate
from tests.cache_admin.test_mirror import answer_item


@pytest.fixture
def row(store: AnswerStore, answer: AskedQuestion) -> CachedAnswer:
    mirror_changes(store, now=NOW)
    return CachedAnswer.objects.get()


def edit(row: CachedAnswer, store: AnswerStore, text: str = "Mine.", **changes: Any) -> Any:
    return edit_answer(
        row, **{"text": text, "seen_version": row.version, "pinned": False, "store": store, "now": NOW, **changes}
    )


def test_a_long_text_is_cut_into_parts_that_connect_can_play() -> None:
    text = "This is a sentence that goes on for quite a while. " * 300
    chunks = make_chunks(text)
    assert all(fits_one_prompt(chunk) for chunk in chunks)
    assert " ".join(chunks).split() == text.split()


def test_an_edit_counts_for_the_topics_present_revision_and_time(store: AnswerStore, row: CachedAnswer) -> None:
    store.raise_revision("faq", now_ms=NOW_MS)  # by somebody else, and not mirrored yet
    item = edit(row, store)
    assert (item.revision, item.expires_at, item.epoch) == (2, NOW_MS // 1000 + 168 * 3_600, row.epoch + 1)


def test_a_model_that_finishes_late_never_replaces_a_persons_text(store: AnswerStore, row: CachedAnswer) -> None:
    edit(row, store)
    late: dict[str, Any] = {"chunks": ["Late."], "revision": 1, "ttl_seconds": 60, "usage": Usage(), "now_ms": NOW_MS}
    with pytest.raises(FencedError):
        store.finish(row.key, epoch=row.epoch, token="run-1", **late)
    item = store.read_answer(row.key)
    assert item is not None
    assert item.text == "Mine."


def test_a_conflict_brings_the_text_as_it_is_now(store: AnswerStore, row: CachedAnswer) -> None:
    edit(row, store, "Theirs.")
    with pytest.raises(ConflictError) as raised:
        edit(row, store)
    assert raised.value.current is not None
    assert raised.value.current.text == "Theirs."


def test_an_answer_of_an_unpublished_topic_cannot_be_edited(store: AnswerStore, site: Aws, db: None) -> None:
    apply_items([answer_item(1, topic="gone", key="gone.1")])
    with pytest.raises(AnswerError, match="“gone” is not published"):
        edit(CachedAnswer.objects.get(), store)


def test_what_dynamodb_has_deleted_is_reported_as_gone(store: AnswerStore, row: CachedAnswer) -> None:
    apply_items([answer_item(1, "faq.gone")])
    found = invalidate_answers(CachedAnswer.objects.order_by("pk"), reason="wrong", store=store, now=NOW)
    assert (found.done, found.gone) == (1, 1)


def test_an_outage_on_the_way_keeps_what_was_done(store: AnswerStore, row: CachedAnswer, site: Aws) -> None:
    generate(store, ask("Do you sell lamps?"), "Yes.")
    mirror_changes(store, now=NOW)

    def until_the_outage() -> Any:
        yield row
        site.dynamodb.delete_table(TableName=site.table)
        yield CachedAnswer.objects.exclude(pk=row.pk).get()

    with pytest.raises(StoreError):
        invalidate_answers(until_the_outage(), reason="wrong", store=store, now=NOW)
    assert list(CachedAnswer.objects.order_by("pk").values_list("state", flat=True)) == ["INVALID", "READY"]


def test_warming_finds_the_topics_nearest_language(store: AnswerStore, topic: Topic) -> None:
    wish: dict[str, Any] = {"store": store, "queue": gateways.prewarm_queue(), "now": NOW}
    outcome, item = prewarm_question("faq", question="Do you sell lamps?", language="en-AU", **wish)
    assert (outcome, item.language, item.scope) == ("miss", "en-US", "everyone")
    again, _ = prewarm_question("faq", question="do you sell lamps", language="", **wish)
    assert again == "joined"


def test_nothing_is_warmed_for_a_topic_that_does_not_share(store: AnswerStore, topic: Topic) -> None:
    topic.sharing = "caller"
    publish_topic(topic, store=store, now=NOW)
    with pytest.raises(AnswerError, match="not shared"):
        prewarm_question("faq", question="Open?", language="", store=store, queue=gateways.prewarm_queue(), now=NOW)


@pytest.mark.parametrize(
    ("changes", "revision", "obstacle"),
    [
        ({}, 1, ""),
        ({}, 2, "stale"),
        ({"pinned": True}, 2, ""),
        ({"expires_at": NOW}, 1, "expired"),
        ({"state": "PENDING"}, 2, ""),
    ],
)
def test_the_row_knows_whether_callers_hear_it(
    row: CachedAnswer, changes: dict[str, Any], revision: int, obstacle: str
) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    assert row.find_obstacle(topic_revision=revision, now=NOW) == obstacle


# what is kept for a while only


def test_old_task_results_are_forgotten_in_batches(db: None) -> None:
    TaskResult.objects.bulk_create(TaskResult(task_id=f"t{n}") for n in range(2_500))
    TaskResult.objects.update(date_done=timezone.now() - timedelta(days=4))
    TaskResult.objects.create(task_id="new")
    assert forget_old_results(older_than=timezone.now() - timedelta(days=3)) == 2_500
    assert list(TaskResult.objects.values_list("task_id", flat=True)) == ["new"]
