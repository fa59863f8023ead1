"""The naive design does what everybody builds first: no less, and no more."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import sides
from benchmarks.naive.reply import PROMPTS, make_reply
from benchmarks.naive.worker import NaiveWorker, store_answer
from benchmarks.sides import Side, many_connections, open_naive
from connectgenai.wire.request import LIVE_QUEUE
from flows.caller import CONSUMER, PRODUCER, Dialled, place_call
from local.bedrock.pace import Pace
from local.bedrock.server import start_server
from local.emulator import Emulator
from local.provision import local_client

INTERVAL = 0.8
KEYS = {"statusCode", "ticket", "cursor", "play", "text", "ssml", "audio", "source", "reason", "estimate"}
TEXT = "Yes & no. We open at nine."


@pytest.fixture(scope="module")
def naive(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sides, "INTERVAL_SECONDS", INTERVAL)
        with open_naive(emulator.url, home=tmp_path_factory.mktemp("naive")) as side:
            yield side


@pytest.fixture
def dynamodb(naive: Side) -> Any:
    return local_client("dynamodb", naive.made.environment["AWS_ENDPOINT_URL"])


def ask(naive: Side) -> dict[str, str]:
    event = Dialled("faq", "", "c1").event(topic="faq", question="Are you open?")
    return naive.phone.invoke(PRODUCER, event)


def poll(naive: Side, reply: dict[str, str]) -> tuple[dict[str, str], float]:
    began = time.monotonic()
    event = Dialled("faq", "", "c1").event(ticket=reply["ticket"], cursor=reply["cursor"])
    return naive.phone.invoke(CONSUMER, event), time.monotonic() - began


def receive(naive: Side) -> dict[str, Any]:
    sqs, url = many_connections("sqs", naive.made.environment["AWS_ENDPOINT_URL"]), naive.made.queue_urls[LIVE_QUEUE]
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    found: dict[str, Any] = json.loads(message["Body"])
    return found


def test_an_ask_is_one_put_and_one_send(naive: Side, dynamodb: Any) -> None:
    reply = ask(naive)
    assert (reply["statusCode"], reply["play"], set(reply)) == ("202", "nothing", KEYS)
    assert receive(naive) == {"id": reply["ticket"], "topic": "faq", "question": "Are you open?"}
    item = dynamodb.get_item(TableName=naive.made.table, Key={"pk": {"S": reply["ticket"]}})["Item"]
    assert item["state"] == {"S": "PENDING"}


def test_a_poll_that_finds_nothing_sleeps_for_the_interval_and_says_a_prompt(naive: Side) -> None:
    asked = ask(naive)
    receive(naive)
    first, seconds = poll(naive, asked)
    assert seconds >= INTERVAL
    second, _ = poll(naive, first)
    assert [first["statusCode"], first["text"], second["text"]] == ["202", *PROMPTS[:2]]


def test_an_answer_that_becomes_ready_in_the_sleep_is_heard_a_poll_later(naive: Side, dynamodb: Any) -> None:
    asked = ask(naive)
    receive(naive)
    waited, _ = poll(naive, asked)
    store_answer(dynamodb, table=naive.made.table, ticket=asked["ticket"], text=TEXT)
    answered, seconds = poll(naive, waited)
    assert (answered["statusCode"], answered["text"]) == ("200", TEXT)
    assert answered["ssml"] == "<speak>Yes &amp; no. We open at nine.</speak>"
    assert seconds < INTERVAL


def test_the_same_caller_can_call_it(naive: Side) -> None:
    with start_server(pace=Pace(total_seconds=1.0), model=lambda _: TEXT) as bedrock:
        endpoint = naive.made.environment["AWS_ENDPOINT_URL"]
        worker = NaiveWorker(
            sqs=many_connections("sqs", endpoint),
            dynamodb=many_connections("dynamodb", endpoint),
            bedrock=many_connections("bedrock-runtime", bedrock.url),
            queue_url=naive.made.queue_urls[LIVE_QUEUE],
            table=naive.made.table,
            prompt=lambda _, question: {
                "modelId": "local.fixed-v1",
                "messages": [{"role": "user", "content": [{"text": question}]}],
            },
        )
        dialled = Dialled("faq", "Are you open?", "c1")
        with worker:
            *_, end = place_call(dialled, invoke=naive.phone.invoke, audio_seconds=lambda _: 0.0)
        (call,) = bedrock.read_calls()
    assert (end["outcome"], end["answer"]) == ("answered", TEXT)
    assert call["operation"] == "converse"


def test_a_reply_has_every_key_of_the_contract() -> None:
    reply = make_reply("202", ticket="t")
    assert set(reply) == KEYS
    assert all(isinstance(value, str) for value in reply.values())
