"""One short story for each guard of the answer protocol: AssertionError when the guard is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from connectgenai.wire.answering import AnswerDesk
from connectgenai.wire.items import PENDING, READY, AnswerItem, TopicItem
from connectgenai.wire.queue import QueueUnavailableError
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import JOIN, LEASE_MS, MISS, AnswerStore, ConflictError, FencedError, Usage
from connectgenai.wire.waiting import policies_to_json
from tests.wire.conftest import NOW, POLICY, asked
from tests.wire.protocol_model import LaggingDynamoDB

QUESTION = asked()
TTL_SECONDS = 3_600


@dataclass
class Scene:
    """A store whose reads may lag, a desk, a clock, and a question that has just been asked (epoch 1)."""

    dynamodb: LaggingDynamoDB
    now: int = NOW
    sent: list[GenerationRequest] = field(default_factory=list)
    loses_sends: bool = False
    last: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = AnswerStore(self.dynamodb, table="t")
        policies = policies_to_json({"en-US": POLICY})
        topic = TopicItem(name="faq", sharing="everyone", ttl_seconds=TTL_SECONDS, policies=policies)
        self.store.publish_topic(topic, now_ms=NOW, is_stale=True)
        self.desk = AnswerDesk(self.store, self.send, (("k", b"0" * 16),), now_ms=lambda: self.now, sleep=self.sleep)
        self.ask()

    def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1000)

    def send(self, request: GenerationRequest) -> None:
        if self.loses_sends:
            raise QueueUnavailableError
        self.sent.append(request)

    def event(self, **parameters: str) -> dict[str, Any]:
        return {"Details": {"ContactData": {"ContactId": "c1", "LanguageCode": "en-US"}, "Parameters": parameters}}

    def ask(self) -> dict[str, str]:
        self.last = self.desk.ask(self.event(topic="faq", question=QUESTION.question)).to_map()
        return self.last

    def poll(self, *, lag: int = 0) -> dict[str, str]:
        self.dynamodb.lag = lag
        known = {"ticket": self.last["ticket"], "cursor": self.last["cursor"], "budget": "0"}
        self.last = self.desk.poll(self.event(**known)).to_map()
        self.dynamodb.lag = 0
        return self.last

    def item(self) -> AnswerItem:
        found = self.store.read_answer(QUESTION.key, consistent=True)
        assert found is not None
        return found

    def start(self, token: str, *, epoch: int = 1) -> AnswerItem | None:
        return self.store.start(QUESTION.key, epoch=epoch, token=token, revision=1, now_ms=self.now)

    def append(self, token: str, chunk: str, *, epoch: int = 1, index: int = 0) -> None:
        self.store.append(QUESTION.key, epoch=epoch, token=token, chunk=chunk, index=index, now_ms=self.now)

    def finish(self, token: str, text: str, *, epoch: int = 1) -> None:
        self.store.finish(
            QUESTION.key, epoch=epoch, token=token, chunks=[text], revision=1, ttl_seconds=TTL_SECONDS, usage=Usage(), now_ms=self.now
        )  # fmt: skip

    def answer(self, text: str) -> None:
        self.start("run1")
        self.finish("run1", text)

    def replace_worker(self) -> None:
        """The first worker stalls past its lease, and a second has begun."""
        self.start("run1")
        self.now += LEASE_MS + 1
        assert self.start("run2")

    def invalidate(self) -> AnswerItem:
        return self.store.invalidate(QUESTION.key, reason="", now_ms=self.now)


def must_be_fenced(act: Callable[[], object]) -> None:
    """AssertionError unless the store refuses."""
    try:
        act()
    except FencedError:
        return
    raise AssertionError("a worker wrote into what is no longer its own")


def two_producers_see_the_same_item(scene: Scene) -> None:
    seen = scene.invalidate()
    topic = scene.store.read_topic("faq")
    assert topic is not None
    found = [scene.store.ask(QUESTION, topic=topic, seen=seen, now_ms=scene.now).outcome for _ in range(2)]
    assert found == [MISS, JOIN]


def a_message_comes_again_after_the_end(scene: Scene) -> None:
    scene.answer("Yes.")
    assert scene.start("run2") is None


def a_message_of_an_older_epoch_comes_late(scene: Scene) -> None:
    scene.invalidate()
    scene.ask()
    assert scene.start("run1", epoch=1) is None


def a_message_comes_twice(scene: Scene) -> None:
    assert scene.start("run1")
    assert scene.start("run2") is None


def a_stalled_worker_writes_a_chunk(scene: Scene) -> None:
    scene.replace_worker()
    must_be_fenced(lambda: scene.append("run1", "Old."))


def a_worker_of_an_older_epoch_writes_a_chunk(scene: Scene) -> None:
    scene.start("run1")
    scene.invalidate()
    scene.ask()
    must_be_fenced(lambda: scene.append("run1", "Old."))


def a_chunk_is_written_twice(scene: Scene) -> None:
    scene.start("run1")
    for _ in range(2):
        scene.append("run1", "Yes.")
    assert scene.item().chunks == ("Yes.",)


def a_stalled_worker_renews_its_lease(scene: Scene) -> None:
    scene.replace_worker()
    must_be_fenced(lambda: scene.store.renew_lease(QUESTION.key, epoch=1, token="run1", now_ms=scene.now))


def a_stalled_worker_finishes_after_its_heir(scene: Scene) -> None:
    scene.replace_worker()
    scene.finish("run2", "New.")
    must_be_fenced(lambda: scene.finish("run1", "Old."))
    assert scene.item().text == "New."


def a_worker_finishes_what_was_withdrawn(scene: Scene) -> None:
    scene.start("run1")
    scene.invalidate()
    scene.ask()
    must_be_fenced(lambda: scene.finish("run1", "Withdrawn."))
    assert scene.item().state == PENDING


def a_stalled_worker_fails(scene: Scene) -> None:
    scene.replace_worker()
    must_be_fenced(
        lambda: scene.store.fail(QUESTION.key, epoch=1, token="run1", reason="x", remember_seconds=5, now_ms=scene.now)
    )
    assert scene.item().state == PENDING


def a_stalled_worker_hands_its_work_back(scene: Scene) -> None:
    scene.replace_worker()
    must_be_fenced(lambda: scene.store.release(QUESTION.key, epoch=1, token="run1", now_ms=scene.now))
    assert scene.item().token == "run2"


def two_supervisors_edit_the_same_version(scene: Scene) -> None:
    scene.answer("Yes.")
    seen: dict[str, Any] = {"seen_version": scene.item().version, "revision": 1, "ttl_seconds": 60, "now_ms": scene.now}
    scene.store.publish(QUESTION, chunks=["Ada's."], **seen)
    try:
        scene.store.publish(QUESTION, chunks=["Bob's."], **seen)
    except ConflictError:
        return
    raise AssertionError("the first supervisor's text was overwritten unseen")


def an_invalidation_takes_power_from_old_work(scene: Scene) -> None:
    before = scene.item().epoch
    assert scene.invalidate().epoch > before


def a_send_is_lost(scene: Scene) -> None:
    scene.invalidate()
    scene.loses_sends = True
    scene.ask()
    scene.loses_sends, scene.sent = False, []
    scene.now += 5_000
    scene.poll()
    assert len(scene.sent) == 1


def two_polls_see_that_nobody_works(scene: Scene) -> None:
    scene.now += 5_000
    item = scene.item()
    assert [scene.store.requeue(item, now_ms=scene.now) for _ in range(2)] == [True, False]


def an_answer_expires(scene: Scene) -> None:
    scene.answer("Yes.")
    scene.now += TTL_SECONDS * 1000
    assert scene.ask()["text"] != "Yes."


def a_topic_is_revised(scene: Scene) -> None:
    scene.answer("Yes.")
    scene.store.raise_revision("faq", now_ms=scene.now)
    assert scene.ask()["text"] != "Yes."


def a_topic_comes_to_need_approval(scene: Scene) -> None:
    scene.answer("I made this up.")
    topic = scene.store.read_topic("faq")
    assert topic is not None
    scene.store.publish_topic(replace(topic, needs_approval=True), now_ms=scene.now, is_stale=False)
    assert scene.ask()["statusCode"] == "202"


def a_poll_reads_what_was_there_before_the_ask(scene: Scene) -> None:
    scene.answer("Withdrawn.")
    assert scene.item().state == READY
    scene.invalidate()
    scene.ask()
    assert scene.poll(lag=2)["text"] != "Withdrawn."


# guard (as in protocol_model's mutants) -> its story
SCENARIOS: dict[str, Callable[[Scene], None]] = {
    "ask: the item is the version that was read": two_producers_see_the_same_item,
    "start: PENDING": a_message_comes_again_after_the_end,
    "start: same epoch": a_message_of_an_older_epoch_comes_late,
    "start: lease lapsed": a_message_comes_twice,
    "append: same token": a_stalled_worker_writes_a_chunk,
    "append: same epoch": a_worker_of_an_older_epoch_writes_a_chunk,
    "append: as many chunks as expected": a_chunk_is_written_twice,
    "renew: same token": a_stalled_worker_renews_its_lease,
    "finish: PENDING": a_stalled_worker_finishes_after_its_heir,
    "finish: same epoch": a_worker_finishes_what_was_withdrawn,
    "fail: same token": a_stalled_worker_fails,
    "release: same token": a_stalled_worker_hands_its_work_back,
    "publish: the version that was seen": two_supervisors_edit_the_same_version,
    "invalidate: epoch+1": an_invalidation_takes_power_from_old_work,
    "requeue: a lost request is sent again": a_send_is_lost,
    "requeue: same count of requeues": two_polls_see_that_nobody_works,
    "poll: in date": an_answer_expires,
    "poll: of the topic's revision": a_topic_is_revised,
    "approval: what all hear, a person wrote": a_topic_comes_to_need_approval,
    "poll: not below the ticket's epoch": a_poll_reads_what_was_there_before_the_ask,
}
