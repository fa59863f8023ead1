"""The answer protocol: what is read and conditionally written of answers, topics and calls. Nothing else talks to DynamoDB.

Each guard in a condition is load-bearing; docs/answer-protocol.md says what goes wrong without it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from connectgenai.wire.items import (
    CURATED,
    FAILED,
    GENERATED,
    INVALID,
    PENDING,
    READY,
    AnswerItem,
    Attributes,
    CallItem,
    TopicItem,
    answer_pk,
    call_attributes,
    call_pk,
    from_attributes,
    topic_pk,
)
from connectgenai.wire.limits import LimitStore
from connectgenai.wire.question import EVERYONE, AskedQuestion
from connectgenai.wire.table import TABLE, TTL_ATTRIBUTE, RefusedError, StoreError, Table, Value

LEASE_MS = 15_000
REQUEUE_BASE_MS = 4_000
REQUEUE_LIMIT_MS = 60_000
# How long a supervisor's text outlives its use, so that it can still be seen; all else goes by its topic's `keep_seconds`.
KEEP_SECONDS = 30 * 24 * 3600
HIT, JOIN, MISS, REFUSED = "hit", "joined", "miss", "failed"

T = TypeVar("T")


class FencedError(Exception):
    """The answer is no longer this worker's to write: it was answered, withdrawn, edited or taken over."""


class ConflictError(Exception):
    """The item is not the version that the supervisor saw; `current` is what it is now (None: it does not exist)."""

    def __init__(self, current: AnswerItem | None) -> None:
        super().__init__("the answer has changed meanwhile")
        self.current = current


@dataclass(frozen=True, slots=True)
class Asked:
    """What an ask met: `hit`, `joined`, `miss` (claimed by this ask: send a request) or `failed` (remembered for a while)."""

    outcome: str
    item: AnswerItem


@dataclass(frozen=True, slots=True)
class Usage:
    """What a generation used."""

    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0


def is_current(item: AnswerItem, topic: TopicItem, *, now_ms: int) -> bool:
    """Whether callers may hear a READY item: in date, of the topic's revision unless a supervisor pinned it, and, if all may
    hear it in a topic that needs approval, published by a person."""
    if item.state != READY or not item.chunks or now_ms >= item.expires_at * 1000:
        return False
    if topic.needs_approval and item.scope == EVERYONE and item.source != CURATED:
        return False
    return item.pinned or item.revision >= topic.revision


def find_outcome(item: AnswerItem | None, topic: TopicItem, *, now_ms: int) -> str:
    """What an ask that sees this item comes to."""
    if item is None or item.state == INVALID:
        return MISS
    if is_current(item, topic, now_ms=now_ms):
        return HIT
    if item.revision < topic.revision:
        return MISS
    if item.state == PENDING:
        return JOIN
    return REFUSED if item.state == FAILED and now_ms < item.failed_until else MISS


def is_requeue_due(item: AnswerItem, *, now_ms: int) -> bool:
    """Whether nobody works on a PENDING item and its request may be sent again: 4, 8, 16 ... 60 s after the last time."""
    wait = min(REQUEUE_BASE_MS * 2 ** min(item.requeues, 8), REQUEUE_LIMIT_MS)
    return item.state == PENDING and item.lease_until < now_ms and now_ms >= item.requeued_at + wait


class AnswerStore:
    """One DynamoDB table of answers, topics and calls. All times given are epoch milliseconds.

    Every method raises StoreError when DynamoDB cannot serve.
    """

    def __init__(self, client: Any, *, table: str) -> None:
        self._table = Table(client, name=table)
        self.limits = LimitStore(self._table)

    # -- reading

    def read_answer(self, key: str, *, consistent: bool = False) -> AnswerItem | None:
        """One answer; an eventually consistent read unless asked otherwise."""
        return self._read(AnswerItem, answer_pk(key), consistent=consistent)

    def read_topic(self, name: str) -> TopicItem | None:
        """One published topic, or None."""
        return self._read(TopicItem, topic_pk(name), consistent=False)

    def read_call(self, contact_id: str, key: str) -> CallItem | None:
        """One call's record, or None."""
        return self._read(CallItem, call_pk(contact_id, key), consistent=True)

    def read_topic_and_answer(
        self, name: str, key: str, *, consistent: bool
    ) -> tuple[TopicItem | None, AnswerItem | None]:
        """Both in one request: an answer is only as good as its topic's present revision."""
        found = self.read_items([topic_pk(name), answer_pk(key)], consistent=consistent)
        topic, answer = found.get(topic_pk(name)), found.get(answer_pk(key))
        return (
            from_attributes(TopicItem, topic) if topic else None,
            from_attributes(AnswerItem, answer) if answer else None,
        )

    def read_versions(self, name: str, key: str) -> tuple[int, int]:
        """The versions of a topic and an answer as they are now, 0 for none: whoever remembers both items need not read them."""
        pks = [topic_pk(name), answer_pk(key)]
        found = self._table.read_many(pks, consistent=True, only_versions=True)
        topic, answer = (int(found[pk]["version"]["N"]) if pk in found else 0 for pk in pks)
        return topic, answer

    def read_items(self, pks: Sequence[str], *, consistent: bool = True) -> dict[str, Attributes]:
        """At most 100 items of any kind by partition key; missing ones are left out."""
        return self._table.read_many(pks, consistent=consistent)

    def _read(self, kind: type[T], pk: str, *, consistent: bool) -> T | None:
        found = self._table.read(pk, consistent=consistent)
        return from_attributes(kind, found) if found else None

    # -- asking

    def ask(self, asked: AskedQuestion, *, topic: TopicItem, seen: AnswerItem | None, now_ms: int) -> Asked:
        """Hit, join, or claim the question; of many asks at once exactly one claims. `seen` may be a stale read."""
        claim_id = uuid.uuid4().hex
        for _ in range(8):
            outcome = find_outcome(seen, topic, now_ms=now_ms)
            if seen is not None and outcome != MISS:
                return Asked(outcome, seen)
            try:
                return Asked(MISS, self._claim(asked, topic=topic, seen=seen, claim_id=claim_id, now_ms=now_ms))
            except RefusedError as refused:
                seen = _answer(refused)
                if seen is not None and seen.claim_id == claim_id and seen.state == PENDING:
                    return Asked(MISS, seen)  # our own write, whose reply was lost
        raise StoreError("the answer changes too fast", retryable=True)

    def _claim(
        self, asked: AskedQuestion, *, topic: TopicItem, seen: AnswerItem | None, claim_id: str, now_ms: int
    ) -> AnswerItem:
        fresh: dict[str, Value] = {
            **_identity(asked), "state": PENDING, "claim_id": claim_id, "asked_at": now_ms, "requeued_at": now_ms,
            "revision": topic.revision, "purge_at": now_ms // 1000 + topic.keep_seconds, **_NO_TEXT,
        }  # fmt: skip
        condition = "#version = :seen" if seen else "attribute_not_exists(pk)"
        return self._update_answer(
            asked.key,
            fresh,
            bump_epoch=True,
            condition=condition,
            values={"seen": seen.version} if seen else {},
            now_ms=now_ms,
        )

    def requeue(self, item: AnswerItem, *, now_ms: int) -> bool:
        """Takes the right to send a request again; of many waiting callers one gets it each time."""
        try:
            self._update_answer(
                item.key,
                {"requeued_at": now_ms, "requeues": item.requeues + 1},
                condition="#state = :pending AND #epoch = :epoch AND #requeues = :requeues AND #lease_until < :now",
                values={"pending": PENDING, "epoch": item.epoch, "requeues": item.requeues, "now": now_ms},
                now_ms=now_ms,
            )
        except RefusedError:
            return False
        return True

    # -- generating

    def start(
        self, key: str, *, epoch: int, token: str, revision: int, now_ms: int, lease_ms: int = LEASE_MS
    ) -> AnswerItem | None:
        """Becomes the one producer of this epoch's answer; None when the message is a duplicate or too old."""
        try:
            return self._update_answer(
                key,
                {
                    "token": token,
                    "lease_until": now_ms + lease_ms,
                    "started_at": now_ms,
                    "revision": revision,
                    "chunks": (),
                    "first_chunk_at": 0,
                },
                condition="#state = :pending AND #epoch = :epoch AND #lease_until < :now",
                values={"pending": PENDING, "epoch": epoch, "now": now_ms},
                increment="attempts",
                now_ms=now_ms,
            )
        except RefusedError as refused:
            current = _answer(refused)
            return current if current and current.token == token and current.state == PENDING else None

    def append(
        self, key: str, *, epoch: int, token: str, chunk: str, index: int, now_ms: int, lease_ms: int = LEASE_MS
    ) -> None:
        """Adds chunk number `index` (from 0) and renews the lease; FencedError when the answer is no longer ours."""
        sets: dict[str, Value] = {"lease_until": now_ms + lease_ms}
        if index == 0:
            sets["first_chunk_at"] = now_ms
        try:
            self._update_answer(
                key,
                sets,
                append={"chunks": chunk},
                condition=f"{_OURS} AND size(#chunks) = :index",
                values={"pending": PENDING, "epoch": epoch, "token": token, "index": index},
                now_ms=now_ms,
            )
        except RefusedError as refused:
            current = _answer(refused)
            if (
                not current
                or current.token != token
                or current.epoch != epoch
                or current.chunks[index : index + 1] != (chunk,)
            ):
                raise FencedError(key) from None

    def renew_lease(self, key: str, *, epoch: int, token: str, now_ms: int, lease_ms: int = LEASE_MS) -> None:
        """The heartbeat; FencedError when the answer is no longer ours. It changes nothing that the mirror shows."""
        try:
            self._table.update(
                answer_pk(key),
                {"lease_until": now_ms + lease_ms},
                condition=_OURS,
                values={"pending": PENDING, "epoch": epoch, "token": token},
            )
        except RefusedError:
            raise FencedError(key) from None

    def release(self, key: str, *, epoch: int, token: str, now_ms: int) -> None:
        """Gives the lease back, so that the next start can be at once.

        The token goes with it: a heartbeat that is still on its way must not take it again.
        """
        try:
            self._update_answer(
                key,
                {"lease_until": 0, "token": "", "chunks": ()},
                condition=_OURS,
                values={"pending": PENDING, "epoch": epoch, "token": token},
                now_ms=now_ms,
            )
        except RefusedError as refused:
            current = _answer(refused)
            if not current or current.state != PENDING or current.epoch != epoch or current.token:
                raise FencedError(key) from None

    def finish(
        self,
        key: str,
        *,
        epoch: int,
        token: str,
        chunks: Sequence[str],
        revision: int,
        ttl_seconds: int,
        usage: Usage,
        now_ms: int,
    ) -> AnswerItem:
        """Makes the text READY; the first to finish an epoch wins, whoever holds the lease. FencedError for all others."""
        sets: dict[str, Value] = {
            "state": READY, "token": token, "chunks": tuple(chunks), "complete": True, "text_epoch": epoch, "revision": revision,
            "source": GENERATED, "reason": "", "finished_at": now_ms, "lease_until": 0, "model": usage.model,
            "input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens,
            "expires_at": now_ms // 1000 + ttl_seconds,
        }  # fmt: skip
        try:
            return self._update_answer(
                key,
                sets,
                condition="#state = :pending AND #epoch = :epoch",
                values={"pending": PENDING, "epoch": epoch},
                now_ms=now_ms,
            )
        except RefusedError as refused:
            current = _answer(refused)
            if current and current.state == READY and current.token == token and current.epoch == epoch:
                return current
            raise FencedError(key) from None

    def fail(self, key: str, *, epoch: int, token: str, reason: str, remember_seconds: int, now_ms: int) -> None:
        """Ends the epoch without an answer; callers within `remember_seconds` are told at once. FencedError when not ours."""
        sets: dict[str, Value] = {
            "state": FAILED, "reason": reason, "finished_at": now_ms, "failed_until": now_ms + remember_seconds * 1000,
            "lease_until": 0, "chunks": (), "complete": False,
        }  # fmt: skip
        try:
            self._update_answer(
                key, sets, condition=_OURS, values={"pending": PENDING, "epoch": epoch, "token": token}, now_ms=now_ms
            )
        except RefusedError as refused:
            current = _answer(refused)
            if not current or current.state != FAILED or current.token != token or current.epoch != epoch:
                raise FencedError(key) from None

    # -- deciding

    def invalidate(self, key: str, *, reason: str, now_ms: int) -> AnswerItem:
        """Withdraws the answer, whatever its state: a tombstone, so that nothing begun before can come back. KeyError if unknown."""
        sets: dict[str, Value] = {
            **_NO_TEXT, "state": INVALID, "reason": reason, "finished_at": now_ms,
        }  # fmt: skip
        try:
            return self._update_answer(key, sets, bump_epoch=True, condition="attribute_exists(pk)", now_ms=now_ms)
        except RefusedError:
            raise KeyError(key) from None

    def publish(
        self,
        asked: AskedQuestion,
        *,
        chunks: Sequence[str],
        seen_version: int,
        revision: int,
        ttl_seconds: int,
        pinned: bool = False,
        draft: AnswerItem | None = None,
        now_ms: int,
    ) -> AnswerItem:
        """A supervisor's text, if the item still is the version that was seen (0: there was none); ConflictError otherwise.

        With `draft` the text is the model's, generated aside, and says so.
        """
        token = uuid.uuid4().hex
        made = (
            _made_by_model(draft, now_ms, ttl_seconds)
            if draft
            else {"source": CURATED, **_keep_until(now_ms, ttl_seconds)}
        )
        sets: dict[str, Value] = {
            **_NO_TEXT, **_identity(asked), "state": READY, "token": token, "chunks": tuple(chunks), "complete": True, "revision": revision,
            "pinned": pinned, "finished_at": now_ms, **made,
        }  # fmt: skip
        condition = "#version = :seen" if seen_version else "attribute_not_exists(pk)"
        values: dict[str, Value] = {"seen": seen_version} if seen_version else {}
        try:
            return self._update_answer(
                asked.key, sets, bump_epoch=True, text_epoch=True, condition=condition, values=values, now_ms=now_ms
            )
        except RefusedError as refused:
            current = _answer(refused)
            if current and current.token == token:
                return current
            raise ConflictError(current) from None

    def erase_answer(self, key: str, *, now_ms: int) -> AnswerItem:
        """Leaves a tombstone that holds no words and no caller: what a caller's right to be forgotten asks for. KeyError if unknown."""
        sets: dict[str, Value] = {
            **_FORGOTTEN_ANSWER, "reason": "erased", "finished_at": now_ms,
        }  # fmt: skip
        try:
            return self._update_answer(key, sets, bump_epoch=True, condition="attribute_exists(pk)", now_ms=now_ms)
        except RefusedError:
            raise KeyError(key) from None

    # -- topics

    def publish_topic(self, topic: TopicItem, *, now_ms: int, is_stale: bool) -> TopicItem:
        """Writes a topic's settings; `is_stale` makes every earlier answer untrustworthy by raising the revision.

        The incident answer and the learned estimate are not settings, and stay as they are.
        """
        kept = {
            "name",
            "revision",
            "version",
            "changed_at",
            "estimate_seconds",
            "incident_id",
            "incident_chunks",
            "incident_until",
            "incident_keys",
        }
        sets: dict[str, Value] = {name: getattr(topic, name) for name in TopicItem.__slots__ if name not in kept}
        return self._update_topic(topic.name, sets, raise_revision=is_stale, now_ms=now_ms)

    def raise_revision(self, name: str, *, now_ms: int) -> TopicItem:
        """Bulk invalidation: one write, and none of the topic's unpinned answers is served any more."""
        return self._update_topic(name, {}, raise_revision=True, now_ms=now_ms)

    def set_incident(
        self,
        name: str,
        *,
        incident_id: str,
        chunks: Sequence[str],
        until_ms: int,
        keys: Sequence[str] = (),
        now_ms: int,
    ) -> TopicItem:
        """One text for the whole topic, or for some questions of it, until a time; empty chunks end it."""
        sets: dict[str, Value] = {
            "incident_id": incident_id,
            "incident_chunks": tuple(chunks),
            "incident_until": until_ms,
            "incident_keys": tuple(keys),
        }
        return self._update_topic(name, sets, raise_revision=False, now_ms=now_ms)

    def set_estimate(self, name: str, *, seconds: int, now_ms: int) -> TopicItem:
        """How long this topic's answers typically take until their first words; 0 when there is too little to go by."""
        return self._update_topic(name, {"estimate_seconds": seconds}, raise_revision=False, now_ms=now_ms)

    def _update_topic(self, name: str, sets: Mapping[str, Value], *, raise_revision: bool, now_ms: int) -> TopicItem:
        revision = "#revision = if_not_exists(#revision, :zero) + :one" if raise_revision else ""
        sets = {"name": name, **sets}
        return from_attributes(
            TopicItem, self._table.update(topic_pk(name), sets, clauses=[revision], tracked_at=now_ms)
        )

    # -- calls

    def record_call(self, call: CallItem, *, events: Sequence[str] = (), is_first: bool = False, now_ms: int) -> None:
        """Notes what a call has come to; the first words keep their time, and `events` are added to those before.

        `is_first` says that this call most likely has no record yet: a plain write then does, at half the cost.
        """
        pk, facts = call_pk(call.contact_id, call.key), call_attributes(call)
        if is_first:
            fresh: dict[str, Value] = {
                **facts,
                "first_words_at": call.first_words_at,
                "polls": 1,
                "events": tuple(events),
            }
            try:
                return self._table.create(pk, fresh, tracked_at=now_ms)
            except RefusedError:
                pass  # Connect retried the Lambda, or the caller asks the same again
        clauses = ["#polls = if_not_exists(#polls, :zero) + :one"]
        values: dict[str, Value] = {}
        if call.first_words_at:
            clauses.append("#first_words_at = if_not_exists(#first_words_at, :first_words_at)")
            values["first_words_at"] = call.first_words_at
        if events:
            clauses.append("#events = list_append(if_not_exists(#events, :none), :events)")
            values |= {"none": (), "events": tuple(events)}
        self._table.update(pk, facts, clauses=clauses, values=values, tracked_at=now_ms)
        return None

    def erase_caller_of(self, call: CallItem, *, now_ms: int) -> None:
        """Takes the caller's hash out of a call's record; when and how the call went stays."""
        facts = call_attributes(replace(call, caller=""))
        self._table.update(call_pk(call.contact_id, call.key), facts, tracked_at=now_ms)

    def forget(self, pk: str, *, version: int, now_ms: int) -> bool:
        """Empties an answer or call and has DynamoDB delete it, if it still is this version; whether nothing of it is left.

        Nothing is deleted here: a tombstone keeps its epoch for as long as DynamoDB takes. The mirror is not told.
        """
        is_answer = pk == answer_pk(pk[2:])
        sets = _FORGOTTEN_ANSWER if is_answer else _FORGOTTEN_CALL
        bump = "#epoch = if_not_exists(#epoch, :zero) + :one" if is_answer else ""
        try:
            self._table.update(
                pk,
                {**sets, "purge_at": now_ms // 1000},
                clauses=["#version = #version + :one", bump],
                condition="#version = :seen",
                values={"seen": version},
            )
        except RefusedError as refused:
            return refused.current is None
        return True

    # -- mirroring

    def read_changes(self, *, limit: int = 100) -> list[Attributes]:
        """Up to `limit` (at most 100) changed items a shard, oldest first, as they are now."""
        pks = self._table.read_changed_pks(limit=limit)
        return [
            item for start in range(0, len(pks), 100) for item in self.read_items(pks[start : start + 100]).values()
        ]

    def mark_mirrored(self, pk: str, *, version: int) -> bool:
        """Takes the item off the list of changes, unless it has changed again."""
        return self._table.forget_change(pk, version=version)

    def scan_items(self, *, prefix: str) -> Iterator[Attributes]:
        """Every item whose partition key begins with "A#", "T#" or "C#"; reads the whole table."""
        return self._table.scan(prefix=prefix)

    def _update_answer(
        self,
        key: str,
        sets: Mapping[str, Value],
        *,
        condition: str,
        values: Mapping[str, Value] | None = None,
        append: Mapping[str, str] | None = None,
        increment: str = "",
        bump_epoch: bool = False,
        text_epoch: bool = False,
        now_ms: int,
    ) -> AnswerItem:
        clauses = [f"#{name} = list_append(#{name}, :append_{name})" for name in append or ()]
        clauses += [f"#{increment} = if_not_exists(#{increment}, :zero) + :one"] if increment else []
        clauses += ["#epoch = if_not_exists(#epoch, :zero) + :one"] if bump_epoch else []
        clauses += ["#text_epoch = if_not_exists(#epoch, :zero) + :one"] if text_epoch else []
        given = {**(values or {}), **{f"append_{name}": (chunk,) for name, chunk in (append or {}).items()}}
        written = self._table.update(
            answer_pk(key), sets, clauses=clauses, condition=condition, values=given, tracked_at=now_ms
        )
        return from_attributes(AnswerItem, written)


_OURS = "#state = :pending AND #epoch = :epoch AND #token = :token"
_NO_TEXT: dict[str, Value] = {
    "chunks": (), "complete": False, "token": "", "lease_until": 0, "attempts": 0, "requeues": 0, "started_at": 0, "first_chunk_at": 0,
    "finished_at": 0, "source": "", "reason": "", "model": "", "input_tokens": 0, "output_tokens": 0, "pinned": False, "expires_at": 0,
    "failed_until": 0,
}  # fmt: skip

_FORGOTTEN_ANSWER: dict[str, Value] = {**_NO_TEXT, "state": INVALID, "question": "", "words": "", "scope": "erased"}
_FORGOTTEN_CALL: dict[str, Value] = {"facts": "{}", "events": ()}


def _identity(asked: AskedQuestion) -> dict[str, Value]:
    return {name: getattr(asked, name) for name in AskedQuestion.__slots__}


def _keep_until(now_ms: int, ttl_seconds: int) -> dict[str, Value]:
    expires_at = now_ms // 1000 + ttl_seconds
    return {"expires_at": expires_at, "purge_at": expires_at + KEEP_SECONDS}


def _made_by_model(draft: AnswerItem, now_ms: int, ttl_seconds: int) -> dict[str, Value]:
    facts: dict[str, Value] = {name: getattr(draft, name) for name in ("model", "input_tokens", "output_tokens")}
    # kept for as long as the draft, which was asked for under the topic's present rule
    return {**facts, "source": GENERATED, "expires_at": now_ms // 1000 + ttl_seconds, "purge_at": draft.purge_at}


def _answer(refused: RefusedError) -> AnswerItem | None:
    return from_attributes(AnswerItem, refused.current) if refused.current else None


def read_item(attributes: Attributes) -> AnswerItem | TopicItem | CallItem:
    """The item behind attributes of any kind."""
    kinds: dict[str, Any] = {"A": AnswerItem, "T": TopicItem, "C": CallItem}
    item: AnswerItem | TopicItem | CallItem = from_attributes(kinds[attributes["pk"]["S"][0]], attributes)
    return item


__all__ = [
    "TABLE",
    "TTL_ATTRIBUTE",
    "AnswerStore",
    "Asked",
    "ConflictError",
    "FencedError",
    "StoreError",
    "Usage",
    "read_item",
]
