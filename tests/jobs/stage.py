"""All that a generation needs, made of real servers: what the worker has, and what a test wants to see and disturb."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from connectgenai.wire.items import AnswerItem, TopicItem, document_text_key
from connectgenai.wire.question import identify_question
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy, policies_to_json
from jobs.bedrock import TextModel
from jobs.documents import DocumentLibrary
from jobs.leases import LeaseKeeper
from jobs.quota import Quota
from jobs.services import Result, Workshop, answer_question
from local.bedrock.pace import INSTANT, Pace
from local.bedrock.prompt import Prompt
from local.bedrock.server import BedrockServer
from local.provision import local_client
from tests.aws import Aws

QUESTION = "How do ferries run in winter?"
SENTENCES = [f"In winter the ferry number {n} runs every {n + 2} hours from the old harbour." for n in range(12)]
ANSWER = " ".join(SENTENCES)
UNHURRIED = Pace(first_token_seconds=0.2, seconds_per_1000_input_tokens=0, total_seconds=4.0)
POLICIES = policies_to_json({"en-US": WaitPolicy(), "de-DE": WaitPolicy()})


def recite(prompt: Prompt) -> str:
    """The model of these tests: says what its documents say, and without any always the same."""
    return " ".join(f"{document.title}: {document.text.strip()}" for document in prompt.documents) or ANSWER


PATIENCE_MS = 600_000


@dataclass
class Clock:
    """A worker's clock; a test may set it ahead."""

    ahead_ms: int = 0

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return time.time_ns() // 1_000_000 + self.ahead_ms


@dataclass
class Stage:
    """A topic's answers, Bedrock's stand-in, and a worker's workshop between them."""

    aws: Aws
    bedrock: BedrockServer
    shop: Workshop
    topic: str
    pauses: list[float]

    @property
    def store(self) -> AnswerStore:
        """The answers."""
        return self.shop.store

    def now_ms(self) -> int:
        """What the worker's clock says."""
        return self.shop.now_ms()

    def publish(self, **changes: Any) -> TopicItem:
        """The topic, shared and answerable unless changed."""
        known = {"sharing": "everyone", "policies": POLICIES, "model_id": "local.extractive-v1", "max_tokens": 4_000}
        return self.store.publish_topic(
            TopicItem(name=self.topic, **{**known, **changes}), now_ms=self.now_ms(), is_stale=True
        )

    def upload(self, text: str) -> str:
        """A document's text in the bucket, by its hash."""
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        self.aws.s3.put_object(Bucket=self.aws.bucket, Key=document_text_key(sha256), Body=text.encode())
        return sha256

    def ask(self, question: str = QUESTION) -> GenerationRequest:
        """What the Producer sends for a caller who asks this for the first time."""
        topic = self.store.read_topic(self.topic)
        assert topic is not None
        asked = identify_question(
            question, topic=self.topic, language="en-US", sharing="everyone", caller="", contact_id="c1"
        )
        found = self.store.ask(asked, topic=topic, seen=self.store.read_answer(asked.key), now_ms=self.now_ms())
        deadline = self.now_ms() + PATIENCE_MS
        return GenerationRequest(key=found.item.key, epoch=found.item.epoch, deadline=deadline, contact_id="c1")

    def answer(self, request: GenerationRequest, **options: Any) -> Result:
        """What the worker does with the request."""
        return answer_question(request, shop=self.shop, **options)

    @contextmanager
    def answering(self, request: GenerationRequest) -> Iterator[Future[Result]]:
        """The same beside the test."""
        with ThreadPoolExecutor(1) as worker:
            yield worker.submit(self.answer, request)

    def read(self, request: GenerationRequest) -> AnswerItem:
        """The answer as it is now."""
        item = self.store.read_answer(request.key, consistent=True)
        assert item is not None
        return item

    def wait_for_chunk(self, request: GenerationRequest) -> AnswerItem:
        """The answer as soon as the first part of it is stored."""
        deadline = time.monotonic() + 30
        while not (item := self.read(request)).chunks:
            assert time.monotonic() < deadline, f"no chunk: {item.state} {item.reason}"
            time.sleep(0.02)
        return item

    def count_calls(self) -> int:
        """How often the model was asked."""
        return len(self.bedrock.read_calls())

    def wait_for_end_of_call(self) -> str:
        """What became of the latest call of the model."""
        deadline = time.monotonic() + 20
        while (outcome := str(self.bedrock.read_calls()[-1]["outcome"])) == "open":
            assert time.monotonic() < deadline, "the call does not end"
            time.sleep(0.05)
        return outcome

    @contextmanager
    def watching(self, request: GenerationRequest) -> Iterator[list[AnswerItem]]:
        """Every state of the answer that a poll could have seen meanwhile, in order."""
        seen, is_over = [self.read(request)], threading.Event()

        def watch() -> None:
            while not is_over.wait(0.02):
                item = self.read(request)
                if item.version != seen[-1].version:
                    seen.append(item)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield seen
        finally:
            is_over.set()
            watcher.join()

    def with_workshop(self, **changes: Any) -> Stage:
        """The same stage with another worker."""
        return replace(self, shop=replace(self.shop, **changes))


def make_stage(aws: Aws, bedrock: BedrockServer, *, client: Any, topic: str, renew_seconds: float = 0.3) -> Stage:
    """A stage whose topic is published; pauses between tries are noted, not waited for."""
    bedrock.set_faults()
    bedrock.set_pace(INSTANT)
    bedrock.state.calls.clear()
    store, clock = AnswerStore(local_client("dynamodb", aws.endpoint_url), table=aws.table), Clock()
    pauses: list[float] = []
    shop = Workshop(
        store=store,
        model=TextModel(client),
        documents=DocumentLibrary(aws.s3, bucket=aws.bucket),
        leases=LeaseKeeper(store=store, now_ms=clock.now_ms, renew_seconds=renew_seconds),
        quota=Quota(store.limits, now_ms=clock.now_ms),
        now_ms=clock.now_ms,
        sleep=pauses.append,
    )
    stage = Stage(aws, bedrock, shop, topic, pauses)
    stage.publish()
    return stage
