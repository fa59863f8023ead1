"""A worker whose way to SQS fails in every manner, and who goes on when it is whole again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectgenai.wire.request import LIVE_QUEUE
from jobs.health import find_fault, read_health
from local.fault_proxy import NO_FAULT, Fault, FaultProxy
from tests.aws import Aws
from tests.jobs.workers import Worker, ask, running_worker, wait_until

FAULTS = {
    "503": Fault(status=503),
    "500": Fault(status=500, body=b'{"__type": "InternalFailure"}'),
    "throttled": Fault(status=400, body=b'{"__type": "com.amazonaws.sqs#RequestThrottled"}'),
    "forbidden": Fault(status=403, body=b'{"__type": "AccessDenied"}'),
    "not SQS": Fault(status=200, body=b'{"Messages": {"a": 1}}'),
    "reset": Fault(cut_after_bytes=0),
    "cut within the answer": Fault(cut_after_bytes=20),
    "refused": Fault(is_refusing=True),
}


@pytest.fixture(scope="module")
def proxy(corner: Aws) -> Iterator[FaultProxy]:
    with FaultProxy(corner.endpoint_url) as running:
        yield running


@pytest.fixture(scope="module")
def worker(corner: Aws, proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    home = tmp_path_factory.mktemp("worker")
    with running_worker(corner, home, endpoint_url=proxy.url, visibility_seconds=3, wait_seconds=1) as running:
        yield running


@pytest.mark.parametrize("name", FAULTS)
def test_a_worker_outlives_failing_polls_and_goes_on(corner: Aws, proxy: FaultProxy, worker: Worker, name: str) -> None:
    failed = worker.log().count("poll failed")
    with proxy.failing(FAULTS[name]):
        wait_until(lambda: worker.log().count("poll failed") > failed)
        message_id = ask(corner, name)
    wait_until(lambda: worker.count(message_id, "end"))
    assert worker.is_running()


def test_nothing_goes_to_sqs_by_another_way(corner: Aws, proxy: FaultProxy, worker: Worker) -> None:
    with proxy.failing(Fault(is_refusing=True)):
        message_id = ask(corner, "not polled")
        time.sleep(1.5)
        assert worker.count(message_id) == 0
    wait_until(lambda: worker.count(message_id, "end"))


def test_a_poll_into_a_black_hole_is_given_up(corner: Aws, proxy: FaultProxy, worker: Worker) -> None:
    with proxy.failing(Fault(is_black_hole=True)):
        time.sleep(1.5)  # the poll under way has lost its answer for good
        message_id = ask(corner, "after the hole")
    wait_until(lambda: worker.count(message_id, "end"), seconds=30)


def test_a_task_that_ends_while_sqs_is_away_is_settled_later(aws: Aws, proxy: FaultProxy, tmp_path: Path) -> None:
    with running_worker(aws, tmp_path, endpoint_url=proxy.url, visibility_seconds=60) as patient:
        message_id = ask(aws, "sleep 1")
        wait_until(lambda: patient.count(message_id))
        with proxy.failing(Fault(status=503)):
            wait_until(lambda: "delete_message_batch failed" in patient.log())  # boto3 has given up
        wait_until(lambda: not aws.count_messages(LIVE_QUEUE))
        assert patient.count(message_id) == 1


def test_a_worker_that_is_refused_is_not_healthy(proxy: FaultProxy, worker: Worker) -> None:
    with proxy.failing(FAULTS["forbidden"]):
        wait_until(lambda: "no poll has been answered" in _find_fault(worker))
    wait_until(lambda: _find_fault(worker) == "")


def _find_fault(worker: Worker) -> str:
    return find_fault(read_health(worker.health_file), max_age_seconds=3, now_seconds=time.time())


def test_a_worker_can_start_while_sqs_is_away(aws: Aws, tmp_path: Path) -> None:
    with FaultProxy(aws.endpoint_url) as away:
        away.fault = Fault(is_refusing=True)
        with running_worker(aws, tmp_path, endpoint_url=away.url) as started:
            message_id = ask(aws, "at last")
            wait_until(lambda: "poll failed" in started.log())
            away.fault = NO_FAULT
            wait_until(lambda: started.count(message_id, "end"))
