"""The two Lambdas as AWS runs them: from the zip, under awslambdaric, called through the Invoke API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectgenai.wire.items import TopicItem
from connectgenai.wire.question import identify_question
from connectgenai.wire.request import LIVE_QUEUE
from connectgenai.wire.speech import split_chunks
from connectgenai.wire.store import AnswerStore, Usage
from connectgenai.wire.waiting import policies_to_json
from flows.lambda_phone import LambdaPhone
from lambdas.build import build_zip
from local.lambda_service import Function, LambdaService
from local.provision import local_client
from tests.aws import Aws, make_aws
from tests.wire.conftest import POLICY

KEYS = {"statusCode", "ticket", "cursor", "play", "text", "ssml", "audio", "source", "reason", "estimate"}
PRODUCER, CONSUMER = "connectgenai-producer", "connectgenai-consumer"
Call = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def corner(emulator: Any) -> Aws:
    made = make_aws(emulator.url)
    policies = policies_to_json({"en-US": POLICY})
    topic = TopicItem(name="faq", sharing="everyone", policies=policies)
    AnswerStore(made.dynamodb, table=made.table).publish_topic(topic, now_ms=1, is_stale=True)
    return made


@pytest.fixture(scope="module")
def service(corner: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LambdaService]:
    code_zip = tmp_path_factory.mktemp("zip") / "lambdas.zip"
    build_zip(code_zip)
    functions = [
        Function(
            name=name, handler=f"lambdas.{name.removeprefix('connectgenai-')}.handler", environment=corner.environment
        )
        for name in (PRODUCER, CONSUMER)
    ]
    with LambdaService(functions=functions, code_zip=code_zip) as running:
        yield running


@pytest.fixture(scope="module")
def invoke(service: LambdaService) -> Call:
    phone = LambdaPhone(local_client("lambda", service.url))

    def call(function: str, contact: dict[str, Any] | None = None, **parameters: str) -> dict[str, str]:
        data = {"ContactId": "c1", "Channel": "VOICE", "LanguageCode": "en-US", **(contact or {})}
        return phone.invoke(function, {"Details": {"ContactData": data, "Parameters": parameters}})

    return call


def test_a_question_is_queued_polled_for_and_answered(invoke: Call, corner: Aws) -> None:
    asked = invoke(PRODUCER, topic="faq", question="Do you sell lamps?")
    assert (asked["statusCode"], corner.count_messages(LIVE_QUEUE)) == ("202", 1)
    waited = invoke(CONSUMER, ticket=asked["ticket"], cursor=asked["cursor"], budget="0.3")
    assert waited["statusCode"] == "202"
    store = AnswerStore(corner.dynamodb, table=corner.table)
    key, now = asked["ticket"].rpartition(":")[0], time.time_ns() // 1_000_000
    assert store.start(key, epoch=1, token="run000000001", revision=1, now_ms=now)
    done = {"revision": 1, "ttl_seconds": 60, "usage": Usage(), "now_ms": now}
    store.finish(key, epoch=1, token="run000000001", chunks=["Yes.", "Many."], **done)  # type: ignore[arg-type]
    first = invoke(CONSUMER, ticket=waited["ticket"], cursor=waited["cursor"])
    last = invoke(CONSUMER, ticket=first["ticket"], cursor=first["cursor"])
    assert [(r["statusCode"], r["text"]) for r in (first, last)] == [("206", "Yes."), ("200", "Many.")]
    again = invoke(PRODUCER, topic="faq", question="do you sell lamps please")
    assert (again["statusCode"], again["text"], again["source"]) == ("206", "Yes.", "hit")


@pytest.mark.parametrize(
    "contact",
    [
        {},
        {"Channel": "CHAT", "CustomerEndpoint": None, "SystemEndpoint": None, "Queue": None},
        {
            "Channel": "EMAIL",
            "InitiationMethod": "AGENT_REPLY",
            "MediaStreams": {"Customer": {}},
            "SomethingNew": [1, {"a": None}],
        },
        {"Channel": "TASK", "InitiationMethod": "WEBRTC_API", "ContactId": None, "LanguageCode": None},
    ],
)
def test_every_channel_and_any_event_field_is_accepted(invoke: Call, contact: dict[str, Any]) -> None:
    reply = invoke(PRODUCER, contact, topic="faq", question="Do you sell chairs?")
    assert (reply["statusCode"], set(reply)) == ("202", KEYS)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({}, "topic_missing"),
        ({"topic": "faq"}, "question_missing"),
        ({"topic": "faq", "question": "a" * 100_000}, "question_too_long"),
        ({"topic": "faq", "question": "\x00\x01\x02\ufffd\x7f"}, "question_unreadable"),
        ({"topic": "faq", "question": "Oui?", "language": "xx-YY"}, "language_unknown"),
        ({"topic": "none-such", "question": "Why?"}, "topic_unknown"),
    ],
)
def test_bad_input_is_something_to_say_and_never_an_exception(
    invoke: Call, parameters: dict[str, str], reason: str
) -> None:
    reply = invoke(PRODUCER, **parameters)
    assert (reply["statusCode"], reply["reason"], reply["play"]) == ("400", reason, "ssml")
    assert reply["text"]
    assert set(reply) == KEYS


@pytest.mark.parametrize("event", [None, [], "text", 7, {}, {"Details": None}, {"Details": {"Parameters": [1]}}])
@pytest.mark.parametrize("function", [PRODUCER, CONSUMER])
def test_an_event_that_is_none_still_gets_a_map_of_strings(
    service: LambdaService, function: str, event: object
) -> None:
    reply = local_client("lambda", service.url).invoke(FunctionName=function, Payload=json.dumps(event).encode())
    assert "FunctionError" not in reply
    assert json.loads(reply["Payload"].read())["statusCode"] == "400"


def test_a_reply_of_the_longest_chunk_stays_under_connects_32_kb(invoke: Call, corner: Aws) -> None:
    store = AnswerStore(corner.dynamodb, table=corner.table)
    question = {"topic": "faq", "language": "en-US", "sharing": "everyone", "caller": "", "contact_id": "c1"}
    asked = identify_question("What is the longest answer?", **question)
    chunks = split_chunks("\U0001f600" * 30_000)
    now = time.time_ns() // 1_000_000
    store.publish(asked, chunks=chunks, seen_version=0, revision=1, ttl_seconds=60, now_ms=now)
    reply = invoke(PRODUCER, topic="faq", question="What is the longest answer?")
    assert reply["statusCode"] == "206"
    assert len(json.dumps(reply).encode()) < 32_000


def test_the_lambdas_log_ids_and_no_words(invoke: Call, service: LambdaService) -> None:
    invoke(PRODUCER, {"CustomerEndpoint": {"Address": "+15550177"}}, topic="faq", question="Is the canary yellow?")
    log = (service.log_dir / f"{PRODUCER}.log").read_text()
    assert '"contact_id": "c1"' in log
    assert "canary" not in log
    assert "5550177" not in log
