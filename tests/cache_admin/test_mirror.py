from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cache_admin.models import CachedAnswer, Call, Topic
from cache_admin.services import mirror
from cache_admin.services.mirror import apply_items, mirror_changes
from connectgenai.wire.items import AnswerItem, CallItem, TopicItem, answer_pk
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import AnswerStore, StoreError
from tests.aws import Aws
from tests.cache_admin.conftest import NOW, NOW_MS, ask, generate


def answer_item(version: int, key: str = "faq.1", **changes: Any) -> AnswerItem:
    known = {"topic": "faq", "language": "en-US", "scope": "everyone", "question": "Open?", "changed_at": NOW_MS}
    return AnswerItem(**{"key": key, "version": version, "chunks": (f"Text {version}.",), **known, **changes})


def call_item(version: int, contact_id: str = "c1", key: str = "faq.1", **changes: Any) -> CallItem:
    known = {"topic": "faq", "language": "en-US", "asked_at": NOW_MS, "last_seen_at": NOW_MS, "changed_at": NOW_MS}
    return CallItem(contact_id=contact_id, key=key, version=version, **{**known, "polls": version, **changes})


def record(store: AnswerStore, contact_id: str, key: str, **changes: Any) -> None:
    store.record_call(call_item(0, contact_id, key, **changes), now_ms=NOW_MS)


# the list of changes


def test_what_has_changed_is_copied_and_taken_off_the_list(store: AnswerStore, answer: AskedQuestion) -> None:
    record(store, "c1", answer.key)
    report = mirror_changes(store, now=NOW)
    assert (report.read, report.applied, report.unreadable) == (3, 2, 0)  # the topic was mirrored when it was published
    row = CachedAnswer.objects.get(key=answer.key)
    assert (row.text, row.state, row.calls) == ("We are open on Sunday. Come between ten and four.", "READY", 1)
    assert Call.objects.get().contact_id == "c1"
    assert mirror_changes(store, now=NOW).read == 0


def test_a_change_during_the_run_stays_on_the_list(
    store: AnswerStore, answer: AskedQuestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def apply_late(items: Any) -> int:
        applied = apply_items(items)
        if CachedAnswer.objects.filter(state="READY").exists():
            store.invalidate(answer.key, reason="wrong", now_ms=NOW_MS)
        return applied

    monkeypatch.setattr(mirror, "apply_items", apply_late)
    mirror_changes(store, now=NOW)
    monkeypatch.undo()
    mirror_changes(store, now=NOW)
    assert CachedAnswer.objects.get().state == "INVALID"


def test_more_changes_than_one_read_brings_are_all_copied(store: AnswerStore, topic: Topic) -> None:
    for number in range(30):
        record(store, f"c{number}", "faq.1")
    assert mirror_changes(store, now=NOW, limit=2).applied == 30
    assert Call.objects.count() == 30


def test_when_the_database_fails_nothing_is_taken_off_the_list(
    store: AnswerStore, answer: AskedQuestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(items: Any) -> int:
        raise OperationalError("the database is locked")

    monkeypatch.setattr(mirror, "apply_items", fail)
    with pytest.raises(OperationalError):
        mirror_changes(store, now=NOW)
    monkeypatch.undo()
    mirror_changes(store, now=NOW)
    assert CachedAnswer.objects.get().state == "READY"


def test_when_dynamodb_fails_the_next_run_goes_on(store: AnswerStore, site: Aws) -> None:
    with pytest.raises(StoreError):
        mirror_changes(AnswerStore(site.dynamodb, table="there-is-no-such-table"), now=NOW)
    assert mirror_changes(store, now=NOW).read == 0


def test_an_item_that_nobody_can_read_stands_in_nobodys_way(store: AnswerStore, topic: Topic, site: Aws) -> None:
    for pk, more in (
        ("C#c1#faq.1", {"facts": {"S": "{"}}),
        ("X#new-kind", {}),
        (answer_pk("faq.short"), {"state": {"S": "READY"}}),
        (answer_pk("faq.huge"), {"epoch": {"N": "9" * 30}, **_identity("faq.huge")}),
    ):
        item = {"pk": {"S": pk}, "version": {"N": "1"}, "changed": {"S": "0"}, "changed_at": {"N": "1"}, **more}
        site.dynamodb.put_item(TableName=site.table, Item=item)
    record(store, "c2", "faq.1")
    report = mirror_changes(store, now=NOW)
    assert report.unreadable == 4
    assert [call.contact_id for call in Call.objects.all()] == ["c2"]
    assert mirror_changes(store, now=NOW).read == 0


def _identity(key: str) -> dict[str, Any]:
    names = ("topic", "language", "scope", "question")
    return {"key": {"S": key}, **{name: {"S": name} for name in names}}


def test_whatever_a_call_brings_fits_the_columns(store: AnswerStore, db: None) -> None:
    strange = {"language": "x" * 300, "channel": "\0" * 30, "reason": "\ud800" + "r" * 999, "source": "semantic" * 9}
    apply_items([call_item(1, "c\0" + "c" * 300, "k" * 200, asked_at=10**17, events=("0|end|\0\udfff",), **strange)])
    row = Call.objects.get()
    assert (len(row.language), row.channel, len(row.reason), row.events) == (20, "", 300, ["0|end|?"])


def test_a_topics_estimate_and_revision_come_back_from_dynamodb(store: AnswerStore, topic: Topic) -> None:
    store.raise_revision("faq", now_ms=NOW_MS)
    store.set_estimate("faq", seconds=12, now_ms=NOW_MS)
    mirror_changes(store, now=NOW)
    topic.refresh_from_db()
    assert (topic.revision, topic.estimate_seconds, topic.mirrored_version) == (2, 12, 3)


def test_an_unknown_topics_item_is_no_obstacle(store: AnswerStore, site: Aws) -> None:
    store.publish_topic(TopicItem(name="elsewhere"), now_ms=NOW_MS, is_stale=True)
    assert mirror_changes(store, now=NOW).read == 1
    assert mirror_changes(store, now=NOW).read == 0


# versions


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 6)), max_size=5), max_size=6))
def test_lost_doubled_and_reordered_versions_leave_the_highest_that_came(
    db: None, batches: list[list[tuple[str, int]]]
) -> None:
    CachedAnswer.objects.all().delete()
    came: dict[str, int] = {}
    for batch in batches:
        apply_items([answer_item(version, key) for key, version in batch])
        for key, version in batch:
            came[key] = max(version, came.get(key, 0))
        rows = {row.key: (row.version, row.text) for row in CachedAnswer.objects.all()}
        assert rows == {key: (version, f"Text {version}.") for key, version in came.items()}


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from(["answer", *"abcd"]), max_size=4), max_size=6))
def test_calls_are_counted_once_whatever_comes_first_or_twice(db: None, batches: list[list[str]]) -> None:
    CachedAnswer.objects.all().delete()
    Call.objects.all().delete()
    for number, batch in enumerate(batches, 1):
        apply_items([answer_item(number) if name == "answer" else call_item(number, name) for name in batch])
    callers = {name for batch in batches for name in batch} - {"answer"}
    assert {row.calls for row in CachedAnswer.objects.all()} <= {len(callers)}


def test_only_what_is_newer_counts_as_applied(db: None) -> None:
    assert apply_items([answer_item(2), answer_item(3, "faq.2")]) == 2
    assert apply_items([answer_item(2), answer_item(1, "faq.2"), answer_item(3)]) == 1


def test_the_number_of_statements_does_not_grow_with_the_items(db: None) -> None:
    def count(number: int) -> int:
        items = [answer_item(1, f"faq.{number}.{n}") for n in range(number)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            apply_items(items)
        return len([q for q in queries if "SAVEPOINT" not in q["sql"]])

    assert count(20) == count(2) <= 4


def test_a_generation_is_followed_from_question_to_answer(store: AnswerStore, topic: Topic) -> None:
    asked = ask("Do you sell lamps?")
    item = store.read_topic("faq")
    assert item is not None
    store.ask(asked, topic=item, seen=None, now_ms=NOW_MS)
    mirror_changes(store, now=NOW)
    assert CachedAnswer.objects.get().state == "PENDING"
    store.invalidate(asked.key, reason="again", now_ms=NOW_MS)
    generate(store, asked, "We sell lamps.", "They cost ten euros.")
    mirror_changes(store, now=NOW)
    row = CachedAnswer.objects.get()
    assert (row.state, row.chunks, row.epoch) == ("READY", ["We sell lamps.", "They cost ten euros."], 3)
    assert row.asked() == asked
