"""A store over the emulator, a topic in it, and questions to ask."""

from __future__ import annotations

from typing import Any

import pytest

from connectgenai.wire.items import TopicItem
from connectgenai.wire.question import AskedQuestion, identify_question
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt, policies_to_json
from local.memory_dynamodb import MemoryDynamoDB

POLICY = WaitPolicy(
    hold=2.0,
    first_prompt_after=3.0,
    interval=8.0,
    max_wait=60.0,
    comfort_audio="s3://bucket/comfort.wav",
    prompts=(WaitPrompt(text="One moment, please."), WaitPrompt(text="Still looking.")),
)
NOW = 1_800_000_000_000


@pytest.fixture(params=["emulator", "memory"])
def dynamodb(request: pytest.FixtureRequest) -> Any:
    """Every test of the protocol runs against both, and so proves that the one in memory does as the emulator does."""
    return request.getfixturevalue("aws").dynamodb if request.param == "emulator" else MemoryDynamoDB()


@pytest.fixture
def store(dynamodb: Any, request: pytest.FixtureRequest) -> AnswerStore:
    is_memory = isinstance(dynamodb, MemoryDynamoDB)
    return AnswerStore(dynamodb, table="memory" if is_memory else request.getfixturevalue("aws").table)


@pytest.fixture
def topic(store: AnswerStore) -> TopicItem:
    policies = policies_to_json({"en-US": POLICY, "de-DE": POLICY})
    item = TopicItem(name="faq", sharing="everyone", ttl_seconds=3_600, policies=policies, instructions="Answer.")
    return store.publish_topic(item, now_ms=NOW, is_stale=True)


def asked(question: str = "Are you open on Sunday?", **changes: str) -> AskedQuestion:
    known = {"topic": "faq", "language": "en-US", "sharing": "everyone", "caller": "", "contact_id": "c1", **changes}
    return identify_question(question, **known)
