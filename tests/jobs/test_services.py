"""One generation, whatever happens to it: a whole answer or an honest failure, and never paid for twice."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from connectgenai.wire.items import FAILED, PENDING
from connectgenai.wire.request import GenerationRequest
from jobs.services import HandBackError, Result
from local.bedrock.pace import Pace
from tests.jobs.stage import ANSWER, QUESTION, UNHURRIED, Stage

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


def test_a_generation_logs_lines_of_ids_and_numbers_and_no_words(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    request = stage.ask()
    with caplog.at_level(logging.DEBUG, logger="connectgenai"):
        stage.answer(request)
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "connectgenai"]
    assert [line["event"] for line in lines] == ["started", "model_replied", "generation"]
    assert {(line["key"], line["epoch"]) for line in lines} == {(request.key, request.epoch)}
    line = lines[-1]
    known = {"event": "generation", "outcome": "answered", "key": request.key, "epoch": request.epoch}
    assert line.items() >= {**known, "topic": stage.topic, "contact_id": "c1", "attempt": 1}.items()
    assert line["output_tokens"] > 0
    assert 0 <= line["ms_to_first_chunk"] <= line["ms_total"]
    assert "ferr" not in json.dumps(lines)


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
