"""Retention: words go when their topic says so, in DynamoDB, in the mirror and in the admin's history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client

from cache_admin.models import CachedAnswer, Call, Topic
from cache_admin.services.mirror import mirror_changes
from cache_admin.services.retention import Forgotten, apply_retention
from cache_admin.services.topics import publish_topic
from connectgenai.wire.items import CallItem, answer_pk
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import KEEP_SECONDS, MISS, AnswerStore, StoreError
from jobs.tasks import forget_results
from tests.aws import Aws
from tests.cache_admin.conftest import NOW, NOW_MS, ask, generate

DAY = 24 * 3600
NOW_SECONDS = NOW_MS // 1000


def keep(topic: Topic, store: AnswerStore, *, days: int) -> None:
    topic.keep_days = days
    topic.save()
    publish_topic(topic, store=store, now=NOW)


def call(store: AnswerStore, contact_id: str, *, purge_at: int = NOW_SECONDS + 90 * DAY) -> None:
    seen: dict[str, Any] = {"asked_at": NOW_MS, "last_seen_at": NOW_MS, "outcome": "answered"}
    store.record_call(CallItem(contact_id, "faq.1", topic="faq", purge_at=purge_at, **seen), now_ms=NOW_MS)


def purge_time(store: AnswerStore, asked: AskedQuestion) -> int:
    item = store.read_answer(asked.key, consistent=True)
    assert item is not None
    return item.purge_at - NOW_SECONDS


def test_what_a_model_wrote_is_deleted_as_many_days_after_the_question_as_its_topic_says(
    store: AnswerStore, topic: Topic
) -> None:
    keep(topic, store, days=10)
    generate(store, ask("Are you open?"), "Yes.")
    assert purge_time(store, ask("Are you open?")) == 10 * DAY


def test_an_answer_is_never_good_for_longer_than_it_is_kept(store: AnswerStore, topic: Topic) -> None:
    keep(topic, store, days=2)  # and good for a week, says the topic
    generate(store, ask("Are you open?"), "Yes.")
    item = store.read_answer(ask("Are you open?").key)
    assert item is not None
    assert item.expires_at == item.finished_at // 1000 + 2 * DAY


def test_a_withdrawn_answer_is_not_kept_longer_for_it(store: AnswerStore, topic: Topic, answer: AskedQuestion) -> None:
    before = purge_time(store, answer)
    store.invalidate(answer.key, reason="wrong", now_ms=NOW_MS + 1000)
    assert purge_time(store, answer) == before


def test_what_a_supervisor_wrote_is_kept_beyond_its_time(store: AnswerStore, topic: Topic) -> None:
    keep(topic, store, days=1)
    edit: dict[str, Any] = {"seen_version": 0, "revision": 1, "ttl_seconds": 7 * DAY, "now_ms": NOW_MS}
    store.publish(ask("Are you open?"), chunks=["Always."], **edit)
    assert purge_time(store, ask("Are you open?")) == 7 * DAY + KEEP_SECONDS


def test_rows_go_when_dynamodb_deletes_what_they_show(store: AnswerStore, topic: Topic, answer: AskedQuestion) -> None:
    call(store, "old", purge_at=NOW_SECONDS + DAY)
    call(store, "new")
    mirror_changes(store, now=NOW)
    assert apply_retention(store, now=NOW + timedelta(days=2)) == Forgotten(calls=1)
    assert apply_retention(store, now=NOW + timedelta(days=91)) == Forgotten(answers=1, calls=1)


def test_a_shortened_setting_deletes_what_was_written_before_on_both_sides(
    store: AnswerStore, topic: Topic, answer: AskedQuestion
) -> None:
    call(store, "contact")
    mirror_changes(store, now=NOW)
    keep(topic, store, days=3)
    assert apply_retention(store, now=NOW + timedelta(days=2)) == Forgotten()
    assert apply_retention(store, now=NOW + timedelta(days=4)) == Forgotten(early=2)
    assert (CachedAnswer.objects.count(), Call.objects.count()) == (0, 0)
    item, record = store.read_answer(answer.key, consistent=True), store.read_call("contact", "faq.1")
    assert item is not None
    assert (item.state, item.question, item.text, item.scope, item.epoch) == ("INVALID", "", "", "erased", 2)
    assert record is not None
    assert (record.topic, record.caller, record.events) == ("", "", ())
    soon = NOW_SECONDS + 4 * DAY
    assert (item.purge_at, record.purge_at) == (soon, soon)  # DynamoDB deletes them


def test_a_caller_who_is_still_there_after_a_year_gets_a_record_again(store: AnswerStore, topic: Topic) -> None:
    call(store, "contact")
    assert store.forget("C#contact#faq.1", version=1, now_ms=NOW_MS)
    store.record_call(CallItem("contact", "faq.1", topic="faq", epoch=7, asked_at=NOW_MS), now_ms=NOW_MS)
    record = store.read_call("contact", "faq.1")
    assert record is not None
    assert (record.topic, record.epoch) == ("faq", 7)


def test_what_was_deleted_early_does_not_come_back_by_the_mirror_nor_to_callers(
    store: AnswerStore, topic: Topic, answer: AskedQuestion
) -> None:
    mirror_changes(store, now=NOW)
    keep(topic, store, days=1)
    later = NOW + timedelta(days=2)
    apply_retention(store, now=later)
    mirror_changes(store, now=later)
    assert not CachedAnswer.objects.exists()
    item = store.read_topic("faq")
    assert item is not None
    seen, now_ms = store.read_answer(answer.key, consistent=True), NOW_MS + 2 * DAY * 1000
    assert store.ask(answer, topic=item, seen=seen, now_ms=now_ms).outcome == MISS
    assert seen is not None
    assert store.read_versions("faq", answer.key)[1] > 4  # so that no warm process goes on giving the text


def test_a_shortened_setting_leaves_what_a_supervisor_wrote(
    store: AnswerStore, topic: Topic, answer: AskedQuestion
) -> None:
    edit: dict[str, Any] = {"seen_version": 4, "revision": 1, "ttl_seconds": 7 * DAY, "now_ms": NOW_MS}
    store.publish(answer, chunks=["Always."], pinned=True, **edit)
    mirror_changes(store, now=NOW)
    keep(topic, store, days=1)
    assert apply_retention(store, now=NOW + timedelta(days=4)) == Forgotten()
    assert CachedAnswer.objects.get().pinned


def test_an_item_that_has_changed_since_its_row_stays_until_the_row_shows_it(
    store: AnswerStore, topic: Topic, answer: AskedQuestion
) -> None:
    mirror_changes(store, now=NOW)
    keep(topic, store, days=1)
    store.invalidate(answer.key, reason="wrong", now_ms=NOW_MS + 2 * DAY * 1000)
    assert apply_retention(store, now=NOW + timedelta(days=2)) == Forgotten()
    assert store.read_answer(answer.key, consistent=True) is not None


def test_a_row_whose_item_is_gone_already_goes_too(
    store: AnswerStore, topic: Topic, answer: AskedQuestion, site: Aws
) -> None:
    mirror_changes(store, now=NOW)
    keep(topic, store, days=1)
    site.dynamodb.delete_item(TableName=site.table, Key={"pk": {"S": answer_pk(answer.key)}})
    assert apply_retention(store, now=NOW + timedelta(days=2)) == Forgotten(early=1)


def test_the_admins_history_keeps_who_did_what_and_loses_the_words(
    store: AnswerStore, topic: Topic, answer: AskedQuestion, supervisor: Client
) -> None:
    mirror_changes(store, now=NOW)
    row = CachedAnswer.objects.get()
    kind = ContentType.objects.get_for_model(CachedAnswer)
    LogEntry.objects.create(
        user=User.objects.get(), content_type=kind, object_id=str(row.pk), object_repr=str(row), action_flag=CHANGE
    )
    apply_retention(store, now=NOW + timedelta(days=91))
    noted = LogEntry.objects.get()
    assert (noted.object_repr, noted.user.get_username()) == ("erased", "ada")


def test_an_outage_deletes_no_row_early(
    store: AnswerStore, topic: Topic, answer: AskedQuestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror_changes(store, now=NOW)
    keep(topic, store, days=1)
    dead = AnswerStore(store._table._client, table="nowhere")
    with pytest.raises(StoreError):
        apply_retention(dead, now=NOW + timedelta(days=2))
    assert CachedAnswer.objects.exists()


@pytest.mark.parametrize("days", [0, 3_651])
def test_the_days_have_limits(topic: Topic, days: int) -> None:
    topic.keep_days = days
    with pytest.raises(ValidationError):
        topic.clean_fields()


def test_the_topics_page_offers_the_setting_and_says_what_it_does(supervisor: Client, topic: Topic) -> None:
    page = supervisor.get(f"/admin/cache_admin/topic/{topic.pk}/change/").content.decode()
    assert 'name="keep_days" value="90"' in page
    assert "no answer is good for longer" in page


def test_the_setting_travels_in_a_topics_file(store: AnswerStore, topic: Topic, tmp_path: Any) -> None:
    keep(topic, store, days=14)
    call_command("topics", "export", str(tmp_path / "topics.yaml"))
    assert "keep_days: 14" in (tmp_path / "topics.yaml").read_text()
    Topic.objects.update(keep_days=90)
    call_command("topics", "import", str(tmp_path / "topics.yaml"))
    item = store.read_topic("faq")
    assert Topic.objects.get().keep_days == 14
    assert item is not None
    assert item.keep_seconds == 14 * DAY


def test_housekeeping_applies_the_setting(store: AnswerStore, topic: Topic) -> None:
    call(store, "long ago", purge_at=1)
    mirror_changes(store, now=NOW)
    forget_results()
    assert not Call.objects.exists()
