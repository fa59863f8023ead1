"""Erasing a caller: a canary's words and number are found nowhere afterwards, and nobody else loses anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.core.management import CommandError, call_command

from cache_admin.models import CachedAnswer, Call
from cache_admin.services.erasing import Erased, erase_caller
from cache_admin.services.mirror import mirror_changes
from connectgenai.wire.answering import AnswerDesk
from connectgenai.wire.items import TopicItem
from connectgenai.wire.request import LIVE_QUEUE, GenerationRequest
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy, policies_to_json
from tests.aws import Aws

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 1, 15, 12, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
NEW, OLD = ("k2", b"the present secret"), ("k1", b"the secret before it")
NUMBER, OTHER = "+1 555 0100", "+15550199"
CANARY = "What is my balance at the canary bank?"


@pytest.fixture
def store(provisioned: Aws) -> AnswerStore:
    made = AnswerStore(provisioned.dynamodb, table=provisioned.table)
    policies = policies_to_json({"en-US": WaitPolicy()})
    made.publish_topic(TopicItem(name="faq", sharing="everyone", policies=policies), now_ms=NOW_MS, is_stale=True)
    return made


def ask(
    store: AnswerStore, aws: Aws, number: str, question: str, *, keys: tuple[tuple[str, bytes], ...] = (NEW, OLD)
) -> None:
    def send(request: GenerationRequest) -> None:
        aws.sqs.send_message(QueueUrl=aws.queue_urls[LIVE_QUEUE], MessageBody=request.to_json())

    desk = AnswerDesk(store, send, keys, now_ms=lambda: NOW_MS)
    contact = {"ContactId": f"c{number[-2:]}{len(question)}{len(keys)}", "CustomerEndpoint": {"Address": number}}
    reply = desk.ask({"Details": {"ContactData": contact, "Parameters": {"topic": "faq", "question": question}}})
    assert reply.status == "202"


def dump(aws: Aws) -> str:
    """Everything that is kept, as text."""
    items = aws.dynamodb.scan(TableName=aws.table)["Items"]
    messages: Any = aws.sqs.receive_message(
        QueueUrl=aws.queue_urls[LIVE_QUEUE], MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    rows = [*CachedAnswer.objects.all(), *Call.objects.all(), *LogEntry.objects.all()]
    in_django: str = serializers.serialize("json", rows)
    return json.dumps([items, messages.get("Messages", [])], default=str) + in_django


def test_a_canary_is_found_nowhere_after_it_is_erased(store: AnswerStore, provisioned: Aws) -> None:
    ask(store, provisioned, NUMBER, CANARY)
    ask(store, provisioned, NUMBER, CANARY, keys=(OLD,))  # before the key was changed
    mirror_changes(store, now=NOW)
    answer = CachedAnswer.objects.filter(question=CANARY).first()
    assert answer is not None
    LogEntry.objects.create(
        user=User.objects.create_user("s"), content_type=ContentType.objects.get_for_model(CachedAnswer), object_id=str(answer.pk),
        object_repr=CANARY, action_flag=CHANGE, change_message="canary",
    )  # fmt: skip
    assert "canary" in dump(provisioned)
    assert erase_caller(NUMBER, keys=(NEW, OLD), store=store, now=NOW) == Erased(answers=2, calls=2)
    mirror_changes(store, now=NOW)
    kept = dump(provisioned)
    assert "canary" not in kept
    assert "k1:" not in kept
    assert "k2:" not in kept
    assert "5550100" not in kept
    assert {row.state for row in CachedAnswer.objects.all()} == {"INVALID"}


def test_nobody_else_loses_anything_and_a_second_time_finds_nothing(store: AnswerStore, provisioned: Aws) -> None:
    ask(store, provisioned, NUMBER, CANARY)
    ask(store, provisioned, OTHER, "What is my balance?")
    ask(store, provisioned, NUMBER, "Are you open on Sunday?")  # everyone's
    assert erase_caller(NUMBER, keys=(NEW, OLD), store=store, now=NOW) == Erased(answers=1, calls=2)
    assert erase_caller(NUMBER, keys=(NEW, OLD), store=store, now=NOW) == Erased(answers=0, calls=0)
    mirror_changes(store, now=NOW)
    left = set(CachedAnswer.objects.exclude(state="INVALID").values_list("question", flat=True))
    assert left == {"What is my balance?", "Are you open on Sunday?"}
    assert Call.objects.exclude(caller="").count() == 1


@pytest.mark.parametrize("number", ["", "anonymous", " - "])
def test_what_is_no_number_is_refused(store: AnswerStore, number: str) -> None:
    with pytest.raises(ValueError, match="no caller's number"):
        erase_caller(number, keys=(NEW,), store=store, now=NOW)


def test_the_command_says_how_much_and_never_what(
    store: AnswerStore, provisioned: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTGENAI_CALLER_KEYS", "k2:the present secret")
    ask(store, provisioned, NUMBER, CANARY)
    call_command("erase_caller", "--number", NUMBER)
    assert capsys.readouterr().out == "Erased 1 answers, and the caller from 1 calls.\n"
    with pytest.raises(CommandError):
        call_command("erase_caller", "--number", "unknown")
