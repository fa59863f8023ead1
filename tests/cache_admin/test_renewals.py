"""Renewals: generated aside while callers hear the old text, and put in its place only if nobody has touched it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import InMemoryStorage
from django.utils import timezone

from cache_admin import gateways
from cache_admin.mapping import epoch_ms
from cache_admin.models import CachedAnswer, Topic, WarmBatch, WarmRow, WarmSchedule
from cache_admin.services.answers import edit_answer
from cache_admin.services.mirror import mirror_changes
from cache_admin.services.topics import publish_topic
from cache_admin.trials.drafts import identify_draft
from cache_admin.warming.batches import confirm, make_renewal_batch, read_progress
from cache_admin.warming.driving import drive_batches
from cache_admin.warming.schedules import run_due
from connectgenai.wire.answering import AnswerDesk
from connectgenai.wire.items import AnswerItem
from connectgenai.wire.store import AnswerStore, Usage
from tests.aws import Aws
from tests.cache_admin.conftest import ask, generate

QUESTION = "Are you open on Sunday?"
OLD, NEW = "We are open on Sunday.", "On Sunday we open at ten."
Drive = Callable[..., None]


@pytest.fixture
def drive(site: Aws, store: AnswerStore) -> Drive:
    """One turn of housekeeping."""

    def turn(later: timedelta = timedelta(0)) -> None:
        drive_batches(store, gateways.prewarm_queue(), InMemoryStorage(), clock=lambda: timezone.now() + later)

    return turn


@pytest.fixture
def old(store: AnswerStore, topic: Topic) -> CachedAnswer:
    """An answer of the model's that callers hear, and have asked for."""
    generate(store, ask(QUESTION), OLD, now_ms=epoch_ms(timezone.now()) - 60_000)
    mirror_changes(store, now=timezone.now())
    CachedAnswer.objects.update(calls=7)
    return CachedAnswer.objects.get()


def begin(answer: CachedAnswer) -> WarmRow:
    batch = make_renewal_batch([answer], name="renewal", by=None, now=timezone.now())
    assert confirm(batch, now=timezone.now())
    return batch.rows.get()


def find_draft(store: AnswerStore) -> AnswerItem:
    item = store.read_answer(identify_draft(QUESTION, topic="faq", language="en-US").key, consistent=True)
    assert item is not None
    return item


def work(store: AnswerStore, *, text: str = NEW, fails: bool = False) -> None:
    """Plays the worker on the draft."""
    item = find_draft(store)
    topic = store.read_topic("faq")
    assert topic is not None
    run: dict[str, Any] = {"epoch": item.epoch, "token": f"draft-{item.epoch}", "now_ms": epoch_ms(timezone.now())}
    store.start(item.key, revision=topic.revision, **run)
    if fails:
        store.fail(item.key, reason="model_down", remember_seconds=0, **run)
        return
    usage = Usage(model="local.extractive-v1", input_tokens=100, output_tokens=20)
    store.finish(item.key, chunks=[text], revision=topic.revision, ttl_seconds=900, usage=usage, **run)


def state_of(row: WarmRow) -> str:
    row.refresh_from_db()
    return row.state


def heard(store: AnswerStore) -> str:
    """What a caller gets who asks now; the question must not cost a generation."""
    sent: list[Any] = []
    desk = AnswerDesk(store=store, send=sent.append, caller_keys=(("k1", b"secret"),))
    contact = {"ContactId": "c1", "LanguageCode": "en-US", "Attributes": {}, "Channel": "VOICE"}
    parameters = {"topic": "faq", "question": QUESTION, "language": "en-US"}
    reply = desk.ask({"Details": {"ContactData": contact, "Parameters": parameters}})
    assert not sent
    return reply.text


def test_callers_hear_the_old_text_until_the_new_one_is_there(
    old: CachedAnswer, store: AnswerStore, drive: Drive
) -> None:
    row = begin(old)
    assert heard(store) == OLD
    drive()
    assert (state_of(row), heard(store)) == ("sent", OLD)
    work(store)
    assert heard(store) == OLD
    drive()
    assert (state_of(row), heard(store)) == ("done", NEW)
    old.refresh_from_db()
    assert (old.text, old.source, old.model) == (NEW, "generated", "local.extractive-v1")
    progress = read_progress(row.batch)
    assert (progress.total, progress.done, progress.output_tokens) == (1, 1, 20)
    assert WarmBatch.objects.get().state == "done"
    assert find_draft(store).state == "INVALID"


def test_a_failed_renewal_costs_callers_nothing_and_can_be_tried_again(
    old: CachedAnswer, store: AnswerStore, drive: Drive
) -> None:
    from cache_admin.warming.batches import retry_failures

    row = begin(old)
    drive()
    work(store, fails=True)
    drive()
    assert (state_of(row), heard(store)) == ("failed", OLD)
    assert retry_failures(row.batch) == 1
    drive()
    work(store)
    drive()
    assert heard(store) == NEW


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_supervisor_has_changed_meanwhile_is_left_alone(
    old: CachedAnswer, store: AnswerStore, drive: Drive, when: str
) -> None:
    row = begin(old)
    if when == "after":
        drive()
    edit_answer(old, text="Mine.", seen_version=old.version, pinned=False, store=store, now=timezone.now())
    if when == "after":
        work(store)
    drive()
    assert (state_of(row), heard(store)) == ("cancelled", "Mine.")


def test_nothing_is_renewed_from_a_topic_as_it_was(
    old: CachedAnswer, store: AnswerStore, drive: Drive, topic: Topic
) -> None:
    row = begin(old)
    drive()
    work(store)
    topic.instructions = "Answer at length."
    publish_topic(topic, store=store, now=timezone.now())
    drive()
    assert state_of(row) == "failed"
    assert "topic has changed" in row.failure


def test_where_people_approve_the_draft_waits_for_them(
    old: CachedAnswer, store: AnswerStore, drive: Drive, topic: Topic
) -> None:
    row = begin(old)
    topic.needs_approval = True
    publish_topic(topic, store=store, now=timezone.now())
    drive()
    work(store)
    drive()
    assert (state_of(row), row.failure[:14]) == ("done", "Sent to review")
    assert find_draft(store).state == "READY"
    shared = store.read_answer(ask(QUESTION).key, consistent=True)
    assert shared is not None
    assert shared.text == OLD


def test_a_row_whose_worker_died_is_taken_up_again_and_nothing_is_paid_twice(
    old: CachedAnswer, store: AnswerStore, drive: Drive
) -> None:
    row = begin(old)
    drive()
    epoch = find_draft(store).epoch
    WarmRow.objects.update(state="waiting", sent_at=None, epoch=0)  # the claim was never noted
    work(store)
    drive()
    assert find_draft(store).epoch == epoch
    WarmRow.objects.update(state="sent")
    drive()
    assert (state_of(row), heard(store)) == ("done", NEW)


def test_a_text_that_was_published_and_not_noted_counts_as_done(
    old: CachedAnswer, store: AnswerStore, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = begin(old)
    drive()
    work(store)
    with monkeypatch.context() as patched:
        patched.setattr("cache_admin.warming.renewing.drop_draft", lambda *_, **__: None)
        drive()
    WarmRow.objects.update(state="sent")
    WarmBatch.objects.update(state="running")
    drive()
    assert (state_of(row), heard(store)) == ("done", NEW)


@pytest.mark.parametrize(
    ("hours_left", "ahead", "changes", "expected"),
    [
        (5, 6, {}, 1),
        (7, 6, {}, 0),
        (-1, 6, {}, 0),
        (100, 720, {}, 0),  # not sooner than half of its time
        (5, 6, {"source": "curated"}, 0),
        (5, 6, {"pinned": True}, 0),
        (5, 6, {"revision": 0}, 0),
        (5, 6, {"calls": 0}, 0),
    ],
)
def test_a_schedule_renews_what_is_asked_often_and_ends_soon(
    old: CachedAnswer, topic: Topic, hours_left: int, ahead: int, changes: dict[str, Any], expected: int
) -> None:
    now = timezone.now()
    WarmSchedule.objects.create(topic=topic, when="ending", hours_ahead=ahead, most_asked=5)
    CachedAnswer.objects.update(expires_at=now + timedelta(hours=hours_left), **changes)
    assert run_due(now=now) == expected
    assert list(WarmBatch.objects.values_list("kind", "state")) == [("renewal", "running")] * expected
    assert run_due(now=now + timedelta(minutes=2)) == 0  # what is under way is not begun twice
