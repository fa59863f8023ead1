"""Parked messages: listed without their words, sent back to where they came from, or discarded."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from cache_admin import dead_letters
from cache_admin.dead_letters import DeadLetters, UnknownQueueError
from connectgenai.wire.request import DEAD_LETTER_QUEUE, LIVE_QUEUE, PREWARM_QUEUE
from tests.aws import Aws

BODY = json.dumps({"v": 1, "key": "faq.1", "epoch": 1})
SECRET = "the canary sings"


@pytest.fixture
def letters(provisioned: Aws, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> DeadLetters:
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0)  # the emulator is one server
    settings.QUEUE_URLS = {name: provisioned.queue_urls[name] for name in (LIVE_QUEUE, PREWARM_QUEUE)}
    return DeadLetters(provisioned.sqs, url=provisioned.queue_urls[DEAD_LETTER_QUEUE], queue_urls=settings.QUEUE_URLS)


def park(aws: Aws, *, body: str = BODY, reason: str = "not_json", queue: str = LIVE_QUEUE) -> None:
    told = {"reason": reason, "queue": queue}
    attributes: Any = {name: {"DataType": "String", "StringValue": value} for name, value in told.items() if value}
    aws.sqs.send_message(QueueUrl=aws.queue_urls[DEAD_LETTER_QUEUE], MessageBody=body, MessageAttributes=attributes)


def let_sqs_park(aws: Aws) -> None:
    """A message that is received as often as the queue allows and never finished."""
    url = aws.queue_urls[PREWARM_QUEUE]
    aws.sqs.send_message(QueueUrl=url, MessageBody=BODY)
    deadline = time.monotonic() + 20
    while not aws.count_messages(DEAD_LETTER_QUEUE) and time.monotonic() < deadline:
        aws.sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=0)


def test_a_message_parked_by_a_worker_goes_back_to_its_queue(letters: DeadLetters, provisioned: Aws) -> None:
    park(provisioned)
    (parked,) = letters.take(limit=10)
    assert (parked.reason, parked.queue) == ("not_json", LIVE_QUEUE)
    letters.replay(parked)
    assert (provisioned.count_messages(DEAD_LETTER_QUEUE), provisioned.count_messages(LIVE_QUEUE)) == (0, 1)


def test_a_message_parked_by_sqs_itself_goes_back_too(letters: DeadLetters, provisioned: Aws) -> None:
    let_sqs_park(provisioned)
    (parked,) = letters.take(limit=10)
    assert (parked.reason, parked.queue) == ("failed", PREWARM_QUEUE)
    letters.replay(parked)
    assert provisioned.count_messages(PREWARM_QUEUE) == 1


def test_a_message_that_does_not_say_where_it_came_from_is_kept(letters: DeadLetters, provisioned: Aws) -> None:
    park(provisioned, queue="somebody-elses")
    (parked,) = letters.take(limit=10)
    with pytest.raises(UnknownQueueError):
        letters.replay(parked)
    assert provisioned.count_messages(DEAD_LETTER_QUEUE) == 1


def test_more_than_ten_are_taken_and_each_once(letters: DeadLetters, provisioned: Aws) -> None:
    for number in range(23):
        park(provisioned, body=str(number))
    assert sorted(int(p.body) for p in letters.take(limit=100)) == list(range(23))
    assert not list(letters.take(limit=5))  # hidden while somebody decides


def test_a_kept_message_is_visible_again_at_once(letters: DeadLetters, provisioned: Aws) -> None:
    park(provisioned)
    (parked,) = letters.take(limit=1)
    letters.release([parked.receipt])
    assert len(list(letters.take(limit=1))) == 1


@pytest.mark.django_db  # what an engineer runs is noted
def test_the_command_lists_ids_and_reasons_and_no_words(
    letters: DeadLetters, provisioned: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    park(provisioned, body=SECRET)
    call_command("redrive")
    told = capsys.readouterr().out
    assert "not_json" in told
    assert "kept" in told
    assert SECRET not in told
    assert provisioned.count_messages(DEAD_LETTER_QUEUE) == 1


@pytest.mark.django_db  # what an engineer runs is noted
def test_the_command_acts_on_those_of_one_reason_only(letters: DeadLetters, provisioned: Aws) -> None:
    park(provisioned, reason="not_json")
    park(provisioned, reason="too_long")
    call_command("redrive", "--discard", "--reason", "too_long")
    assert (provisioned.count_messages(DEAD_LETTER_QUEUE), provisioned.count_messages(LIVE_QUEUE)) == (1, 0)


@pytest.mark.django_db  # what an engineer runs is noted
def test_the_command_says_when_sqs_does_not_serve(letters: DeadLetters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTGENAI_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:9/nowhere")
    with pytest.raises(CommandError, match="SQS does not serve"):
        call_command("redrive")
