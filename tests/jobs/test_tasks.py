"""The tasks as Celery runs them: in this process, and in the product's own worker on real queues."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import Reject
from django.conf import settings
from django.utils import timezone
from django_celery_results.models import TaskResult

from connectgenai.wire.config import aws_client
from connectgenai.wire.items import FAILED, PENDING, READY
from connectgenai.wire.request import DEAD_LETTER_QUEUE, LIVE_QUEUE, PREWARM_QUEUE
from jobs import workshop
from jobs.services import HandBackError
from jobs.tasks import count_deliveries, forget_results, generate_answer
from local.bedrock.server import BedrockServer
from tests.aws import Aws
from tests.jobs.stage import ANSWER, QUESTION, Stage
from tests.jobs.workers import PLAIN, ROOT, send, take_dead_letters, wait_until


@pytest.fixture
def worker_environment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process is a worker of the stage's, until the test ends."""
    for name, value in {**stage.aws.environment, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": stage.bedrock.url}.items():
        monkeypatch.setenv(name, value)
    forget_clients()
    yield
    forget_clients()


def forget_clients() -> None:
    workshop._workshop.cache_clear()
    aws_client.cache_clear()


def deliver(request: dict[str, Any], *, times: int = 1) -> Any:
    """Runs the task as for a message that SQS delivers for this time."""
    message = {"Attributes": {"ApproximateReceiveCount": str(times)}}
    task: Any = generate_answer
    task.push_request(properties={"delivery_info": {"sqs_message": message}})
    try:
        return task.run(request)
    finally:
        task.pop_request()


@pytest.mark.usefixtures("worker_environment")
def test_a_request_is_answered_with_what_the_environment_names(stage: Stage) -> None:
    request = stage.ask()
    assert deliver(json.loads(request.to_json())) == "answered"
    assert stage.read(request).text == ANSWER


@pytest.mark.usefixtures("worker_environment")
def test_only_the_last_delivery_gives_up(stage: Stage) -> None:
    stage.bedrock.set_faults({"kind": "throttle"})
    request = stage.ask()
    for times in range(1, settings.MAX_RECEIVES):
        with pytest.raises(HandBackError):
            deliver(json.loads(request.to_json()), times=times)
        assert stage.read(request).state == PENDING
    assert deliver(json.loads(request.to_json()), times=settings.MAX_RECEIVES) == "failed"
    assert stage.read(request).state == FAILED


@pytest.mark.parametrize(
    "request_", [{}, {"v": 9}, {"key": "faq.1"}, {"key": 5, "epoch": 1}, {"topic": "t", "question": "q" * 2_000}]
)
def test_what_is_no_request_is_left_to_the_redrive_and_says_nothing_of_its_words(request_: dict[str, Any]) -> None:
    with pytest.raises(Reject) as caught:
        deliver(request_)
    assert caught.value.args == ("not_a_request", False)
    assert caught.value.__cause__ is None


def test_a_task_without_a_message_counts_as_delivered_once() -> None:
    assert count_deliveries(None) == count_deliveries({}) == count_deliveries({"delivery_info": {}}) == 1


@pytest.mark.usefixtures("worker_environment")
def test_all_slots_share_one_workshop() -> None:
    together = threading.Barrier(12)

    def make(_: int) -> int:
        together.wait(30)
        return id(workshop.make_workshop())

    with ThreadPoolExecutor(12) as slots:
        assert len(set(slots.map(make, range(12)))) == 1


@pytest.mark.usefixtures("worker_environment")
def test_bedrocks_client_makes_no_tries_of_its_own_and_has_a_connection_for_each_slot() -> None:
    config = workshop._bedrock_client(50).meta.config  # type: ignore[attr-defined]
    assert config.retries["total_max_attempts"] == 1
    assert config.max_pool_connections == 50
    assert (config.connect_timeout, config.read_timeout) == (3, settings.MODEL_SILENCE_SECONDS)


@pytest.mark.django_db
def test_the_task_history_is_forgotten_after_some_days(provisioned: Aws) -> None:
    for task_id, days in (("old", settings.TASK_HISTORY_DAYS + 1), ("young", settings.TASK_HISTORY_DAYS - 1)):
        TaskResult.objects.create(task_id=task_id)
        done = timezone.now() - timedelta(days=days)
        TaskResult.objects.filter(task_id=task_id).update(date_done=done)
    forget_results.run()
    assert [result.task_id for result in TaskResult.objects.all()] == ["young"]


@pytest.fixture(scope="module")
def worker_log(corner: Aws, bedrock_server: BedrockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The product's worker, on the module's live and pre-warm queues; what it logs."""
    home = tmp_path_factory.mktemp("product")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **corner.environment,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock_server.url,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"sqlite:///{home / 'db.sqlite3'}",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
    command = [sys.executable, "-m", "celery", "-A", "connectgenai.celery", "worker", *PLAIN]
    command += ["-P", "threads", "-c", "4", "-Q", f"{LIVE_QUEUE},{PREWARM_QUEUE}"]
    log = home / "worker.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: " ready." in log.read_text() or process.poll() is not None, seconds=90)
        assert process.poll() is None, log.read_text()
        yield log
    finally:
        process.kill()
        process.wait()


def test_the_products_worker_answers_what_any_sender_asks_in_plain_json(stage: Stage, worker_log: Path) -> None:
    stage.bedrock.set_faults({"kind": "internal", "times": 1})
    request = stage.ask()
    send(stage.aws, request.to_json())
    wait_until(lambda: stage.read(request).state == READY, seconds=60, what=worker_log.read_text())
    assert stage.read(request).text == ANSWER
    wait_until(lambda: not stage.aws.count_messages(LIVE_QUEUE))


def test_the_products_worker_warms_a_bare_question_without_a_word_in_its_log(stage: Stage, worker_log: Path) -> None:
    body = json.dumps({"v": 1, "topic": stage.topic, "question": QUESTION})
    send(stage.aws, body, queue=PREWARM_QUEUE)
    asked = stage.ask()
    wait_until(lambda: stage.read(asked).state == READY, seconds=60)
    wait_until(lambda: not stage.aws.count_messages(PREWARM_QUEUE))
    assert QUESTION not in worker_log.read_text()


def test_the_products_worker_hands_back_quietly_what_may_work_later(stage: Stage, worker_log: Path) -> None:
    stage.bedrock.set_faults({"kind": "throttle", "times": 3})
    request = stage.ask()
    send(stage.aws, request.to_json())
    wait_until(lambda: "HandBackError" in worker_log.read_text(), seconds=60)
    assert stage.read(request).state == PENDING
    assert stage.aws.count_messages(LIVE_QUEUE) == 1
    assert "Traceback" not in worker_log.read_text()


def test_the_products_worker_parks_what_is_no_request(stage: Stage, worker_log: Path) -> None:
    send(stage.aws, json.dumps({"v": 1, "question": "canary in the coal mine"}))
    wait_until(lambda: stage.aws.count_messages(DEAD_LETTER_QUEUE), seconds=60)
    assert [json.loads(letter["Body"])["question"] for letter in take_dead_letters(stage.aws)] == [
        "canary in the coal mine"
    ]
    assert "canary" not in worker_log.read_text()
