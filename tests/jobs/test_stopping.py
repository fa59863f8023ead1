"""Workers that stop, are killed or get stuck: running tasks finish, everything else goes back at once, nothing is lost."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from connectgenai.wire.request import LIVE_QUEUE
from jobs.health import read_health
from tests.aws import Aws
from tests.jobs.poison import CANARY
from tests.jobs.workers import ask, count_visible, running_worker, send, take_dead_letters, wait_until


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_at_sigterm_running_tasks_finish_and_waiting_ones_are_visible_again_at_once(
    aws: Aws, tmp_path: Path, pool: str
) -> None:
    with running_worker(aws, tmp_path, slots=2, pool=pool, worker_prefetch_multiplier=3) as worker:
        asked = [ask(aws, "sleep 4") for _ in range(6)]
        wait_until(lambda: len(worker.runs()) == 2 and count_visible(aws) == 0)
        worker.signal(signal.SIGTERM)
        wait_until(lambda: count_visible(aws) == 4)
        assert worker.runs("end") == []  # at once, not when the running tasks are done
        assert worker.process.wait(60) == 0
        assert len(worker.runs()) == len(worker.runs("end")) == 2
        assert {note["id"] for note in worker.runs()} < set(asked)
    assert (aws.count_messages(LIVE_QUEUE), count_visible(aws)) == (4, 4)


def test_a_message_sent_while_a_worker_stops_is_not_swallowed(aws: Aws, tmp_path: Path) -> None:
    with running_worker(aws, tmp_path) as worker:
        ask(aws, "sleep 4")
        wait_until(worker.runs)
        worker.signal(signal.SIGTERM)
        wait_until(lambda: "stopping:" in worker.log())
        late = ask(aws, "late")
        assert worker.process.wait(60) == 0
        assert worker.count(late) == 0
    assert count_visible(aws) == 1


def test_a_finished_task_is_settled_though_the_worker_is_stopping(aws: Aws, tmp_path: Path) -> None:
    with running_worker(aws, tmp_path, wait_seconds=1) as worker:
        ask(aws, "sleep 4")
        ask(aws, "sleep 30")
        wait_until(lambda: len(worker.runs()) == 2)
        worker.signal(signal.SIGTERM)
        wait_until(lambda: aws.count_messages(LIVE_QUEUE) == 1)
        assert len(worker.runs("end")) == 1  # the other runs on


def test_after_sigkill_a_message_comes_again_when_its_visibility_ends(aws: Aws, tmp_path: Path) -> None:
    with running_worker(aws, tmp_path / "first", visibility_seconds=4) as first:
        message_id = ask(aws, "sleep 60")
        wait_until(lambda: first.count(message_id))
        first.signal(signal.SIGKILL)
        killed_at = time.time()
    with running_worker(aws, tmp_path / "second", visibility_seconds=4) as second:
        wait_until(lambda: second.count(message_id))
        assert second.runs()[0]["receives"] == 2
        assert second.runs()[0]["at"] - killed_at < 4 + 10


def test_a_stuck_task_cannot_hold_its_message_for_ever(aws: Aws, tmp_path: Path) -> None:
    with running_worker(aws, tmp_path, visibility_seconds=2, hold_seconds=3) as worker:
        message_id = ask(aws, "sleep 60")
        wait_until(lambda: worker.count(message_id) == 2)
        assert read_health(worker.health_file).overdue == 1


def test_a_lost_child_of_prefork_gives_its_task_to_another(aws: Aws, tmp_path: Path) -> None:
    with running_worker(aws, tmp_path, slots=1, pool="prefork", visibility_seconds=60) as worker:
        message_id = ask(aws, "kill-me-once")
        wait_until(lambda: worker.count(message_id, "end"), seconds=60)
        assert worker.count(message_id) == 2
        bad = send(aws, f'{{"properties": null, "x": "{CANARY}"}}')
        wait_until(lambda: aws.count_messages(LIVE_QUEUE) == 0)
        assert worker.is_running()
        assert CANARY not in worker.log()
        assert worker.count(bad) == 0
    assert len(take_dead_letters(aws)) == 1


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_after_a_lost_connection_the_worker_goes_on_and_what_runs_is_settled(
    aws: Aws, tmp_path: Path, pool: str
) -> None:
    with running_worker(aws, tmp_path, pool=pool, visibility_seconds=3, loses_connection_after=2) as worker:
        running = ask(aws, "sleep 5")
        wait_until(lambda: worker.count(running))
        assert "Connection to broker lost" not in worker.log()
        wait_until(lambda: "Connection to broker lost" in worker.log())
        after = ask(aws, "after")
        wait_until(lambda: worker.count(after, "end") and worker.count(running, "end"))
        wait_until(lambda: aws.count_messages(LIVE_QUEUE) == 0)
        assert worker.count(running) == 1
