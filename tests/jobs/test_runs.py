"""One run: heard as it is written, ended at once when the answer is no longer its own, stored whatever DynamoDB does."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from connectgenai.wire.items import CURATED, GENERATED, INVALID, PENDING, READY
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import LEASE_MS, AnswerStore, is_current
from jobs.services import Result
from local.bedrock.pace import Pace
from local.fault_proxy import Fault, FaultProxy
from local.provision import CREDENTIALS, REGION
from tests.jobs.stage import ANSWER, UNHURRIED, Clock, Stage
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


# -- a DynamoDB that is away


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
