"""The two things a flow can do: ask a question, and poll for what to play next."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from connectgenai.wire.admission import Admission
from connectgenai.wire.flow import BAD_REQUEST, NO_ANSWER, FlowCall, Reply, choose_language
from connectgenai.wire.items import FAILED, PENDING, AnswerItem, TopicItem
from connectgenai.wire.log import log_event
from connectgenai.wire.measuring import log_refusal, log_reply
from connectgenai.wire.phrases import say
from connectgenai.wire.question import (
    EVERYONE,
    AskedQuestion,
    QuestionError,
    caller_hash,
    identify_question,
    keep_to_caller,
    shared_key,
    topic_of,
)
from connectgenai.wire.queue import QueueUnavailableError
from connectgenai.wire.replies import (
    PARTS,
    WaitingCall,
    apologize,
    describe_call,
    give_incident,
    give_part,
    keep_waiting,
    start_waiting,
)
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import (
    HIT,
    JOIN,
    MISS,
    REFUSED,
    AnswerStore,
    StoreError,
    find_outcome,
    is_current,
    is_requeue_due,
)
from connectgenai.wire.waiting import (
    ASYNC_LIMIT_SECONDS,
    POLL_LIMIT_SECONDS,
    Cursor,
    WaitPolicy,
    WaitPrompt,
    hold_until_ms,
)

POLL_EVERY_SECONDS = 0.1
TOPIC_EVERY_MS = 500  # while a poll holds, what is decided about the whole topic must be heard within a second
TOPIC_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_REMEMBERED_HITS = 1_000

Decision = tuple[Reply | None, WaitingCall]


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class _Hit:
    """What a hit came to when this process last served it: the next one's record is written beside its read, and as long as
    the versions are the same the items need not be read again."""

    reply: Reply
    waiting: WaitingCall
    item: AnswerItem


@dataclass(slots=True)
class AnswerDesk:
    """Answers a flow's asks and polls; one per process, safe to use from many threads.

    `send` queues a generation request; it makes its SQS client when first called, since a hit needs none. Replies are
    never exceptions: a store that is down becomes a wait prompt or an apology.
    """

    store: AnswerStore
    send: Callable[[GenerationRequest], None]
    caller_keys: tuple[tuple[str, bytes], ...]
    now_ms: Callable[[], int] = _clock_ms
    sleep: Callable[[float], None] = time.sleep
    _topics: dict[str, TopicItem] = field(default_factory=dict)
    _hits: dict[str, _Hit] = field(default_factory=dict)
    _beside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, thread_name_prefix="call-record"))
    _admission: Admission = field(init=False)

    def __post_init__(self) -> None:
        self._admission = Admission(self.store)

    # -- asking

    def ask(self, event: object) -> Reply:
        """The Producer: an answer's first part at once when it is there, a ticket to poll with otherwise."""
        call = FlowCall.from_event(event)
        try:
            return self._ask(call)
        except QuestionError as error:
            # a caller can ask again in other words, but can do nothing about a wrong topic or language
            phrase = "question" if error.reason.startswith("question_") else "apology"
            return _refuse(call, BAD_REQUEST, error.reason, say(phrase, language=call.language))
        except StoreError:
            return _refuse(call, NO_ANSWER, "unavailable", say("apology", language=call.language))

    def _ask(self, call: FlowCall) -> Reply:
        topic = self._find_topic(call.parameter("topic"))
        asked = self._identify(call, topic)
        early, known = self._record_early(call, asked), (topic.sharing, topic.policies)
        topic, seen = self._read_fresh(topic, asked.key)
        if (topic.sharing, topic.policies) != known:  # then who may hear the answer, or its language, may be another
            asked = self._identify(call, topic)
            seen = self.store.read_answer(asked.key, consistent=True)
        if _is_unapproved(topic, asked, seen, now_ms=self.now_ms()):
            asked = self._keep_to_caller(asked, call)
            seen = self.store.read_answer(asked.key, consistent=True)
        reply, waiting = self._meet(call, topic, asked, seen)
        self._record(waiting, reply, early)
        self._remember_hit(waiting, reply, seen)
        return reply

    def _meet(
        self, call: FlowCall, topic: TopicItem, asked: AskedQuestion, seen: AnswerItem | None
    ) -> tuple[Reply, WaitingCall]:
        now = self.now_ms()
        if _has_incident(topic, asked, now_ms=now):
            epoch = seen.epoch if seen else 0
            return give_incident(_view(call, topic, asked.language, asked.key, epoch, Cursor(asked_at=now)), now_ms=now)
        is_new = find_outcome(seen, topic, now_ms=now) == MISS
        if is_new and (busy := self._admission.find_refusal(topic, asked.language, self._caller(call), now_ms=now)):
            waiting = _view(call, topic, asked.language, asked.key, seen.epoch if seen else 0, Cursor(asked_at=now))
            return apologize(waiting, reason=busy, now_ms=now), waiting
        found = self.store.ask(asked, topic=topic, seen=seen, now_ms=now)
        source = found.outcome if found.outcome in (HIT, JOIN) else ""
        cursor = Cursor(asked_at=now, source=source)
        waiting = _view(call, topic, asked.language, asked.key, found.item.epoch, cursor)
        if found.outcome == HIT:
            return give_part(found.item, waiting, now_ms=now)
        if found.outcome == REFUSED:
            return apologize(waiting, reason=found.item.reason, now_ms=now), waiting
        if found.outcome == MISS:
            self._send(waiting)
        return start_waiting(waiting, now_ms=now), waiting

    def _find_topic(self, name: str) -> TopicItem:
        if not name:
            raise QuestionError("topic_missing")
        if not TOPIC_NAME.fullmatch(name):
            raise QuestionError("topic_unknown")
        return self._remember(name, self._topics.get(name) or self.store.read_topic(name))

    def _remember(self, name: str, topic: TopicItem | None) -> TopicItem:
        if topic is None or not topic.enabled:
            self._topics.pop(name, None)
            raise QuestionError("topic_unknown")
        self._topics[name] = topic
        return topic

    def _read_fresh(self, topic: TopicItem, key: str) -> tuple[TopicItem, AnswerItem | None]:
        last = self._hits.get(key)
        if last is not None:
            known = (last.waiting.topic.version, last.item.version)
            if known == self.store.read_versions(topic.name, key):
                return last.waiting.topic, last.item
        fresh, seen = self.store.read_topic_and_answer(topic.name, key, consistent=True)
        return self._remember(topic.name, fresh), seen

    def _identify(self, call: FlowCall, topic: TopicItem) -> AskedQuestion:
        language = choose_language(call.language, offered=topic.languages())
        if not language:
            raise QuestionError("language_unknown")
        return identify_question(
            call.parameter("question"),
            topic=topic.name,
            language=language,
            sharing=topic.sharing,
            caller=self._caller(call),
            contact_id=call.contact_id,
        )

    def _keep_to_caller(self, asked: AskedQuestion, call: FlowCall) -> AskedQuestion:
        return keep_to_caller(asked, caller=self._caller(call), contact_id=call.contact_id)

    def _caller(self, call: FlowCall) -> str:
        return caller_hash(call.caller, keys=self.caller_keys)

    def _send(self, waiting: WaitingCall) -> None:
        contact_id = waiting.call.contact_id
        deadline = self.now_ms() + round(waiting.policy.max_wait * 1000)
        try:
            self.send(GenerationRequest(key=waiting.key, epoch=waiting.epoch, deadline=deadline, contact_id=contact_id))
        except QueueUnavailableError:
            log_event("send_failed", key=waiting.key, epoch=waiting.epoch, contact_id=contact_id)

    # -- polling

    def poll(self, event: object, *, deadline_ms: int | None = None) -> Reply:
        """The Consumer: holds until there is something to play, at most until `deadline_ms` (epoch milliseconds)."""
        call = FlowCall.from_event(event)
        key, _, epoch = call.parameter("ticket").rpartition(":")
        name = topic_of(key)
        if not (
            TOPIC_NAME.fullmatch(name) and len(key) <= 80 and epoch.isascii() and epoch.isdigit() and len(epoch) < 15
        ):
            return _refuse(call, BAD_REQUEST, "ticket_malformed", say("apology", language=call.language))
        cursor = Cursor.decode(call.parameter("cursor"), now_ms=self.now_ms())
        topic = self._topics.get(name) or TopicItem(name=name)
        return self._hold(_view(call, topic, call.language, key, int(epoch), cursor), _read_budget(call), deadline_ms)

    def _hold(self, waiting: WaitingCall, budget: float | None, deadline_ms: int | None) -> Reply:
        started, item, reply = self.now_ms(), None, None
        topic_due, is_first = started, True
        while True:
            is_blind, now = False, self.now_ms()
            try:
                waiting, item = self._look(waiting, with_topic=now >= topic_due)
                topic_due = now + TOPIC_EVERY_MS if now >= topic_due else topic_due
                reply, waiting = self._decide(item, waiting)
            except StoreError:  # the caller hears the next prompt, and the next look may see again
                waiting, is_blind = _improvise(waiting), True
                if is_first:
                    log_event("look_failed", contact_id=waiting.call.contact_id, key=waiting.key, epoch=waiting.epoch)
            is_first = False
            until = hold_until_ms(waiting.policy, waiting.cursor, now_ms=started, budget_seconds=budget)
            left_ms = min(until, deadline_ms or until) - self.now_ms()
            if (
                reply is None and not is_blind
            ):  # not only at the end: in native asynchronous mode that would be 55 s away
                self._requeue(item, waiting)
            if reply is not None or left_ms <= 0:
                break
            self.sleep(min(POLL_EVERY_SECONDS, left_ms / 1000))
        if reply is None:
            is_native = budget is not None and budget > POLL_LIMIT_SECONDS
            reply, waiting = keep_waiting(waiting, now_ms=self.now_ms(), is_native=is_native)
        if is_blind:  # a write would most likely fail too, and hold the caller's words up as long again
            log_reply(waiting, reply, item, now_ms=self.now_ms())
        else:
            self._record(waiting, reply, None, item)
        return reply

    def _look(self, waiting: WaitingCall, *, with_topic: bool) -> tuple[WaitingCall, AnswerItem | None]:
        if not with_topic:
            return waiting, self.store.read_answer(waiting.key)
        topic, item = self.store.read_topic_and_answer(waiting.topic.name, waiting.key, consistent=False)
        if item is None or item.epoch < waiting.epoch:  # an eventually consistent read may lag behind the ask
            item = self.store.read_answer(waiting.key, consistent=True)
        if topic is not None:
            self._topics[topic.name] = topic
            language = item.language if item else waiting.language
            waiting = _view(waiting.call, topic, language, waiting.key, waiting.epoch, waiting.cursor)
        return waiting, item

    def _decide(self, item: AnswerItem | None, waiting: WaitingCall) -> Decision:
        """A reply, or None to go on waiting, perhaps with a new ticket."""
        now = self.now_ms()
        if _has_incident(waiting.topic, item or waiting, now_ms=now):
            return give_incident(waiting, now_ms=now)
        if item is None:
            return apologize(waiting, reason="lost", now_ms=now), waiting
        if item.epoch < waiting.epoch:
            return None, waiting
        if is_current(item, waiting.topic, now_ms=now) or _has_news(item, waiting):
            return give_part(item, waiting, now_ms=now)
        if item.state == FAILED:
            return apologize(waiting, reason=item.reason, now_ms=now), waiting
        is_alive = item.state == PENDING and item.revision >= waiting.topic.revision
        return None, waiting if is_alive else self._ask_again(item, waiting)

    def _ask_again(self, item: AnswerItem, waiting: WaitingCall) -> WaitingCall:
        """What the caller waited for was withdrawn, has expired, or is of an old revision: the same words, a new ticket."""
        again = _question_of(item)
        seen: AnswerItem | None = item
        if _is_unapproved(waiting.topic, again, item, now_ms=self.now_ms()):  # since this caller asked
            again = self._keep_to_caller(again, waiting.call)
            seen = self.store.read_answer(again.key, consistent=True)
        found = self.store.ask(again, topic=waiting.topic, seen=seen, now_ms=self.now_ms())
        waiting = replace(waiting, key=found.item.key, epoch=found.item.epoch)
        if found.outcome == MISS:
            self._send(waiting)
        return waiting

    def _requeue(self, item: AnswerItem | None, waiting: WaitingCall) -> None:
        """A request that nobody works on is sent again: lost sends, dead workers and full queues are repaired here."""
        now = self.now_ms()
        try:
            if item and is_requeue_due(item, now_ms=now) and self.store.requeue(item, now_ms=now):
                self._send(replace(waiting, epoch=item.epoch))
        except StoreError:
            log_event("requeue_failed", key=waiting.key, epoch=waiting.epoch)

    # -- the call's record

    def _record_early(self, call: FlowCall, asked: AskedQuestion) -> tuple[_Hit, Future[None]] | None:
        """Writes a hit's record beside the read, if this process has served the same answer before: it most likely is one again."""
        last = self._hits.get(asked.key)
        if last is None:
            return None
        waiting = replace(last.waiting, call=call, cursor=replace(last.waiting.cursor, asked_at=self.now_ms()))
        return last, self._beside.submit(self._write_record, waiting, last.reply)

    def _record(
        self,
        waiting: WaitingCall,
        reply: Reply,
        early: tuple[_Hit, Future[None]] | None,
        item: AnswerItem | None = None,
    ) -> None:
        log_reply(waiting, reply, item, now_ms=self.now_ms())
        if early is not None:
            early[1].result()
        if early is None or not _is_same(early[0].reply, reply):
            self._write_record(waiting, reply)

    def _remember_hit(self, waiting: WaitingCall, reply: Reply, item: AnswerItem | None) -> None:
        # under approval the next ask may be kept to its caller, under another key
        if item is None or not _is_hit(waiting, reply) or item.epoch != waiting.epoch or waiting.topic.needs_approval:
            self._hits.pop(waiting.key, None)
            return
        if len(self._hits) >= _REMEMBERED_HITS:
            self._hits.clear()
        self._hits[waiting.key] = _Hit(reply, waiting, item)

    def _write_record(self, waiting: WaitingCall, reply: Reply) -> None:
        now = self.now_ms()
        item, events = describe_call(waiting, reply, caller=self._caller(waiting.call), now_ms=now)
        try:
            self.store.record_call(item, events=events, is_first=_is_hit(waiting, reply), now_ms=now)
        except StoreError:  # the call goes on without its record
            log_event("record_failed", contact_id=waiting.call.contact_id, key=waiting.key)


def _view(call: FlowCall, topic: TopicItem, language: str, key: str, epoch: int, cursor: Cursor) -> WaitingCall:
    offered = topic.languages()
    language = choose_language(language, offered=offered) or language
    policy = offered.get(language) or WaitPolicy()
    return WaitingCall(call=call, topic=topic, policy=policy, language=language, key=key, epoch=epoch, cursor=cursor)


def _question_of(item: AnswerItem) -> AskedQuestion:
    return AskedQuestion(**{name: getattr(item, name) for name in AskedQuestion.__slots__})


def _is_unapproved(topic: TopicItem, asked: AskedQuestion, seen: AnswerItem | None, *, now_ms: int) -> bool:
    """Whether everyone would hear this answer, if only somebody had approved one."""
    if not topic.needs_approval or asked.scope != EVERYONE:
        return False
    return seen is None or not is_current(seen, topic, now_ms=now_ms)


def _has_incident(topic: TopicItem, asked: AskedQuestion | AnswerItem | WaitingCall, *, now_ms: int) -> bool:
    """Whether an incident answer stands in; it names questions by the keys that everyone shares."""
    if topic.incident_keys and not isinstance(asked, WaitingCall) and asked.words:
        shared = shared_key(topic.name, language=asked.language, words=asked.words)
        return topic.has_incident(shared, now_ms=now_ms)
    return topic.has_incident(asked.key, now_ms=now_ms)


def _improvise(waiting: WaitingCall) -> WaitingCall:
    """Something to say to a caller whose topic, and so its prompts, this process has never been able to read."""
    if waiting.policy.prompts or waiting.policy.comfort_audio:
        return waiting
    prompts = (WaitPrompt(text=say("wait", language=waiting.language)),)
    return replace(waiting, policy=replace(waiting.policy, prompts=prompts, first_prompt_after=0.0, interval=5.0))


def _has_news(item: AnswerItem, waiting: WaitingCall) -> bool:
    """Whether an answer that is still being written has a chunk that this caller has not been given."""
    if item.state != PENDING or item.revision < waiting.topic.revision or not item.chunks:
        return False
    return item.token[:12] != waiting.cursor.run or len(item.chunks) > waiting.cursor.given


def _is_hit(waiting: WaitingCall, reply: Reply) -> bool:
    """Whether this reply is an ask's own, and no poll's, with the first part of an answer that was there."""
    is_first_part = reply.status in PARTS and waiting.cursor.source == HIT and waiting.cursor.given == 1
    return is_first_part and not waiting.call.parameter("ticket")


def _is_same(recorded: Reply, given: Reply) -> bool:
    names = ("status", "ticket", "source", "text")
    return all(getattr(recorded, name) == getattr(given, name) for name in names)


def _refuse(call: FlowCall, status: str, reason: str, text: str) -> Reply:
    log_refusal(call, status, reason)
    return Reply(status=status, text=text, reason=reason)


def _read_budget(call: FlowCall) -> float | None:
    """Seconds that the flow grants this poll, at most 55; None when it does not say, so that the policy's hold counts."""
    try:
        budget = float(call.parameter("budget"))
    except ValueError:
        return None
    return min(max(budget, 0.0), ASYNC_LIMIT_SECONDS) if math.isfinite(budget) else None
