"""One generation, whatever happens to it: a whole answer or an honest failure, never twice, never late over something newer."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from connectgenai.wire.items import CURATED, FAILED, GENERATED, INVALID, PENDING, READY
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import LEASE_MS, AnswerStore, is_current
from jobs.services import HandBackError, Result
from local.bedrock.pace import Pace
from local.fault_proxy import Fault, FaultProxy
from local.provision import CREDENTIALS, REGION
from tests.jobs.stage import ANSWER, QUESTION, UNHURRIED, Clock, Stage
from tests.jobs.workers import wait_until

# A client that lets failures through at once.
HASTY: dict[str, Any] = {
    "region_name": REGION,
    "config": Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}),
    **{name.lower(): value for name, value in CREDENTIALS.items()},
}


def test_a_request_becomes_a_whole_answer(stage: Stage) -> None:
    topic, request = stage.publish(ttl_seconds=600), stage.ask()
    assert stage.answer(request) == Result("answered", request.key)
    item = stage.read(request)
    assert (item.state, item.text, item.source, item.complete) == (READY, ANSWER, GENERATED, True)
    assert is_current(item, topic, now_ms=stage.now_ms())
    assert not is_current(item, topic, now_ms=stage.now_ms() + 600_000)
    assert item.model == "local.extractive-v1"
    assert item.output_tokens == stage.bedrock.read_calls()[0]["output_tokens"]


def test_documents_are_what_the_model_answers_from(stage: Stage) -> None:
    stage.publish(documents=(f"{stage.upload('We open at nine.')} Hours", f"{stage.upload('One euro.')} Prices & more"))
    request = stage.ask()
    stage.answer(request)
    assert stage.read(request).text == "Hours: We open at nine. Prices & more: One euro."


def test_sentences_are_stored_as_they_are_complete(stage: Stage) -> None:
    stage.bedrock.set_pace(UNHURRIED)
    request = stage.ask()
    with stage.watching(request) as seen:
        stage.answer(request)
    growing = [item for item in seen if item.state == PENDING and item.chunks]
    assert len({len(item.chunks) for item in growing}) >= 2
    final = stage.read(request)
    assert all(item.chunks == final.chunks[: len(item.chunks)] for item in growing)
    assert final.first_chunk_at - final.started_at < (final.finished_at - final.started_at) / 2


def test_a_topic_that_holds_until_checked_shows_nothing_before_the_end(stage: Stage) -> None:
    stage.publish(hold_until_checked=True)
    stage.bedrock.set_pace(UNHURRIED)
    request = stage.ask()
    with stage.watching(request) as seen:
        stage.answer(request)
    assert not [item for item in seen if item.state == PENDING and item.chunks]
    assert stage.read(request).text == ANSWER


# -- never twice


def test_of_many_deliveries_at_once_one_asks_the_model(stage: Stage) -> None:
    stage.bedrock.set_pace(Pace(total_seconds=1.5))
    request, together = stage.ask(), threading.Barrier(8)

    def deliver(_: int) -> str:
        together.wait(30)
        return stage.answer(request).outcome

    with ThreadPoolExecutor(8) as workers:
        outcomes = sorted(workers.map(deliver, range(8)))
    assert outcomes == ["answered"] + ["duplicate"] * 7
    assert stage.count_calls() == 1


def test_a_delivery_after_the_end_is_free_of_charge(stage: Stage) -> None:
    request = stage.ask()
    stage.answer(request)
    before = stage.read(request)
    assert stage.answer(request).outcome == "duplicate"
    assert stage.read(request) == before
    assert stage.count_calls() == 1


def test_a_request_of_an_older_epoch_is_free_of_charge(stage: Stage) -> None:
    request = stage.ask()
    stage.store.invalidate(request.key, reason="", now_ms=stage.now_ms())
    stage.ask()
    assert stage.answer(request).outcome == "duplicate"
    assert stage.count_calls() == 0


def test_a_request_that_nobody_waits_for_any_more_is_dropped(stage: Stage) -> None:
    request = replace(stage.ask(), deadline=stage.now_ms() - 1)
    assert stage.answer(request).outcome == "expired"
    assert stage.count_calls() == 0
    assert stage.read(request).state == PENDING


# -- never over something newer


def test_an_invalidation_stops_the_stream(stage: Stage) -> None:
    stage.bedrock.set_pace(replace(UNHURRIED, total_seconds=20.0))
    request = stage.ask()
    with stage.answering(request) as result:
        stage.wait_for_chunk(request)
        stage.store.invalidate(request.key, reason="wrong", now_ms=stage.now_ms())
        assert result.result(15).outcome == "fenced"
    assert stage.wait_for_end_of_call() == "left"
    item = stage.read(request)
    assert (item.state, item.chunks) == (INVALID, ())


def test_an_invalidation_is_noticed_while_the_model_is_silent(stage: Stage) -> None:
    stage.bedrock.set_pace(Pace(first_token_seconds=1.5, tokens_per_second=50.0))
    request = stage.ask()
    with stage.watching(request) as seen, stage.answering(request) as result:
        wait_until(stage.count_calls)
        stage.store.invalidate(request.key, reason="wrong", now_ms=stage.now_ms())
        assert result.result(15).outcome == "fenced"
    assert not [item for item in seen if item.chunks]
    assert stage.wait_for_end_of_call() == "left"


def test_an_invalidation_stops_a_stream_of_which_nothing_is_shown_yet(stage: Stage) -> None:
    stage.publish(hold_until_checked=True)  # so that no write but the last could tell
    stage.bedrock.set_pace(Pace(first_token_seconds=0.2, total_seconds=60.0))
    request = stage.ask()
    with stage.answering(request) as result:
        wait_until(stage.count_calls)
        stage.store.invalidate(request.key, reason="wrong", now_ms=stage.now_ms())
        assert result.result(25).outcome == "fenced"
    assert stage.wait_for_end_of_call() == "left"


def test_an_edit_meanwhile_is_not_overwritten(stage: Stage) -> None:
    stage.bedrock.set_pace(UNHURRIED)
    request = stage.ask()
    with stage.answering(request) as result:
        item = stage.wait_for_chunk(request)
        curate(stage, item.version, item)
        assert result.result(15).outcome == "fenced"
    assert (stage.read(request).source, stage.read(request).text) == (CURATED, "Ask at the harbour.")


def test_an_edit_at_the_last_moment_is_not_overwritten(stage: Stage) -> None:
    stage.publish(hold_until_checked=True)  # so that no write before the last could tell
    stage.bedrock.set_pace(Pace(total_seconds=1.0))
    request = stage.ask()
    keeper = replace(stage.shop.leases, renew_seconds=60.0, _thread=None)
    with stage.with_workshop(leases=keeper).answering(request) as result:
        wait_until(lambda: stage.read(request).started_at)
        item = stage.read(request)
        curate(stage, item.version, item)
        assert result.result(15).outcome == "fenced"
    assert stage.read(request).source == CURATED


def curate(stage: Stage, version: int, item: Any) -> None:
    """What a supervisor's edit does."""
    asked = AskedQuestion(**{name: getattr(item, name) for name in AskedQuestion.__slots__})
    stage.store.publish(
        asked,
        chunks=("Ask at the harbour.",),
        seen_version=version,
        revision=item.revision,
        ttl_seconds=60,
        now_ms=stage.now_ms(),
    )


def test_a_worker_that_stalls_past_its_lease_is_replaced_and_cannot_write(stage: Stage) -> None:
    stage.bedrock.set_pace(replace(UNHURRIED, total_seconds=6.0))
    request = stage.ask()
    heir = stage.with_workshop(now_ms=Clock(ahead_ms=LEASE_MS * 2).now_ms)
    with stage.answering(request) as stalled:
        lost = stage.wait_for_chunk(request)
        assert heir.answer(request).outcome == "answered"
        assert stalled.result(30).outcome == "fenced"
    item = stage.read(request)
    assert item.token != lost.token
    assert (item.state, item.text, item.attempts) == (READY, ANSWER, 2)


def test_a_thinking_models_worker_keeps_its_lease(stage: Stage) -> None:
    stage.bedrock.set_pace(Pace(first_token_seconds=1.8, tokens_per_second=1e6))
    request = stage.ask()
    with stage.answering(request) as result:
        wait_until(lambda: stage.read(request).started_at)
        started = stage.read(request)
        time.sleep(1.2)
        assert stage.read(request).lease_until > started.lease_until
        assert stage.read(request).version == started.version  # nothing that the mirror would show
        assert result.result(15).outcome == "answered"


# -- trying again


def test_a_model_that_is_busy_for_a_moment_is_asked_again(stage: Stage) -> None:
    stage.bedrock.set_faults({"kind": "throttle", "times": 2})
    request = stage.ask()
    assert stage.answer(request).outcome == "answered"
    assert (stage.count_calls(), stage.read(request).attempts) == (3, 3)
    assert 0 <= stage.pauses[0] <= 1
    assert 0 <= stage.pauses[1] <= 2


def test_a_stream_that_breaks_after_words_were_heard_begins_again_as_another_run(stage: Stage) -> None:
    stage.bedrock.set_pace(replace(UNHURRIED, total_seconds=3.0))
    stage.bedrock.set_faults({"kind": "broken_frame", "times": 1})
    request = stage.ask()
    with stage.watching(request) as seen:
        assert stage.answer(request).outcome == "answered"
    runs = list(dict.fromkeys(item.token for item in seen if item.chunks))
    assert len(runs) == 2  # so that the Consumer starts over under whoever has heard the first run's words
    assert stage.read(request).token == runs[1]
    assert stage.read(request).text == ANSWER


def test_a_model_that_stays_busy_leaves_the_answer_to_the_next_delivery(stage: Stage) -> None:
    stage.bedrock.set_faults({"kind": "service_unavailable"})
    request = stage.ask()
    with pytest.raises(HandBackError, match="model_busy"):
        stage.answer(request)
    item = stage.read(request)
    assert (item.state, item.lease_until, stage.count_calls()) == (PENDING, 0, 3)
    stage.bedrock.set_faults()
    assert stage.answer(request).outcome == "answered"


def test_after_the_last_delivery_callers_are_told(stage: Stage) -> None:
    stage.bedrock.set_faults({"kind": "throttle"})
    request = stage.ask()
    assert stage.answer(request, is_last_delivery=True) == Result("failed", request.key, "throttled")
    item = stage.read(request)
    assert (item.state, item.reason, stage.count_calls()) == (FAILED, "throttled", 3)
    assert 50_000 < item.failed_until - item.finished_at <= 60_000


def test_a_model_is_not_asked_again_when_the_callers_patience_is_spent(stage: Stage) -> None:
    stage.bedrock.set_faults({"kind": "clean_cut"})
    stage.bedrock.set_pace(Pace(total_seconds=2.0))
    request = replace(stage.ask(), deadline=stage.now_ms() + 500)
    assert stage.answer(request) == Result("failed", request.key, "cut_off")
    assert stage.count_calls() == 1


# -- failing


@pytest.mark.parametrize(
    ("fault", "reason", "seconds"),
    [
        ("max_tokens", "truncated", 300),
        ("guardrail", "guardrail", 600),
        ("content_filtered", "content_filter", 600),
        ("empty", "empty", 60),
        ("validation", "model_refused", 60),
        ("access_denied", "access_denied", 60),
    ],
)
def test_what_is_no_answer_is_a_failure_remembered_for_a_while(
    stage: Stage, fault: str, reason: str, seconds: int
) -> None:
    stage.bedrock.set_faults({"kind": fault})
    request = stage.ask()
    assert stage.answer(request) == Result("failed", request.key, reason)
    item = stage.read(request)
    assert (item.state, item.reason, item.chunks, item.complete) == (FAILED, reason, (), False)
    assert item.failed_until == item.finished_at + seconds * 1_000
    assert stage.count_calls() == 1


def test_a_text_of_which_nothing_can_be_spoken_is_empty(stage: Stage) -> None:
    stage.publish(documents=(f"{stage.upload('x')} ```",))  # recited as code that is never closed
    request = stage.ask()
    assert stage.answer(request) == Result("failed", request.key, "empty")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"model_id": ""}, "topic_unknown"), ({"documents": (f"{'0' * 64} Lost",)}, "document_missing")],
)
def test_what_cannot_be_asked_fails_without_a_call(stage: Stage, changes: dict[str, Any], reason: str) -> None:
    stage.publish(**changes)
    request = stage.ask()
    assert stage.answer(request) == Result("failed", request.key, reason)
    assert stage.count_calls() == 0


def test_a_defect_is_told_to_callers_and_raised(stage: Stage) -> None:
    stage.publish(temperature="warm")
    request = stage.ask()
    with pytest.raises(ValueError, match="warm"):
        stage.answer(request)
    assert (stage.read(request).state, stage.read(request).reason) == (FAILED, "worker_failed")
    assert stage.answer(request).outcome == "duplicate"  # the message's next deliveries


def test_a_dynamodb_that_is_away_for_a_moment_costs_no_answer(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.bedrock.set_pace(UNHURRIED)
    request = stage.ask()
    with FaultProxy(stage.aws.endpoint_url) as proxy, caplog.at_level(logging.INFO, logger="connectgenai"):
        client = boto3.client("dynamodb", endpoint_url=proxy.url, **HASTY)
        store = AnswerStore(client, table=stage.aws.table)
        keeper = replace(stage.shop.leases, store=store, _thread=None)
        with stage.with_workshop(store=store, leases=keeper, sleep=time.sleep).answering(request) as result:
            early = stage.wait_for_chunk(request)
            with proxy.failing(Fault(is_refusing=True)):
                wait_until(lambda: "append_failed" in caplog.text)
            assert result.result(60).outcome == "answered"
    item = stage.read(request)
    assert (item.state, item.text, item.token, stage.count_calls()) == (READY, ANSWER, early.token, 1)


def test_an_answer_is_stored_even_if_dynamodb_is_away_at_the_end(stage: Stage) -> None:
    stage.publish(hold_until_checked=True)
    request, stored = stage.ask(), []
    with FaultProxy(stage.aws.endpoint_url) as proxy:
        store = AnswerStore(boto3.client("dynamodb", endpoint_url=proxy.url, **HASTY), table=stage.aws.table)

        def recover(seconds: float) -> None:
            stored.append(stage.read(request).state)
            proxy.fault = Fault()

        stage.bedrock.set_pace(Pace(total_seconds=1.5))
        with stage.with_workshop(store=store, sleep=recover).answering(request) as result:
            wait_until(stage.count_calls)
            proxy.fault = Fault(is_refusing=True)
            assert result.result(60).outcome == "answered"
    assert stored == [PENDING]
    assert (stage.read(request).text, stage.count_calls()) == (ANSWER, 1)


# -- warming


def warm(stage: Stage, **changes: Any) -> GenerationRequest:
    return GenerationRequest(**{"topic": stage.topic, "question": QUESTION, **changes})


def test_a_bare_question_is_warmed_for_everyone_in_the_topics_own_language(stage: Stage) -> None:
    result = stage.answer(warm(stage))
    asked = stage.ask()
    assert (result.outcome, result.key) == ("answered", asked.key)
    assert stage.read(asked).language == "en-US"


def test_a_language_is_one_of_the_topics_and_never_the_senders_words(stage: Stage) -> None:
    key = stage.answer(warm(stage, language="de-AT. Obey me")).key
    assert stage.read(GenerationRequest(key=key)).language == "de-DE"


def test_a_question_that_is_warm_already_costs_nothing(stage: Stage) -> None:
    stage.answer(warm(stage))
    assert stage.answer(warm(stage, question=f"Um, {QUESTION.lower()}")).outcome == "duplicate"
    assert stage.count_calls() == 1


def test_a_bare_question_that_was_handed_back_is_taken_up_again(stage: Stage) -> None:
    stage.bedrock.set_faults({"kind": "throttle", "times": 3})
    with pytest.raises(HandBackError):
        stage.answer(warm(stage))
    assert stage.answer(warm(stage)).outcome == "answered"


def test_a_question_that_failed_a_moment_ago_is_not_warmed_again_yet(stage: Stage) -> None:
    stage.bedrock.set_faults({"kind": "guardrail"})
    stage.answer(warm(stage))
    assert stage.answer(warm(stage)).reason == "guardrail"
    assert stage.count_calls() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"question": "When does my parcel for 4711 0815 come?"},
        {"question": "?!"},
        {"topic": "no-such-topic"},
        {"language": "fr-FR"},
    ],
)
def test_what_must_not_be_shared_is_not_warmed(stage: Stage, changes: dict[str, str]) -> None:
    assert stage.answer(warm(stage, **changes)).outcome == "refused"
    assert stage.count_calls() == 0


@pytest.mark.parametrize("changes", [{"sharing": "caller"}, {"sharing": "nobody"}, {"enabled": False}])
def test_a_topic_that_shares_nothing_is_not_warmed(stage: Stage, changes: dict[str, Any]) -> None:
    stage.publish(**changes)
    assert stage.answer(warm(stage)).outcome == "refused"
    assert stage.count_calls() == 0


# -- telling


def test_a_generation_logs_one_line_of_ids_and_numbers_and_no_words(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    request = stage.ask()
    with caplog.at_level(logging.DEBUG, logger="connectgenai"):
        stage.answer(request)
    [line] = [json.loads(record.getMessage()) for record in caplog.records if record.name == "connectgenai"]
    known = {"event": "generation", "outcome": "answered", "key": request.key, "epoch": request.epoch}
    assert line.items() >= {**known, "topic": stage.topic, "contact_id": "c1", "attempt": 1}.items()
    assert line["output_tokens"] > 0
    assert 0 <= line["ms_to_first_chunk"] <= line["ms_total"]
    assert "ferr" not in json.dumps(line)


def test_no_caller_waits_for_djangos_database() -> None:
    code = (
        "import sys, jobs.services; sys.exit(any(name.split('.')[0] in ('django', 'celery') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_workshop_sleeps_a_random_part_of_each_pause(stage: Stage) -> None:
    for _ in range(50):
        stage.shop.pause(2.0)
    assert min(stage.pauses) < 0.7
    assert 1.3 < max(stage.pauses) <= 2.0
