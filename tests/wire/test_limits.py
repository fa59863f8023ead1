"""Quotas, breakers and counters: what all processes keep together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectgenai.wire.capacity import (
    ModelCapacity,
    begin_trial,
    close_breaker,
    expected_wait_ms,
    open_breaker,
    take,
    wait_ms,
)
from connectgenai.wire.limits import caller_count
from connectgenai.wire.store import AnswerStore
from tests.wire.conftest import NOW

MINUTE = 60_000
LIMITED = ModelCapacity("model", requests_per_minute=60, tokens_per_minute=60_000, output_weight=5)


def run_for(capacity: ModelCapacity, *, tokens: int, minutes: int, is_live: bool = True) -> list[int]:
    """When requests are taken if there is always one more that wants to be."""
    now, taken = NOW, []
    while now < NOW + minutes * MINUTE:
        wait = wait_ms(capacity, tokens=tokens, now_ms=now, is_live=is_live)
        if wait:
            now += wait
            continue
        capacity = take(capacity, tokens=tokens, now_ms=now)
        taken.append(now)
    return taken


# -- the bucket


@settings(deadline=None, max_examples=60)
@given(quota=st.integers(2, 500), tokens=st.integers(1, 300))
def test_no_minute_sees_more_than_the_quota_and_a_busy_one_most_of_it(quota: int, tokens: int) -> None:
    capacity = ModelCapacity("model", requests_per_minute=quota, tokens_per_minute=max(quota * 100, 5 * tokens))
    taken = run_for(capacity, tokens=tokens, minutes=3)
    windows = [sum(start <= moment < start + MINUTE for moment in taken) for start in taken]
    assert max(windows) <= quota
    assert max(windows) * tokens <= capacity.tokens_per_minute
    expected = min(quota, capacity.tokens_per_minute / tokens)
    assert len(taken) >= 3 * expected * 0.6 - 2


def test_a_model_without_limits_never_makes_anybody_wait() -> None:
    capacity = ModelCapacity("model")
    assert take(capacity, tokens=10**9, now_ms=NOW) == capacity
    assert wait_ms(capacity, tokens=10**9, now_ms=NOW) == 0


def test_a_request_larger_than_the_bucket_is_taken_when_it_is_full_and_paid_for_afterwards() -> None:
    capacity = ModelCapacity("model", tokens_per_minute=6_000)  # 1,200 at once and 80 a second
    assert wait_ms(capacity, tokens=12_000, now_ms=NOW) == 0
    after = take(capacity, tokens=12_000, now_ms=NOW)
    assert wait_ms(after, tokens=1, now_ms=NOW) == pytest.approx((12_000 - 1_200 + 1) / 0.08, abs=5)


def test_what_was_reserved_and_not_used_is_given_back() -> None:
    reserved = take(LIMITED, tokens=20_000, now_ms=NOW)
    back = take(reserved, tokens=-15_000, requests=0, now_ms=NOW)
    assert wait_ms(back, tokens=7_000, now_ms=NOW) == 0
    assert wait_ms(reserved, tokens=7_000, now_ms=NOW) > 10_000


def test_pre_warming_leaves_half_of_the_bucket_to_callers() -> None:
    capacity = ModelCapacity("model", requests_per_minute=60)  # 12 at once
    for _ in range(6):
        assert wait_ms(capacity, tokens=0, now_ms=NOW, is_live=False) == 0
        capacity = take(capacity, tokens=0, now_ms=NOW)
    assert wait_ms(capacity, tokens=0, now_ms=NOW, is_live=False) > 0
    assert wait_ms(capacity, tokens=0, now_ms=NOW) == 0


def test_who_has_to_wait_reserves_a_place_in_the_queue() -> None:
    capacity, waits = ModelCapacity("model", requests_per_minute=60), []
    for _ in range(15):
        waits.append(wait_ms(capacity, tokens=0, now_ms=NOW))
        capacity = take(capacity, tokens=0, now_ms=NOW)
    assert waits[:12] == [0] * 12
    assert waits[12:] == pytest.approx([1_250, 2_500, 3_750], abs=3)  # 48 a minute flow


# -- the breaker


def test_the_breaker_pauses_twice_as_long_each_time_until_the_model_answers() -> None:
    capacity, now, pauses = LIMITED, NOW, []
    for _ in range(6):
        capacity = open_breaker(capacity, reason="model_busy", now_ms=now)
        pauses.append(capacity.open_until - now)
        now = capacity.open_until
        assert not capacity.is_open(now_ms=now)
        capacity = begin_trial(capacity, now_ms=now)
        assert capacity.is_open(now_ms=now)
    assert pauses == [15_000, 30_000, 60_000, 120_000, 240_000, 240_000]
    assert close_breaker(capacity) == LIMITED


# -- how long a caller would wait


def test_the_expected_wait_is_the_longest_of_bucket_breaker_and_queue() -> None:
    assert expected_wait_ms(LIMITED, tokens=100, now_ms=NOW) == 0
    queued = replace(LIMITED, queue_ms=9_000, queue_seen_at=NOW - 10_000)
    assert expected_wait_ms(queued, tokens=100, now_ms=NOW) == 9_000
    assert expected_wait_ms(queued, tokens=100, now_ms=NOW + 6_000) == 0  # nobody has said so for 15 s
    assert expected_wait_ms(replace(queued, open_until=NOW + 12_000), tokens=100, now_ms=NOW) == 12_000
    full = take(queued, tokens=60_000, now_ms=NOW)
    assert expected_wait_ms(full, tokens=12_000, now_ms=NOW) > 60_000


# -- kept together


def test_many_processes_take_from_one_bucket(store: AnswerStore) -> None:
    store.limits.publish_limits(ModelCapacity("together", requests_per_minute=600))
    stale = store.limits.read_capacity("together")

    def take_one(_: int) -> None:
        store.limits.change_capacity(stale, lambda found: take(found, tokens=0, now_ms=NOW))

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(take_one, range(12)))
    after = store.limits.read_capacity("together")
    assert after.requests_full_at - NOW == 12 * round(60_000 / 480)


def test_new_limits_leave_what_is_spoken_for_and_the_breaker(store: AnswerStore) -> None:
    opened = store.limits.change_capacity(
        ModelCapacity("kept"), lambda found: open_breaker(found, reason="network", now_ms=NOW)
    )
    store.limits.publish_limits(replace(LIMITED, model_id="kept"))
    after = store.limits.read_capacity("kept")
    assert (after.requests_per_minute, after.output_weight) == (60, 5)
    assert (after.open_until, after.openings, after.open_reason) == (opened.open_until, 1, "network")


def test_what_stays_the_same_is_not_written(store: AnswerStore) -> None:
    seen = ModelCapacity("untouched")
    assert store.limits.change_capacity(seen, lambda found: found) is seen
    assert store.limits.read_capacity("untouched").version == 0


# -- counted asks


def test_asks_are_counted_in_windows_of_time(store: AnswerStore) -> None:
    def ask(now_ms: int) -> bool:
        return store.limits.count_ask("counted", limit=3, window_seconds=60, now_ms=now_ms)

    assert [ask(NOW) for _ in range(5)] == [True, True, True, False, False]
    assert [ask(NOW + MINUTE) for _ in range(4)] == [True, True, True, False]
    assert not ask(NOW)  # each window has a count of its own, also for a clock that is behind


def test_of_many_asks_at_once_no_more_than_the_limit_pass(store: AnswerStore) -> None:
    def ask(_: int) -> bool:
        return store.limits.count_ask("raced", limit=5, window_seconds=3_600, now_ms=NOW)

    with ThreadPoolExecutor(8) as callers:
        assert sum(callers.map(ask, range(24))) == 5


def test_a_counter_does_not_hold_the_callers_hash() -> None:
    assert "k1-abcdef" not in caller_count("faq", "k1-abcdef")
    assert caller_count("faq", "k1-abcdef") != caller_count("faq", "k1-abcdeg")
