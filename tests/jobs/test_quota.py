"""A place in the model's quota before each request, and its breaker: callers before pre-warming, and nobody waits in vain."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from connectgenai.wire.capacity import ModelCapacity, take
from connectgenai.wire.items import FAILED, PENDING, READY
from connectgenai.wire.request import GenerationRequest
from jobs.quota import FAILURES_TO_OPEN, Quota, estimate_tokens
from jobs.runs import LOOK_SECONDS, clock_ms
from jobs.services import HandBackError, answer_question
from tests.jobs.stage import QUESTION, Clock, Stage


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def model_id() -> str:
    return f"local.extractive-{secrets.token_hex(6)}"


@pytest.fixture
def limited(stage: Stage, model_id: str, clock: Clock) -> Callable[..., Stage]:
    """A stage whose topic's model has a quota of its own, and whose worker sleeps by turning its clock."""

    def make(*, topic: dict[str, Any] | None = None, **quota: Any) -> Stage:
        stage.publish(**{"model_id": model_id, "max_tokens": 400, **(topic or {})})
        if quota:
            stage.store.limits.publish_limits(ModelCapacity(model_id, **quota))

        def sleep(seconds: float) -> None:
            stage.pauses.append(seconds)
            clock.ahead_ms += round(seconds * 1000)

        fresh = Quota(stage.store.limits, now_ms=clock.now_ms)
        return stage.with_workshop(quota=fresh, now_ms=clock.now_ms, sleep=sleep)

    return make


def live(stage: Stage, question: str = QUESTION, *, seconds: float = 60) -> GenerationRequest:
    return replace(stage.ask(question), deadline=stage.now_ms() + round(seconds * 1000))


def warm(stage: Stage, question: str = QUESTION) -> GenerationRequest:
    return GenerationRequest(topic=stage.topic, question=question)


def spend(stage: Stage, model_id: str, *, requests: int, tokens: int = 0) -> None:
    seen = stage.store.limits.read_capacity(model_id)
    stage.store.limits.change_capacity(
        seen, lambda found: take(found, tokens=tokens, requests=requests, now_ms=stage.now_ms())
    )


def test_who_finds_no_room_waits_for_his_turn_and_then_is_answered(limited: Any, model_id: str) -> None:
    stage = limited(requests_per_minute=30)
    spend(stage, model_id, requests=10)  # 6 at once, then one in 2.5 s
    request = live(stage)
    assert stage.answer(request).outcome == "answered"
    assert sum(stage.pauses) == pytest.approx(12.5, abs=1.5)
    assert set(stage.pauses) == {LOOK_SECONDS}


def test_who_would_wait_in_vain_is_told_so_and_the_question_can_be_asked_again_soon(
    limited: Any, model_id: str
) -> None:
    stage = limited(requests_per_minute=30)
    spend(stage, model_id, requests=60)
    request = live(stage, seconds=20)
    result = stage.answer(request)
    item = stage.read(request)
    assert (result.outcome, result.reason, stage.count_calls()) == ("failed", "busy", 0)
    assert (item.state, item.failed_until - item.finished_at) == (FAILED, 5_000)
    assert stage.pauses == []


def test_what_a_generation_did_not_use_is_given_back(limited: Any, model_id: str) -> None:
    stage = limited(tokens_per_minute=1_000_000, topic={"max_tokens": 4_000})
    stage.answer(live(stage))
    call = stage.bedrock.read_calls()[0]
    after = stage.store.limits.read_capacity(model_id)
    used = call["input_tokens"] + call["output_tokens"]
    assert 100 < used < 2_000
    assert (after.tokens_full_at - stage.now_ms()) * 800_000 / 60_000 < used + 100


def test_a_generation_that_fails_gives_back_what_it_never_wrote(limited: Any, model_id: str) -> None:
    stage = limited(tokens_per_minute=1_000_000, topic={"max_tokens": 30_000})
    stage.bedrock.set_faults({"kind": "guardrail"})
    stage.answer(live(stage))
    after = stage.store.limits.read_capacity(model_id)
    assert (after.tokens_full_at - stage.now_ms()) * 800_000 / 60_000 < 2_000


def test_pre_warming_waits_without_a_lease_and_a_caller_who_asks_the_same_is_served_before(
    limited: Any, model_id: str
) -> None:
    stage = limited(requests_per_minute=60)  # 12 at once, of which pre-warming leaves 6
    spend(stage, model_id, requests=8)
    seen: list[Any] = []

    def sleep(seconds: float) -> None:
        if not seen:
            request = live(stage)
            seen.append(stage.answer(request).outcome)
        stage.shop.quota.now_ms.__self__.ahead_ms += round(seconds * 1000)

    warming = stage.with_workshop(sleep=sleep)
    assert warming.answer(warm(stage)).outcome == "duplicate"
    assert seen == ["answered"]
    assert stage.count_calls() == 1


def test_pre_warming_goes_on_when_callers_leave_room(limited: Any, model_id: str) -> None:
    stage = limited(requests_per_minute=60)
    spend(stage, model_id, requests=8)
    assert stage.answer(warm(stage)).outcome == "answered"
    assert 0 < sum(stage.pauses) < 60


def test_pre_warming_that_finds_no_room_for_an_hour_is_handed_back(limited: Any, model_id: str) -> None:
    stage = limited(requests_per_minute=1)
    spend(stage, model_id, requests=10_000)
    with pytest.raises(HandBackError, match="busy"):
        stage.answer(warm(stage))
    assert 1_800 < sum(stage.pauses) < 7_200
    assert stage.count_calls() == 0


def test_pre_warming_that_waits_is_handed_back_when_the_worker_stops(limited: Any, model_id: str) -> None:
    stage = limited(requests_per_minute=1)
    spend(stage, model_id, requests=10)
    with pytest.raises(HandBackError, match="busy"):
        stage.with_workshop(is_stopping=lambda: len(stage.pauses) == 3).answer(warm(stage))
    assert len(stage.pauses) == 3


def test_a_pre_warmed_question_that_is_known_gives_its_place_back(limited: Any, model_id: str) -> None:
    stage = limited(requests_per_minute=600)
    stage.answer(live(stage))
    before = stage.store.limits.read_capacity(model_id).requests_full_at
    assert stage.answer(warm(stage)).outcome == "duplicate"
    assert stage.store.limits.read_capacity(model_id).requests_full_at <= max(before, stage.now_ms()) + 1


def test_a_refusal_by_bedrock_makes_all_who_share_the_quota_wait_a_little(limited: Any, model_id: str) -> None:
    stage = limited(requests_per_minute=600)
    stage.bedrock.set_faults({"kind": "throttle", "times": 1})
    before = stage.now_ms()
    assert stage.answer(live(stage)).outcome == "answered"
    assert stage.store.limits.read_capacity(model_id).requests_full_at >= before + 2_000


# -- the breaker


def test_a_model_that_fails_again_and_again_is_left_alone_and_callers_are_told_at_once(
    limited: Any, model_id: str
) -> None:
    stage = limited()
    stage.bedrock.set_faults({"kind": "service_unavailable"})
    with pytest.raises(HandBackError):
        stage.answer(live(stage, "The first, please?"))
    result = stage.answer(live(stage, "The second, please?"))
    assert (result.outcome, result.reason) == ("failed", "model_down")
    assert stage.count_calls() == FAILURES_TO_OPEN
    opened = stage.store.limits.read_capacity(model_id)
    assert (opened.open_reason, opened.openings) == ("model_busy", 1)


def open_breaker(stage: Stage) -> None:
    stage.bedrock.set_faults({"kind": "service_unavailable"})
    for number in range(2):
        try:
            stage.answer(live(stage, f"Question {number}, please?"))
        except HandBackError:
            continue
    stage.bedrock.set_faults()
    stage.bedrock.state.calls.clear()


def test_after_the_pause_one_request_tries_and_closes_the_breaker(limited: Any, model_id: str, clock: Clock) -> None:
    stage = limited()
    open_breaker(stage)
    assert stage.answer(live(stage)).reason == "model_down"
    clock.ahead_ms += 16_000
    other = Quota(stage.store.limits, now_ms=clock.now_ms)
    request = live(stage, "A third, please?")
    assert stage.answer(request).outcome == "answered"
    assert stage.store.limits.read_capacity(model_id).openings == 0
    assert stage.with_workshop(quota=other).answer(live(stage, "A fourth, please?")).outcome == "answered"


def test_a_trial_that_fails_doubles_the_pause(limited: Any, model_id: str, clock: Clock) -> None:
    stage = limited()
    open_breaker(stage)
    clock.ahead_ms += 16_000
    stage.bedrock.set_faults({"kind": "service_unavailable"})
    request = live(stage)
    assert stage.answer(request).reason == "model_down"
    assert stage.count_calls() == 1
    opened = stage.store.limits.read_capacity(model_id)
    assert opened.openings == 2
    assert 25_000 < opened.open_until - stage.now_ms() <= 30_000


def test_a_questions_own_failure_says_nothing_of_the_model(limited: Any, model_id: str) -> None:
    stage = limited()
    stage.bedrock.set_faults({"kind": "guardrail"})
    for number in range(FAILURES_TO_OPEN + 2):
        assert stage.answer(live(stage, f"Question {number}, please?")).reason == "guardrail"
    assert stage.store.limits.read_capacity(model_id).openings == 0


# -- the fallback model


def test_a_fallback_model_answers_when_the_first_one_fails(limited: Any, model_id: str) -> None:
    stage = limited(topic={"fallback_model_id": "local.extractive-spare"})
    stage.bedrock.set_faults({"kind": "clean_cut", "times": 1})
    request = live(stage)
    assert stage.answer(request).outcome == "answered"
    assert stage.read(request).model == "local.extractive-spare"


def test_a_fallback_model_answers_when_the_first_one_has_no_room_or_is_left_alone(limited: Any, model_id: str) -> None:
    stage = limited(topic={"fallback_model_id": "local.extractive-spare"}, requests_per_minute=1)
    spend(stage, model_id, requests=100)
    request = live(stage, seconds=20)
    assert stage.answer(request).outcome == "answered"
    assert (stage.read(request).state, stage.read(request).model) == (READY, "local.extractive-spare")


# -- telling the Producer


def test_the_producer_learns_how_long_requests_wait_for_a_worker(limited: Any, model_id: str, clock: Clock) -> None:
    stage = limited()
    request = live(stage)
    clock.ahead_ms += 7_000
    stage.answer(request)
    told = stage.store.limits.read_capacity(model_id)
    assert 7_000 <= told.queue_ms < 9_000
    clock.ahead_ms += 5_000
    stage.answer(live(stage, "Another, please?"))
    assert stage.store.limits.read_capacity(model_id).queue_ms < 1_000


# -- without DynamoDB


def test_a_quota_that_cannot_be_read_limits_nothing(limited: Any, model_id: str) -> None:
    stage = limited(requests_per_minute=1)
    spend(stage, model_id, requests=100)
    table = stage.store._table
    quota = Quota(type(stage.store.limits)(type(table)(table._client, name="no-such-table")), now_ms=stage.now_ms)
    request = live(stage)
    assert stage.with_workshop(quota=quota).answer(request).outcome == "answered"


def test_a_run_that_loses_its_answer_while_it_waits_gives_its_place_back(limited: Any, model_id: str) -> None:
    stage = limited(requests_per_minute=30)
    spend(stage, model_id, requests=16)
    before = stage.store.limits.read_capacity(model_id).requests_full_at
    request = live(stage)
    kept = stage.shop.leases

    def sleep(_seconds: float) -> None:
        for lease in kept._held.values():
            lease.is_lost = True

    assert stage.with_workshop(sleep=sleep).answer(request).outcome == "fenced"
    assert stage.store.limits.read_capacity(model_id).requests_full_at == before
    assert stage.read(request).state == PENDING


def test_tokens_are_estimated_from_the_words_of_a_prompt() -> None:
    prompt = {"system": [{"text": "x" * 400}, {"cachePoint": {}}], "messages": [{"content": [{"text": "y" * 40}]}]}
    assert estimate_tokens(prompt) == 111


def test_two_workers_keep_one_quota(limited: Any, model_id: str) -> None:
    stage = limited(requests_per_minute=30)  # 6 at once, then one in 2.5 s
    shops = [
        replace(stage.shop, quota=Quota(stage.store.limits, now_ms=clock_ms), now_ms=clock_ms, sleep=time.sleep)
        for _ in range(2)
    ]
    asked = [live(stage, f"Question {number}, please?") for number in range(8)]
    with ThreadPoolExecutor(8) as slots:
        answers = slots.map(lambda n: answer_question(asked[n], shop=shops[n % 2]).outcome, range(8))
        assert list(answers) == ["answered"] * 8
    moments = sorted(call["started_ms"] for call in stage.bedrock.read_calls())
    assert moments[6] - moments[0] > 2_000
    assert moments[7] - moments[0] > 4_500
