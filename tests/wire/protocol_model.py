"""The answer protocol as a game against it: callers, workers, a queue and supervisors do anything in any order.

The real AnswerStore and the real AnswerDesk play, on a clock that the game turns. `MUTANTS` switch one guard off each: the
game must be lost for every one of them (test_protocol_model.py).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as hypothesis_seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from connectgenai.wire import answering, store, table
from connectgenai.wire.answering import AnswerDesk
from connectgenai.wire.items import FAILED, PENDING, AnswerItem, TopicItem, from_attributes
from connectgenai.wire.question import caller_hash, identify_question
from connectgenai.wire.queue import QueueUnavailableError
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import LEASE_MS, MISS, AnswerStore, ConflictError, FencedError, Usage
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt, policies_to_json
from local.memory_dynamodb import MemoryDynamoDB

NOW = 1_800_000_000_000
TTL_SECONDS = 100
PATIENCE_SECONDS = 300.0
POLICY = WaitPolicy(prompts=(WaitPrompt(text="Wait."),), max_wait=PATIENCE_SECONDS)
CALLERS = ("+15550101", "+15550102")


@dataclass(frozen=True)
class Text:
    """What a text is made of: whose it is, and when the work on it began."""

    question: str
    scope: str
    born: int
    revision: int
    is_whole: bool = True
    is_human: bool = False


@dataclass
class Worker:
    """One run; it may stall, be killed, or try to finish twice."""

    item: AnswerItem
    token: str
    number: int
    started_at: int
    chunks: list[str] = field(default_factory=list)


class LaggingDynamoDB(MemoryDynamoDB):
    """Eventually consistent reads may show an item as it was some writes ago."""

    def __init__(self) -> None:
        super().__init__()
        self.past: dict[str, list[Any]] = {}
        self.lag = 0

    def _store(self, pk: str, item: Any) -> None:
        super()._store(pk, item)
        self.past.setdefault(pk, []).append(item)

    def _as_seen(self, pk: str, is_consistent: bool) -> Any:
        history = self.past.get(pk, [])
        # a topic was published long ago; an answer's first write may not be seen yet
        lag = 0 if is_consistent else min(self.lag, len(history) - 1) if pk.startswith("T#") else self.lag
        return history[-1 - lag] if lag < len(history) else None

    def get_item(self, *, Key: Any, ConsistentRead: bool = False, **_: Any) -> dict[str, Any]:  # noqa: N803
        found = self._as_seen(Key["pk"]["S"], ConsistentRead)
        return {"Item": found} if found else {}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        name, asked = next(iter(RequestItems.items()))
        found = [self._as_seen(k["pk"]["S"], asked["ConsistentRead"]) for k in asked["Keys"]]
        return {"Responses": {name: [item for item in found if item]}}


class LaggingEmulator(LaggingDynamoDB):
    """The same over a real DynamoDB API: writes and consistent reads are the emulator's, lagging reads come from its past."""

    def __init__(self, client: Any, *, table: str) -> None:
        super().__init__()
        self.client, self.table = client, table
        for item in client.scan(TableName=table, ConsistentRead=True)["Items"]:  # what an earlier game has left
            client.delete_item(TableName=table, Key={"pk": item["pk"]})

    def update_item(self, *, Key: Any, **request: Any) -> dict[str, Any]:  # noqa: N803
        reply: dict[str, Any] = self.client.update_item(Key=Key, **{**request, "TableName": self.table})
        self._store(Key["pk"]["S"], reply["Attributes"])
        return reply

    def put_item(self, *, Item: Any, **request: Any) -> dict[str, Any]:  # noqa: N803
        reply: dict[str, Any] = self.client.put_item(Item=Item, **{**request, "TableName": self.table})
        self._store(Item["pk"]["S"], Item)
        return reply

    def _as_seen(self, pk: str, is_consistent: bool) -> Any:
        if self.lag and not is_consistent:
            return super()._as_seen(pk, is_consistent)
        return self.client.get_item(TableName=self.table, Key={"pk": {"S": pk}}, ConsistentRead=True).get("Item")


def build_game(
    *,
    questions: tuple[str, ...],
    is_shared: bool = False,
    open_dynamodb: Callable[[], LaggingDynamoDB] = LaggingDynamoDB,
) -> type[RuleBasedStateMachine]:
    """A state machine over these questions; one question makes the collisions, several make the mix-ups.

    A shared topic's answers are everyone's, unless it needs approval, which comes and goes.
    """
    sharing = "everyone" if is_shared else "caller"

    class Game(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.now = NOW
            self.dynamodb = open_dynamodb()
            self.store = AnswerStore(self.dynamodb, table="t")
            self.queue: list[GenerationRequest] = []
            self.workers: list[Worker] = []
            self.callers: list[dict[str, Any]] = []
            self.texts: dict[str, Text] = {}
            self.withdrawn: dict[str, int] = {}  # key -> when last
            self.revised = 0
            self.edits: dict[str, tuple[str, int, int]] = {}  # key -> text, good until, revision
            self.counter = 0
            self.loses_sends = False
            topic = TopicItem(
                name="t",
                sharing=sharing,
                ttl_seconds=TTL_SECONDS,
                policies=policies_to_json({"en": POLICY}),
                model_id="m",
            )
            self.store.publish_topic(topic, now_ms=NOW, is_stale=True)
            self.desk = AnswerDesk(
                self.store, self.send, (("k", b"0" * 16),), now_ms=lambda: self.now, sleep=self.sleep
            )

        def sleep(self, seconds: float) -> None:
            self.now += round(seconds * 1000)

        def send(self, request: GenerationRequest) -> None:
            if self.loses_sends:
                raise QueueUnavailableError
            self.queue.append(request)

        def tick_count(self) -> int:
            self.counter += 1
            return self.counter

        def event(self, caller: str, **parameters: str) -> dict[str, Any]:
            contact = {"ContactId": f"c{caller}", "CustomerEndpoint": {"Address": caller}, "LanguageCode": "en"}
            return {"Details": {"ContactData": contact, "Parameters": parameters}}

        def topic(self) -> TopicItem:
            found = from_attributes(TopicItem, self.dynamodb.items["T#t"])
            assert isinstance(found, TopicItem)
            return found

        def answer(self, key: str) -> AnswerItem | None:
            found = self.dynamodb.items.get(f"A#{key}")
            return from_attributes(AnswerItem, found) if found else None

        # -- what can happen

        @rule(seconds=st.sampled_from([1, 4, 16, 16, 40, 101]))
        def time_passes(self, seconds: int) -> None:
            self.now += seconds * 1000

        @rule(
            question=st.sampled_from(questions),
            caller=st.sampled_from(CALLERS),
            loses=st.booleans(),
            lag=st.sampled_from([0, 0, 1, 3]),
        )
        def ask(self, question: str, caller: str, loses: bool, lag: int) -> None:
            self.loses_sends, self.dynamodb.lag = loses, lag
            reply = self.desk.ask(self.event(caller, topic="t", question=question)).to_map()
            self.loses_sends, self.dynamodb.lag = False, 0
            call = {
                "caller": caller,
                "question": question,
                "asked": self.now,
                "reply": reply,
                "withdrawn": dict(self.withdrawn),
                "needs_approval": self.topic().needs_approval,
                "revision": self.revised,
            }
            self.callers.append(call)
            self.hear(call, reply, is_strong=lag == 0)

        @rule(question=st.sampled_from(questions), caller=st.sampled_from(CALLERS), staleness=st.integers(1, 3))
        def ask_at_the_same_time(self, question: str, caller: str, staleness: int) -> None:
            """Another Producer read the item before those that came in between wrote it."""
            hashed = caller_hash(caller, keys=self.desk.caller_keys)
            asked = identify_question(question, topic="t", language="en", sharing=sharing, caller=hashed, contact_id="")
            history = self.dynamodb.past.get(f"A#{asked.key}", [])
            seen = from_attributes(AnswerItem, history[-1 - staleness]) if staleness < len(history) else None
            present = self.answer(asked.key)
            found = self.store.ask(asked, topic=self.topic(), seen=seen, now_ms=self.now)
            if found.outcome == MISS:
                assert store.find_outcome(present, self.topic(), now_ms=self.now) == MISS, (
                    "claimed what was answered, or under way"
                )
                self.queue.append(GenerationRequest(key=asked.key, epoch=found.item.epoch))

        @precondition(lambda self: self.callers)
        @rule(number=st.integers(0, 9), lag=st.sampled_from([0, 0, 0, 1, 2]), repeats=st.booleans())
        def poll(self, number: int, lag: int, repeats: bool) -> None:
            call = self.callers[number % len(self.callers)]
            self.dynamodb.lag = lag
            for _ in range(1 + repeats):  # Connect retries with the same cursor
                reply = self.poll_once(call, is_strong=lag == 0)
            call["reply"] = reply
            self.dynamodb.lag = 0

        def poll_once(self, call: dict[str, Any], *, is_strong: bool) -> dict[str, str]:
            known: dict[str, str] = call["reply"]
            if known["statusCode"] not in ("202", "206"):
                return known
            parameters = {"ticket": known["ticket"], "cursor": known["cursor"], "budget": "0"}
            reply = self.desk.poll(self.event(call["caller"], **parameters)).to_map()
            self.hear(call, reply, is_strong=is_strong)
            return reply

        @precondition(lambda self: self.queue)
        @rule(number=st.integers(0, 9), is_duplicate=st.booleans(), skew=st.sampled_from([0, 0, 0, 2_000]))
        def receive(self, number: int, is_duplicate: bool, skew: int) -> None:
            request = self.queue[number % len(self.queue)]
            if not is_duplicate:
                self.queue.remove(request)
            born = self.tick_count()
            # callers' cursors name a run by its token's first characters, so these must differ
            token = f"{born:012x}" + "0" * 20
            before = self.answer(request.key)
            item = self.store.start(
                request.key, epoch=request.epoch, token=token, revision=self.topic().revision, now_ms=self.now + skew
            )
            if item is None:
                return
            assert before is not None
            assert before.state == PENDING, f"paid for an answer that is {before.state}"
            assert item.epoch == request.epoch, "paid for an epoch that can never be answered"
            rivals = [w for w in self.workers if w.item.key == item.key and w.item.epoch == item.epoch]
            assert all(w.started_at + LEASE_MS <= self.now + skew for w in rivals), (
                "two paid generations inside one lease"
            )
            self.workers.append(Worker(item, token, born, self.now + skew))

        @precondition(lambda self: self.workers)
        @rule(
            number=st.integers(0, 9),
            wakes=st.sampled_from(["not", "to write", "to finish", "to finish first", "to fail"]),
        )
        def stall(self, number: int, wakes: str) -> None:
            """A worker sleeps past its lease, SQS delivers its message to another, and then the sleeper wakes."""
            sleeper = self.workers[number % len(self.workers)]
            self.now += LEASE_MS + 1_000
            self.queue.insert(0, GenerationRequest(key=sleeper.item.key, epoch=sleeper.item.epoch))
            self.receive(number=0, is_duplicate=False, skew=0)
            if wakes == "to write":
                self.append(number=self.workers.index(sleeper), twice=False)
            elif wakes.startswith("to finish"):
                self.finish(number=self.workers.index(sleeper), is_whole=True, keeps=True)
                if wakes == "to finish first":
                    self.finish(number=len(self.workers) - 1, is_whole=True, keeps=True)
            elif wakes == "to fail":
                self.give_up(number=self.workers.index(sleeper), releases=False)

        def say(self, worker: Worker, *, is_whole: bool = True) -> str:
            text = f"text {self.tick_count()}"
            self.texts[text] = Text(
                worker.item.question, worker.item.scope, worker.number, worker.item.revision, is_whole
            )
            return text

        @precondition(lambda self: self.workers)
        @rule(number=st.integers(0, 9), twice=st.booleans())
        def append(self, number: int, twice: bool) -> None:
            worker = self.workers[number % len(self.workers)]
            text = self.say(worker)
            for _ in range(1 + twice):  # the write's reply was lost
                with contextlib.suppress(FencedError):
                    before = self.answer(worker.item.key)
                    self.store.append(
                        worker.item.key,
                        epoch=worker.item.epoch,
                        token=worker.token,
                        chunk=text,
                        index=len(worker.chunks),
                        now_ms=self.now,
                    )
                    worker.started_at = self.now
                    assert before is not None
                    assert before.token == worker.token, "a zombie wrote into its heir's answer"
            worker.chunks.append(text)

        @precondition(lambda self: self.workers)
        @rule(number=st.integers(0, 9), is_whole=st.sampled_from([True, True, True, False]), keeps=st.booleans())
        def finish(self, number: int, is_whole: bool, keeps: bool) -> None:
            worker = self.workers[number % len(self.workers)]
            if not keeps:  # kept: the reply was lost, and the client tries again later
                self.workers.remove(worker)
            if not is_whole:  # cut off, blocked, empty: what jobs.bedrock never lets through to here
                return
            worker.chunks.append(self.say(worker))
            before = self.answer(worker.item.key)
            with contextlib.suppress(FencedError):
                self.store.finish(
                    worker.item.key, epoch=worker.item.epoch, token=worker.token, chunks=worker.chunks, revision=worker.item.revision,
                    ttl_seconds=TTL_SECONDS, usage=Usage(), now_ms=self.now,
                )  # fmt: skip
                assert before is not None
                is_again = before.token == worker.token  # its own finish, whose reply was lost
                assert before.state == PENDING or is_again, f"a late worker finished an answer that was {before.state}"
                assert before.epoch == worker.item.epoch, "work begun under an older epoch was stored"

        @precondition(lambda self: self.workers)
        @rule(number=st.integers(0, 9), releases=st.booleans())
        def give_up(self, number: int, releases: bool) -> None:
            worker = self.workers.pop(number % len(self.workers))
            before = self.answer(worker.item.key)
            identity: dict[str, Any] = {"epoch": worker.item.epoch, "token": worker.token, "now_ms": self.now}
            try:
                if releases:
                    self.store.release(worker.item.key, **identity)
                else:
                    self.store.fail(worker.item.key, reason="x", remember_seconds=5, **identity)
            except FencedError:
                return
            assert before is not None
            if releases and not before.token:  # given back by its heir already: counts as done, and writes nothing
                assert self.answer(worker.item.key) == before
                return
            assert before.state in (PENDING, FAILED), f"a zombie gave up an answer that was {before.state}"
            assert (before.token, before.epoch) == (worker.token, worker.item.epoch), (
                "a zombie gave up its heir's answer"
            )

        @precondition(lambda self: self.workers)
        @rule(number=st.integers(0, 9))
        def kill(self, number: int) -> None:
            self.workers.pop(number % len(self.workers))

        def keys(self) -> list[str]:
            return sorted(pk[2:] for pk in self.dynamodb.items if pk.startswith("A#"))

        @precondition(lambda self: self.keys())
        @rule(number=st.integers(0, 9))
        def invalidate(self, number: int) -> None:
            key = self.keys()[number % len(self.keys())]
            before = self.answer(key)
            after = self.store.invalidate(key, reason="", now_ms=self.now)
            assert before is not None
            assert after.epoch > before.epoch, "an invalidation that leaves old work in power"
            self.withdrawn[key] = self.tick_count()
            self.edits.pop(key, None)

        @precondition(lambda self: self.keys())
        @rule(number=st.integers(0, 9), lag=st.integers(1, 4), finishes=st.booleans())
        def withdraw_and_ask_again(self, number: int, lag: int, finishes: bool) -> None:
            """What was begun before comes to an end, and a poll reads what was there before."""
            key = self.keys()[number % len(self.keys())]
            item = self.answer(key)
            assert item is not None
            caller = next((c for c in CALLERS if item.scope == self.own_scope(c)), CALLERS[0])
            self.invalidate(number=number)
            self.ask(question=item.question, caller=caller, loses=False, lag=0)
            begun = [i for i, worker in enumerate(self.workers) if worker.item.key == key]
            if finishes and begun:
                self.finish(number=begun[0], is_whole=True, keeps=True)
            self.poll(number=len(self.callers) - 1, lag=lag, repeats=False)

        def own_scope(self, caller: str) -> str:
            return f"caller:{caller_hash(caller, keys=self.desk.caller_keys)}"

        @precondition(lambda _: is_shared)
        @rule(needed=st.booleans())
        def require_approval(self, needed: bool) -> None:
            self.store.publish_topic(replace(self.topic(), needs_approval=needed), now_ms=self.now, is_stale=False)

        @rule()
        def revise(self) -> None:
            self.store.raise_revision("t", now_ms=self.now)
            self.revised = self.topic().revision
            self.edits.clear()

        @rule(question=st.sampled_from(questions), caller=st.sampled_from(CALLERS), staleness=st.integers(0, 2))
        def edit(self, question: str, caller: str, staleness: int) -> None:
            hashed = caller_hash(caller, keys=self.desk.caller_keys)
            asked = identify_question(question, topic="t", language="en", sharing=sharing, caller=hashed, contact_id="")
            history = self.dynamodb.past.get(f"A#{asked.key}", [])
            seen = from_attributes(AnswerItem, history[-1 - staleness]).version if staleness < len(history) else 0
            present = self.answer(asked.key)
            text, revision = f"edit {self.tick_count()}", self.topic().revision
            self.texts[text] = Text(question, asked.scope, self.counter, revision, is_human=True)
            try:
                self.store.publish(
                    asked, chunks=[text], seen_version=seen, revision=revision, ttl_seconds=TTL_SECONDS, now_ms=self.now
                )
            except ConflictError:
                return
            assert seen == (present.version if present else 0), (
                "an edit of a stale version was accepted: somebody's work is lost"
            )
            self.edits[asked.key] = (text, self.now + TTL_SECONDS * 1000, revision)

        # -- what must never happen

        def hear(self, call: dict[str, Any], reply: dict[str, str], *, is_strong: bool) -> None:
            if reply["statusCode"] not in ("200", "206") or not reply["text"]:
                return
            key = reply["ticket"].rpartition(":")[0]
            text = reply["text"].removeprefix("Sorry, let me start again. ")
            told = self.texts[text]
            assert told.question == call["question"], "the answer to another question"
            assert told.scope in (self.own_scope(call["caller"]), "everyone"), "the answer to another's question"
            is_approved = told.is_human or told.scope != "everyone" or not call["needs_approval"]
            assert is_approved, "a text that nobody has approved, and another caller brought about"
            assert told.is_whole, "a cut-off text"
            assert told.born > call["withdrawn"].get(key, 0), "a text withdrawn before the question was asked"
            assert told.revision >= call["revision"], "a text of a revision older than the ask's"
            if is_strong:
                self.check_present(key, text, told)

        def check_present(self, key: str, text: str, told: Text) -> None:
            assert told.born > self.withdrawn.get(key, 0), "a withdrawn text came back"
            assert told.revision >= self.revised, "a text of an older revision"
            edit = self.edits.get(key)
            if edit and edit[1] > self.now and not told.is_human:
                item = self.answer(key)
                raise AssertionError(f"a person's text was replaced by a model's: {text} in {item}")
            item = self.answer(key)
            assert item is not None
            assert item.state == PENDING or self.now < item.expires_at * 1000, "an expired text"

        @invariant()
        def chunks_are_one_runs(self) -> None:
            for key in self.keys():
                item = self.answer(key)
                assert item is not None
                births = {self.texts[c].born for c in item.chunks}
                assert len(births) <= 1, "sentences of two runs in one answer"
                assert len(set(item.chunks)) == len(item.chunks), "a sentence twice"

        def teardown(self) -> None:
            """From now on all is well: every caller who keeps polling must come to an answer or a hand-over."""
            self.workers.clear()
            waiting = [c for c in self.callers[-6:] if c["reply"]["statusCode"] in ("202", "206")]
            for call in waiting:
                # a fresh patience: what is proved is that nobody waits for something that will never come
                run, given, *_ = call["reply"]["cursor"].split(".")
                call["reply"]["cursor"] = f"{run}.{given}.0.0.{self.now}.-"
            ends = self.now + round(PATIENCE_SECONDS * 1000) - 10_000
            while waiting and self.now < ends:
                self.now += 3_000
                self.work_off()
                for call in waiting:
                    call["reply"] = self.poll_once(call, is_strong=True)
                waiting = [c for c in waiting if c["reply"]["statusCode"] in ("202", "206")]
            assert not waiting, (
                f"lost: still told {waiting[0]['reply']['statusCode']} after {PATIENCE_SECONDS:.0f} s of healthy running"
            )

        def work_off(self) -> None:
            for _ in range(len(self.queue)):
                self.receive(number=0, is_duplicate=False, skew=0)
                if self.workers:
                    self.finish(number=0, is_whole=True, keeps=False)

    return Game


def play(
    *,
    examples: int,
    questions: tuple[str, ...],
    steps: int = 40,
    seed: int | None = None,
    is_shared: bool = False,
    open_dynamodb: Callable[[], LaggingDynamoDB] = LaggingDynamoDB,
) -> None:
    """Plays the game; AssertionError when it is lost."""
    options = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate], print_blob=False, derandomize=seed is None,
    )  # fmt: skip
    game = build_game(questions=questions, is_shared=is_shared, open_dynamodb=open_dynamodb)
    if seed is not None:
        game = hypothesis_seed(seed)(game)
    run_state_machine_as_test(game, settings=options)


# -- one guard switched off each


def _move(sets: dict[str, Any], clauses: Any) -> str:
    """Which of the protocol's moves a write is."""
    state = sets.get("state", "")
    if any("list_append(#chunks" in clause for clause in clauses):
        return "append"
    if state == "READY":
        return "publish" if "pinned" in sets else "finish"
    if state:
        return {"PENDING": "ask", "FAILED": "fail", "INVALID": "invalidate"}[state]
    if "requeues" in sets:
        return "requeue"
    if sets.get("token") == "":
        return "release"
    return "start" if "started_at" in sets else "renew" if set(sets) == {"lease_until"} else "other"


@contextlib.contextmanager
def _without(term: str, *, move: str) -> Iterator[None]:
    """Drops a term of the condition of one kind of write."""
    real = table.Table.update

    def update(self: table.Table, pk: str, sets: Any, *, clauses: Any = (), condition: str = "", **options: Any) -> Any:
        if _move(sets, clauses) == move:
            condition = " AND ".join(t for t in condition.split(" AND ") if t != term)
        return real(self, pk, sets, clauses=clauses, condition=condition, **options)

    with mock.patch.object(table.Table, "update", update):
        yield


@contextlib.contextmanager
def _patched(module: Any, name: str, made: Callable[[Any], Any]) -> Iterator[None]:
    with mock.patch.object(module, name, made(getattr(module, name))):
        yield


def _never(_: Any) -> Any:
    return lambda *_args, **_kwargs: False


def _undated(real: Any) -> Any:
    return lambda item, topic, *, now_ms: real(item, topic, now_ms=0) if item.chunks else False


def _unrevised(real: Any) -> Any:
    def is_current(item: AnswerItem, topic: TopicItem, *, now_ms: int) -> bool:
        return bool(real(item, TopicItem(name=topic.name), now_ms=now_ms))

    return is_current


def _unapproved(real: Any) -> Any:
    def is_current(item: AnswerItem, topic: TopicItem, *, now_ms: int) -> bool:
        return bool(real(item, replace(topic, needs_approval=False), now_ms=now_ms))

    return is_current


def _clause_dropped(pattern: str) -> Callable[[Any], Any]:
    def make(real: Any) -> Any:
        def update(self: Any, pk: str, sets: Any, *, clauses: Any = (), **options: Any) -> Any:
            if sets.get("state") == "INVALID":
                clauses = [c for c in clauses if not re.match(pattern, c)]
            return real(self, pk, sets, clauses=clauses, **options)

        return update

    return make


def _eager(real: Any) -> Any:
    """A poll that believes a read that lags behind its ticket."""

    def look(self: Any, waiting: Any, *, with_topic: bool) -> Any:
        waiting, item = real(self, waiting, with_topic=with_topic)
        lagging = self.store.read_answer(waiting.key)
        return replace(waiting, epoch=0), lagging or item

    return look


@contextlib.contextmanager
def _both(*parts: contextlib.AbstractContextManager[None]) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for part in parts:
            stack.enter_context(part)
        yield


MUTANTS: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "ask: the item is the version that was read": lambda: _without("#version = :seen", move="ask"),
    "start: PENDING": lambda: _without("#state = :pending", move="start"),
    "start: same epoch": lambda: _without("#epoch = :epoch", move="start"),
    "start: lease lapsed": lambda: _without("#lease_until < :now", move="start"),
    "append: same token": lambda: _without("#token = :token", move="append"),
    "append: as many chunks as expected": lambda: _without("size(#chunks) = :index", move="append"),
    "finish: PENDING": lambda: _without("#state = :pending", move="finish"),
    "finish: same epoch": lambda: _without("#epoch = :epoch", move="finish"),
    "fail: same token": lambda: _without("#token = :token", move="fail"),
    "publish: the version that was seen": lambda: _without("#version = :seen", move="publish"),
    "invalidate: epoch+1": lambda: _patched(table.Table, "update", _clause_dropped(r"#epoch = ")),
    "requeue: a lost request is sent again": lambda: _patched(answering, "is_requeue_due", _never),
    "poll: in date": lambda: _both(
        _patched(answering, "is_current", _undated), _patched(store, "is_current", _undated)
    ),
    "poll: of the topic's revision": lambda: _both(
        _patched(answering, "is_current", _unrevised), _patched(store, "is_current", _unrevised)
    ),
    "approval: what all hear, a person wrote": lambda: _both(
        _patched(answering, "is_current", _unapproved), _patched(store, "is_current", _unapproved)
    ),
    "poll: not below the ticket's epoch": lambda: _patched(answering.AnswerDesk, "_look", _eager),
}
# What the game finds too late, or cannot tell from a good day: found by a directed scenario (guard_scenarios.py)
DIRECTED_MUTANTS: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "release: same token": lambda: _without("#token = :token", move="release"),
    "append: same epoch": lambda: _both(
        _without("#epoch = :epoch", move="append"), _without("#token = :token", move="append")
    ),
    "renew: same token": lambda: _without("#token = :token", move="renew"),
    "requeue: same count of requeues": lambda: _without("#requeues = :requeues", move="requeue"),
}
