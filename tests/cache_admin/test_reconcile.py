"""Reconciling: whatever was lost, late or changed by hand, the mirror can be proved and restored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from cache_admin.models import CachedAnswer, Call
from cache_admin.services.mirror import mirror_changes
from cache_admin.services.reconcile import Drift, reconcile
from connectgenai.wire.items import CallItem, TopicItem
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import AnswerStore
from tests.aws import Aws

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC) - timedelta(hours=1)  # long enough ago for the mirror to have come after
NOW_MS = round(NOW.timestamp() * 1000)


@pytest.fixture
def store(provisioned: Aws) -> AnswerStore:
    made = AnswerStore(provisioned.dynamodb, table=provisioned.table)
    made.publish_topic(TopicItem(name="faq", sharing="everyone"), now_ms=NOW_MS, is_stale=True)
    for number in range(3):
        asked = AskedQuestion(f"faq.{number}", "faq", "en-US", "everyone", f"Question {number}?", f"question {number}")
        made.publish(asked, chunks=[f"Answer {number}."], seen_version=0, revision=1, ttl_seconds=3_600, now_ms=NOW_MS)
    call = CallItem(
        contact_id="c1", key="faq.0", asked_at=NOW_MS, last_seen_at=NOW_MS, outcome="answered", purge_at=NOW_MS
    )
    made.record_call(call, now_ms=NOW_MS)
    return made


def check(store: AnswerStore, *, repair: bool = False) -> Drift:
    return reconcile(store, repair=repair, now=NOW + timedelta(minutes=1))


def test_a_mirror_that_is_up_to_date_shows_no_drift(store: AnswerStore) -> None:
    mirror_changes(store, now=NOW)
    assert check(store) == Drift(compared=4)


def test_rows_that_were_never_written_are_missing_until_they_are_repaired(store: AnswerStore) -> None:
    assert check(store) == Drift(compared=4, missing=4)
    assert check(store, repair=True).missing == 4
    assert check(store).is_none
    assert CachedAnswer.objects.get(key="faq.2").chunks == ["Answer 2."]


def test_every_kind_of_drift_is_told_apart_and_repaired(store: AnswerStore) -> None:
    mirror_changes(store, now=NOW)
    CachedAnswer.objects.filter(key="faq.0").update(version=0, chunks=["Older."])
    CachedAnswer.objects.filter(key="faq.1").update(chunks=["Tampered with."])
    CachedAnswer.objects.filter(key="faq.2").update(version=99)
    assert check(store) == Drift(compared=4, outdated=1, different=1, ahead=1)
    check(store, repair=True)
    assert check(store).is_none
    assert CachedAnswer.objects.get(key="faq.1").chunks == ["Answer 1."]


def test_a_row_whose_item_is_gone_before_its_time_is_reported_and_kept(store: AnswerStore, provisioned: Aws) -> None:
    mirror_changes(store, now=NOW)
    provisioned.dynamodb.delete_item(TableName=provisioned.table, Key={"pk": {"S": "A#faq.1"}})
    assert check(store, repair=True) == Drift(compared=3, vanished=1)
    assert CachedAnswer.objects.filter(key="faq.1").exists()


def test_a_call_that_the_mirror_closed_is_no_drift(store: AnswerStore) -> None:
    waiting = CallItem(
        contact_id="c2",
        key="faq.1",
        asked_at=NOW_MS,
        last_seen_at=NOW_MS,
        outcome="waiting",
        purge_at=NOW_MS // 1000 + 9,
    )
    store.record_call(waiting, now_ms=NOW_MS)
    mirror_changes(store, now=NOW)
    mirror_changes(store, now=NOW + timedelta(minutes=10))
    assert Call.objects.get(contact_id="c2").outcome == Call.Outcome.ABANDONED
    assert check(store).is_none


def test_the_command_says_what_differs_and_by_its_exit_status(
    store: AnswerStore, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("reconcile")
    assert ended.value.code == 1
    assert "missing    4" in capsys.readouterr().out
    call_command("reconcile", "--repair")
    call_command("reconcile")
