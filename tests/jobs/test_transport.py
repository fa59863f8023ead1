"""One worker with a short visibility time-out: what it runs, what it buries, and that nothing stops it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectgenai.wire.request import HOUSEKEEPING_QUEUE, LIVE_QUEUE, MIRROR_TASK, PREWARM_QUEUE
from jobs.health import read_health
from tests.aws import Aws
from tests.jobs.poison import CANARY, HEADERS, POISON, envelope
from tests.jobs.workers import Worker, ask, running_worker, send, take_dead_letters, wait_until

VISIBILITY_SECONDS = 3
SLOTS = 4


@pytest.fixture(scope="module")
def worker(corner: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    home = tmp_path_factory.mktemp("worker")
    queues = (LIVE_QUEUE, PREWARM_QUEUE)
    with running_worker(
        corner, home, queues=queues, slots=SLOTS, visibility_seconds=VISIBILITY_SECONDS, result_backend=f"file://{home}"
    ) as running:
        yield running


def test_plain_json_runs_once_under_its_message_id(corner: Aws, worker: Worker) -> None:
    message_id = ask(corner, "How long is the guarantee?")
    wait_until(lambda: worker.count(message_id, "end") and not corner.count_messages(LIVE_QUEUE))
    time.sleep(VISIBILITY_SECONDS + 1)
    assert worker.count(message_id) == 1


def test_results_are_kept_for_one_queue_and_not_for_the_other(corner: Aws, worker: Worker) -> None:
    live, prewarm = ask(corner, "live"), ask(corner, "prewarm", queue=PREWARM_QUEUE)
    wait_until(lambda: worker.count(live, "end") and (worker.home / f"celery-task-meta-{prewarm}").exists())
    assert not (worker.home / f"celery-task-meta-{live}").exists()


def test_a_task_longer_than_the_visibility_time_out_runs_once(corner: Aws, worker: Worker) -> None:
    message_id = ask(corner, f"sleep {2 * VISIBILITY_SECONDS + 0.5}")
    wait_until(lambda: worker.count(message_id, "end"))
    assert worker.count(message_id) == 1
    wait_until(lambda: not corner.count_messages(LIVE_QUEUE))


def test_poison_ends_in_the_dead_letter_queue_with_its_reason_and_nothing_of_it_is_run_or_logged(
    corner: Aws, worker: Worker
) -> None:
    took_before = len(worker.runs())
    for body, _ in POISON.values():
        send(corner, body)
    wait_until(lambda: not corner.count_messages(LIVE_QUEUE), seconds=60)
    assert worker.is_running()
    assert len(worker.runs()) == took_before
    names = {body: name for name, (body, _) in POISON.items()}
    letters = take_dead_letters(corner)
    told = {names[letter["Body"]]: letter["MessageAttributes"]["reason"]["StringValue"] for letter in letters}
    assert told == {name: reason for name, (_, reason) in POISON.items()}
    assert {letter["MessageAttributes"]["queue"]["StringValue"] for letter in letters} == {LIVE_QUEUE}
    assert CANARY not in worker.log()


def test_after_all_poison_every_slot_still_works(corner: Aws, worker: Worker) -> None:
    for _ in range(SLOTS + 1):
        send(corner, json.dumps({"properties": None}))
    asked = [ask(corner, "sleep 3") for _ in range(SLOTS)]
    wait_until(lambda: all(worker.count(message_id, "end") for message_id in asked))
    begun, ended = ([n["at"] for n in worker.runs(event) if n["id"] in asked] for event in ("start", "end"))
    assert max(begun) < min(ended)  # all at once


def test_celerys_own_envelope_is_run_and_settled_on_the_queue_it_came_from(corner: Aws, worker: Worker) -> None:
    elsewhere = {"delivery_info": {"exchange": "", "routing_key": HOUSEKEEPING_QUEUE}, "delivery_tag": "x"}
    send(corner, envelope(properties=elsewhere, headers={**HEADERS, "id": "sent-by-beat"}), queue=PREWARM_QUEUE)
    wait_until(lambda: worker.count("sent-by-beat"))
    wait_until(lambda: not corner.count_messages(PREWARM_QUEUE))
    assert [note["task"] for note in worker.runs() if note["id"] == "sent-by-beat"] == [MIRROR_TASK]


def test_an_expired_envelope_is_dropped(corner: Aws, worker: Worker) -> None:
    send(corner, envelope(headers={**HEADERS, "id": "stale", "expires": "2020-01-01T00:00:00+00:00"}))
    wait_until(lambda: not corner.count_messages(LIVE_QUEUE))
    assert worker.count("stale") == 0


def test_a_retry_comes_back_to_its_own_queue_and_keeps_its_id(corner: Aws, worker: Worker) -> None:
    message_id = ask(corner, "retry", queue=PREWARM_QUEUE)
    wait_until(lambda: worker.count(message_id, "end"))
    assert worker.count(message_id) == 2
    wait_until(lambda: not corner.count_messages(PREWARM_QUEUE))


def test_a_failing_task_comes_again_and_ends_in_the_dead_letter_queue(corner: Aws, worker: Worker) -> None:
    take_dead_letters(corner)
    message_id = ask(corner, "raise")
    wait_until(lambda: worker.count(message_id) == 3)
    assert [note["receives"] for note in worker.runs() if note["id"] == message_id] == [1, 2, 3]
    wait_until(lambda: not corner.count_messages(LIVE_QUEUE), seconds=15)
    assert [letter["MessageId"] for letter in take_dead_letters(corner)] == [message_id]


def test_the_worker_says_how_it_is(corner: Aws, worker: Worker) -> None:
    ask(corner, "sleep 2")
    wait_until(lambda: read_health(worker.health_file).busy == 1)
    health = read_health(worker.health_file)
    assert health.slots == SLOTS
    assert set(health.polled_at) == {LIVE_QUEUE, PREWARM_QUEUE}
    assert time.time() - health.at < 10


def test_a_hundred_slots_fill_at_once_and_refill_as_they_free(aws: Aws, tmp_path: Path) -> None:
    with running_worker(aws, tmp_path, slots=100) as wide:
        asked = [ask(aws, "sleep 4") for _ in range(150)]
        wait_until(lambda: len(wide.runs("end")) == len(asked), seconds=60)
        begun, ended = ([note["at"] for note in wide.runs(event)] for event in ("start", "end"))
        assert sorted(begun)[99] < min(ended)
        assert sorted(begun)[100] >= min(ended)
        assert max(ended) - min(begun) < 3 * 4
