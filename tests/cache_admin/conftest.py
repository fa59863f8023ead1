"""Django on a test's own corner of the emulator, a topic, and somebody to be logged in."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from cache_admin.models import Topic, TopicLanguage, WaitPolicy, WaitPrompt
from cache_admin.services.topics import publish_topic
from connectgenai.wire.config import aws_client
from connectgenai.wire.question import AskedQuestion, identify_question
from connectgenai.wire.store import AnswerStore, Usage
from tests.aws import Aws

NOW = datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)


@pytest.fixture
def site(provisioned: Aws, settings: Any, db: None) -> Aws:
    """The database, and the test's own table, queues and bucket in place of those that lead nowhere."""
    options = {**settings.STORAGES["default"]["OPTIONS"], "bucket_name": provisioned.bucket}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    settings.BUCKET = provisioned.bucket
    return provisioned


@pytest.fixture
def store(site: Aws) -> AnswerStore:
    return AnswerStore(aws_client("dynamodb"), table=site.table)


@pytest.fixture
def policy(db: None) -> WaitPolicy:
    made = WaitPolicy.objects.create(name="calm", interval_seconds=4.0, first_prompt_after_seconds=2.0)
    WaitPrompt.objects.create(policy=made, text="One moment please, I am looking that up.")
    return made


@pytest.fixture
def topic(store: AnswerStore, policy: WaitPolicy) -> Topic:
    """A published topic whose answers everybody may hear."""
    made = Topic.objects.create(
        name="faq",
        title="Questions and answers",
        instructions="Answer briefly.",
        model_id="local.extractive-v1",
        sharing="everyone",
        temperature=Decimal("0.2"),
    )
    TopicLanguage.objects.create(topic=made, language="en-US", wait_policy=policy)
    publish_topic(made, store=store, now=NOW)
    return made


@pytest.fixture
def answer(store: AnswerStore, topic: Topic) -> AskedQuestion:
    """A generated answer in DynamoDB, not mirrored yet."""
    asked = ask("Are you open on Sunday?")
    generate(store, asked, "We are open on Sunday. Come between ten and four.")
    return asked


def ask(question: str, *, topic: str = "faq", language: str = "en-US") -> AskedQuestion:
    return identify_question(question, topic=topic, language=language, sharing="everyone", caller="", contact_id="")


def generate(
    store: AnswerStore, asked: AskedQuestion, *chunks: str, now_ms: int = NOW_MS, seconds: float = 4.0
) -> None:
    """Asks, and plays the worker: first words after `seconds`, the end a second later."""
    topic = store.read_topic(asked.topic)
    assert topic is not None
    item = store.ask(asked, topic=topic, seen=store.read_answer(asked.key, consistent=True), now_ms=now_ms).item
    run: dict[str, Any] = {"epoch": item.epoch, "token": f"run-{item.epoch}-{asked.key[-8:]}"}
    store.start(asked.key, revision=topic.revision, now_ms=now_ms, **run)
    for index, chunk in enumerate(chunks):
        store.append(asked.key, chunk=chunk, index=index, now_ms=now_ms + round(seconds * 1000), **run)
    store.finish(
        asked.key,
        chunks=chunks,
        revision=topic.revision,
        ttl_seconds=topic.ttl_seconds,
        usage=Usage(model="local.extractive-v1", input_tokens=100, output_tokens=20),
        now_ms=now_ms + round(seconds * 1000) + 1000,
        **run,
    )


@pytest.fixture
def supervisor(client: Client, db: None) -> Client:
    """A browser in which a superuser is logged in."""
    client.force_login(User.objects.create_superuser("ada", password="x"))
    return client


def login(client: Client, *permissions: str) -> User:
    """Logs in a member of staff with just these rights, as "publish_topic"."""
    user = User.objects.create_user(f"user{User.objects.count()}", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return user
