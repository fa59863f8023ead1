"""The answer protocol against a real DynamoDB API: one directed scenario for each guard."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from connectgenai.wire.items import FAILED, INVALID, PENDING, READY, AnswerItem, CallItem, TopicItem
from connectgenai.wire.store import (
    HIT,
    JOIN,
    LEASE_MS,
    MISS,
    REFUSED,
    AnswerStore,
    ConflictError,
    FencedError,
    StoreError,
    Usage,
    find_outcome,
    is_current,
    is_requeue_due,
    read_item,
)
from tests.aws import Aws
from tests.wire.conftest import NOW, asked

QUESTION = asked()
KEY = QUESTION.key


def claim(store: AnswerStore, topic: TopicItem, *, now: int = NOW) -> AnswerItem:
    found = store.ask(QUESTION, topic=topic, seen=store.read_answer(KEY, consistent=True), now_ms=now)
    assert found.outcome == MISS
    return found.item


def start(store: AnswerStore, item: AnswerItem, *, token: str = "run-one", now: int = NOW) -> AnswerItem:
    started = store.start(KEY, epoch=item.epoch, token=token, revision=item.revision, now_ms=now)
    assert started is not None
    return started


def finish(
    store: AnswerStore, item: AnswerItem, *, token: str = "run-one", text: str = "Yes.", now: int = NOW
) -> AnswerItem:
    usage = Usage("model", 10, 5)
    return store.finish(
        KEY,
        epoch=item.epoch,
        token=token,
        chunks=[text],
        revision=item.revision,
        ttl_seconds=3_600,
        usage=usage,
        now_ms=now,
    )


def answered(store: AnswerStore, topic: TopicItem, *, text: str = "Yes.") -> AnswerItem:
    item = claim(store, topic)
    start(store, item)
    return finish(store, item, text=text)


def test_of_many_asks_at_once_exactly_one_claims(store: AnswerStore, topic: TopicItem) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: store.ask(QUESTION, topic=topic, seen=None, now_ms=NOW), range(48)))
    assert sorted(f.outcome for f in found) == [JOIN] * 47 + [MISS]
    assert {f.item.epoch for f in found} == {1}


def test_a_whole_life_from_ask_to_hit(store: AnswerStore, topic: TopicItem) -> None:
    item = claim(store, topic)
    start(store, item)
    store.append(KEY, epoch=1, token="run-one", chunk="Yes.", index=0, now_ms=NOW + 1)
    store.append(KEY, epoch=1, token="run-one", chunk="Until five.", index=1, now_ms=NOW + 2)
    partial = store.read_answer(KEY, consistent=True)
    assert partial is not None
    assert (partial.chunks, partial.complete, partial.first_chunk_at) == (("Yes.", "Until five."), False, NOW + 1)
    done = store.finish(
        KEY,
        epoch=1,
        token="run-one",
        chunks=["Yes.", "Until five."],
        revision=1,
        ttl_seconds=60,
        usage=Usage("m", 9, 4),
        now_ms=NOW + 3,
    )
    assert (done.state, done.text, done.expires_at, done.output_tokens) == (
        READY,
        "Yes. Until five.",
        NOW // 1000 + 60,
        4,
    )
    assert store.ask(QUESTION, topic=topic, seen=done, now_ms=NOW + 4).outcome == HIT


def test_a_stale_read_does_not_claim_an_answer_that_is_there(store: AnswerStore, topic: TopicItem) -> None:
    answered(store, topic)
    assert store.ask(QUESTION, topic=topic, seen=None, now_ms=NOW).outcome == HIT


def test_an_expired_answer_that_is_still_present_is_never_served(store: AnswerStore, topic: TopicItem) -> None:
    item = answered(store, topic)
    late = item.expires_at * 1000
    assert is_current(item, topic, now_ms=late - 1)
    assert not is_current(item, topic, now_ms=late)
    assert store.ask(QUESTION, topic=topic, seen=item, now_ms=late).outcome == MISS


def test_a_raised_revision_outdates_every_answer_by_one_write_but_not_a_pinned_one(
    store: AnswerStore, topic: TopicItem
) -> None:
    item = answered(store, topic)
    newer = store.raise_revision("faq", now_ms=NOW)
    assert newer.revision == topic.revision + 1
    assert newer.instructions == topic.instructions
    assert find_outcome(item, newer, now_ms=NOW) == MISS
    pinned = store.publish(
        QUESTION, chunks=["Ours."], seen_version=item.version, revision=1, ttl_seconds=60, pinned=True, now_ms=NOW
    )
    assert find_outcome(pinned, newer, now_ms=NOW) == HIT


def test_work_begun_under_an_older_revision_is_not_joined(store: AnswerStore, topic: TopicItem) -> None:
    claim(store, topic)
    newer = store.raise_revision("faq", now_ms=NOW)
    found = store.ask(QUESTION, topic=newer, seen=store.read_answer(KEY), now_ms=NOW)
    assert (found.outcome, found.item.epoch) == (MISS, 2)


def test_a_duplicate_message_starts_nothing_while_the_lease_lives(store: AnswerStore, topic: TopicItem) -> None:
    item = claim(store, topic)
    start(store, item, token="first")
    assert store.start(KEY, epoch=1, token="second", revision=1, now_ms=NOW + LEASE_MS - 1) is None
    assert start(store, item, token="first").token == "first"  # our own start, whose reply was lost


def test_a_lapsed_lease_lets_another_worker_start_over(store: AnswerStore, topic: TopicItem) -> None:
    item = claim(store, topic)
    start(store, item, token="dead")
    store.append(KEY, epoch=1, token="dead", chunk="Half.", index=0, now_ms=NOW)
    again = start(store, item, token="alive", now=NOW + LEASE_MS + 1)
    assert (again.token, again.chunks, again.attempts) == ("alive", (), 2)


def test_a_message_of_an_older_epoch_starts_nothing(store: AnswerStore, topic: TopicItem) -> None:
    item = claim(store, topic)
    store.invalidate(KEY, reason="wrong", now_ms=NOW)
    claim(store, topic)
    assert store.start(KEY, epoch=item.epoch, token="late", revision=1, now_ms=NOW) is None


def test_a_zombie_cannot_append_renew_release_or_fail_what_another_took_over(
    store: AnswerStore, topic: TopicItem
) -> None:
    item = claim(store, topic)
    start(store, item, token="zombie")
    start(store, item, token="heir", now=NOW + LEASE_MS + 1)
    zombie: Any = {"epoch": 1, "token": "zombie", "now_ms": NOW + LEASE_MS + 2}
    acts: list[Callable[[], object]] = [
        lambda: store.append(KEY, chunk="Old.", index=0, **zombie),
        lambda: store.renew_lease(KEY, **zombie),
        lambda: store.release(KEY, **zombie),
        lambda: store.fail(KEY, reason="x", remember_seconds=1, **zombie),
    ]
    for act in acts:
        with pytest.raises(FencedError):
            act()
    current = store.read_answer(KEY, consistent=True)
    assert current is not None
    assert (current.token, current.state) == ("heir", PENDING)


def test_the_first_to_finish_an_epoch_wins_and_all_others_are_fenced(store: AnswerStore, topic: TopicItem) -> None:
    item = claim(store, topic)
    start(store, item, token="a")
    start(store, item, token="b", now=NOW + LEASE_MS + 1)
    assert finish(store, item, token="a", text="From a.").text == "From a."
    with pytest.raises(FencedError):
        finish(store, item, token="b", text="From b.")


def test_a_retried_finish_append_or_fail_whose_reply_was_lost_succeeds(store: AnswerStore, topic: TopicItem) -> None:
    item = claim(store, topic)
    start(store, item)
    for _ in range(2):
        store.append(KEY, epoch=1, token="run-one", chunk="Yes.", index=0, now_ms=NOW)
    partial = store.read_answer(KEY, consistent=True)
    assert partial is not None
    assert partial.chunks == ("Yes.",)
    finish(store, item)
    assert finish(store, item).state == READY


def test_an_invalidation_in_flight_fences_the_worker_and_leaves_a_tombstone(
    store: AnswerStore, topic: TopicItem
) -> None:
    item = claim(store, topic)
    start(store, item)
    grave = store.invalidate(KEY, reason="wrong price", now_ms=NOW)
    assert (grave.state, grave.epoch, grave.chunks, grave.reason) == (INVALID, 2, (), "wrong price")
    with pytest.raises(FencedError):
        finish(store, item)
    assert claim(store, topic).epoch == 3


def test_invalidating_what_is_not_there_is_a_key_error(store: AnswerStore) -> None:
    with pytest.raises(KeyError):
        store.invalidate("faq.unknown", reason="", now_ms=NOW)


def test_an_edit_of_a_version_that_is_no_longer_there_is_a_conflict(store: AnswerStore, topic: TopicItem) -> None:
    item = answered(store, topic)
    edit = {"revision": 1, "ttl_seconds": 60, "now_ms": NOW}
    first = store.publish(QUESTION, chunks=["First edit."], seen_version=item.version, **edit)  # type: ignore[arg-type]
    with pytest.raises(ConflictError) as caught:
        store.publish(QUESTION, chunks=["Second edit."], seen_version=item.version, **edit)  # type: ignore[arg-type]
    assert caught.value.current is not None
    assert caught.value.current.text == first.text == "First edit."
    assert (first.epoch, first.text_epoch, first.source) == (2, 2, "curated")


def test_a_late_model_never_replaces_a_persons_text(store: AnswerStore, topic: TopicItem) -> None:
    item = claim(store, topic)
    started = start(store, item)
    store.publish(QUESTION, chunks=["Ours."], seen_version=started.version, revision=1, ttl_seconds=60, now_ms=NOW)
    with pytest.raises(FencedError):
        finish(store, item, text="The model's.")
    with pytest.raises(FencedError):
        store.fail(KEY, epoch=1, token="run-one", reason="x", remember_seconds=9, now_ms=NOW)
    current = store.read_answer(KEY, consistent=True)
    assert current is not None
    assert current.text == "Ours."


def test_an_answer_can_be_published_before_anyone_asked(store: AnswerStore, topic: TopicItem) -> None:
    item = store.publish(QUESTION, chunks=["Ready."], seen_version=0, revision=1, ttl_seconds=60, now_ms=NOW)
    assert find_outcome(item, topic, now_ms=NOW) == HIT
    with pytest.raises(ConflictError):
        store.publish(QUESTION, chunks=["Again."], seen_version=0, revision=1, ttl_seconds=60, now_ms=NOW)


def test_a_failure_is_remembered_for_a_while_and_then_asked_anew(store: AnswerStore, topic: TopicItem) -> None:
    item = claim(store, topic)
    start(store, item)
    store.fail(KEY, epoch=1, token="run-one", reason="guardrail", remember_seconds=60, now_ms=NOW)
    failed = store.read_answer(KEY, consistent=True)
    assert failed is not None
    assert (failed.state, failed.reason) == (FAILED, "guardrail")
    assert find_outcome(failed, topic, now_ms=NOW + 59_000) == REFUSED
    assert find_outcome(failed, topic, now_ms=NOW + 60_000) == MISS


def test_a_request_is_sent_again_by_one_caller_at_a_time_and_ever_more_rarely(
    store: AnswerStore, topic: TopicItem
) -> None:
    item = claim(store, topic)
    assert not is_requeue_due(item, now_ms=NOW + 3_999)
    assert is_requeue_due(item, now_ms=NOW + 4_000)
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _: store.requeue(item, now_ms=NOW + 4_000), range(8)))
    assert won.count(True) == 1
    again = store.read_answer(KEY, consistent=True)
    assert again is not None
    assert not is_requeue_due(again, now_ms=NOW + 4_000 + 7_999)
    assert is_requeue_due(again, now_ms=NOW + 4_000 + 8_000)


def test_nothing_is_sent_again_while_a_worker_holds_the_lease(store: AnswerStore, topic: TopicItem) -> None:
    item = claim(store, topic)
    started = start(store, item, now=NOW + 10_000)
    assert not is_requeue_due(started, now_ms=NOW + 20_000)
    assert not store.requeue(item, now_ms=NOW + 20_000)
    assert is_requeue_due(started, now_ms=NOW + 10_000 + LEASE_MS + 1)


def test_a_released_lease_can_be_taken_at_once(store: AnswerStore, topic: TopicItem) -> None:
    item = claim(store, topic)
    start(store, item, token="throttled")
    store.release(KEY, epoch=1, token="throttled", now_ms=NOW + 1)
    assert start(store, item, token="next", now=NOW + 2).token == "next"


def test_a_late_heartbeat_does_not_take_a_released_lease_again(store: AnswerStore, topic: TopicItem) -> None:
    item = claim(store, topic)
    start(store, item, token="throttled")
    store.release(KEY, epoch=1, token="throttled", now_ms=NOW + 1)
    with pytest.raises(FencedError):
        store.renew_lease(KEY, epoch=1, token="throttled", now_ms=NOW + 2)
    store.release(KEY, epoch=1, token="throttled", now_ms=NOW + 3)  # a retry whose first reply was lost
    assert start(store, item, token="next", now=NOW + 4).token == "next"


def test_every_write_is_on_the_list_of_changes_until_that_version_is_mirrored(
    store: AnswerStore, topic: TopicItem
) -> None:
    item = answered(store, topic)
    changed = {a["pk"]["S"]: read_item(a) for a in store.read_changes()}
    assert changed == {f"A#{KEY}": item, "T#faq": topic}
    newer = store.invalidate(KEY, reason="", now_ms=NOW + 5)
    assert not store.mark_mirrored(f"A#{KEY}", version=item.version)
    assert store.mark_mirrored(f"A#{KEY}", version=newer.version)
    assert [a["pk"]["S"] for a in store.read_changes()] == ["T#faq"]


def test_an_incident_and_an_estimate_survive_a_publication(store: AnswerStore, topic: TopicItem) -> None:
    store.set_incident("faq", incident_id="i1", chunks=["We are closed today."], until_ms=NOW + 1_000, now_ms=NOW)
    store.set_estimate("faq", seconds=12, now_ms=NOW)
    again = store.publish_topic(topic, now_ms=NOW, is_stale=False)
    assert (again.revision, again.estimate_seconds) == (topic.revision, 12)
    assert again.has_incident(KEY, now_ms=NOW + 999)
    assert not again.has_incident(KEY, now_ms=NOW + 1_000)


def test_an_incident_for_some_questions_leaves_the_others_alone(store: AnswerStore, topic: TopicItem) -> None:
    item = store.set_incident("faq", incident_id="i1", chunks=["Closed."], until_ms=NOW + 1, keys=[KEY], now_ms=NOW)
    assert item.has_incident(KEY, now_ms=NOW)
    assert not item.has_incident("faq.other", now_ms=NOW)


def test_a_calls_record_keeps_its_first_times_and_gathers_events(store: AnswerStore) -> None:
    base: Any = {"contact_id": "c1", "key": KEY}
    store.record_call(CallItem(**base, asked_at=NOW, last_seen_at=NOW), now_ms=NOW)
    later = CallItem(**base, asked_at=NOW, first_words_at=NOW + 5, outcome="listening", parts=1)
    store.record_call(later, events=["5000|part|1"], now_ms=NOW + 5)
    store.record_call(
        CallItem(**base, asked_at=NOW, first_words_at=NOW + 8, outcome="answered", parts=2),
        events=["8000|part|2"],
        now_ms=NOW + 8,
    )
    call = store.read_call("c1", KEY)
    assert call is not None
    assert (call.asked_at, call.first_words_at, call.outcome, call.polls) == (NOW, NOW + 5, "answered", 3)
    assert call.events == ("5000|part|1", "8000|part|2")


def test_a_scan_finds_every_item_of_a_kind(store: AnswerStore, topic: TopicItem) -> None:
    item = answered(store, topic)
    assert [read_item(a) for a in store.scan_items(prefix="A#")] == [item]
    assert [read_item(a) for a in store.scan_items(prefix="T#")] == [topic]


def test_a_table_that_is_not_there_is_a_store_error_that_trying_again_does_not_mend(aws: Aws) -> None:
    with pytest.raises(StoreError) as caught:
        AnswerStore(aws.dynamodb, table="no-such-table").read_answer(KEY)
    assert not caught.value.retryable


def test_an_unknown_attribute_from_a_newer_version_is_ignored(
    store: AnswerStore, topic: TopicItem, dynamodb: Any
) -> None:
    answered(store, topic)
    dynamodb.update_item(
        TableName=store._table._name,
        Key={"pk": {"S": f"A#{KEY}"}},
        UpdateExpression="SET #shape = :s",
        ExpressionAttributeNames={"#shape": "shape"},
        ExpressionAttributeValues={":s": {"M": {"x": {"NULL": True}}}},
    )
    found = store.read_answer(KEY, consistent=True)
    assert found is not None
    assert found.text == "Yes."
