# ruff: noqa: ARG002 - the arguments are those of the store that it stands in for
"""One question whose answer arrives when the script says: all that the Consumer asks of the store during a preview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connectgenai.wire.items import GENERATED, PENDING, READY, AnswerItem, CallItem, TopicItem
from connectgenai.wire.question import AskedQuestion
from connectgenai.wire.store import MISS, AnswerStore, Asked

_FAR_AHEAD_MS = 24 * 3600 * 1000


class ScriptedStore(AnswerStore):
    """The answer protocol without a table. What the Consumer does not need for one call is left out, and fails loudly."""

    def __init__(self, topic: TopicItem, *, chunks: Sequence[str], after_seconds: float) -> None:
        self._topic, self._chunks, self._after_ms = topic, tuple(chunks), round(after_seconds * 1000)
        self._item: AnswerItem | None = None
        self._now_ms = 0

    def set_now(self, now_ms: int) -> None:
        """Tells the time, of which the protocol's reads know nothing."""
        self._now_ms = now_ms

    def read_topic(self, name: str) -> TopicItem | None:
        """The one topic."""
        return self._topic

    def read_answer(self, key: str, *, consistent: bool = False) -> AnswerItem | None:
        """Nothing before the question, then PENDING, and READY once it is time."""
        item = self._item
        if item is None or self._now_ms < item.asked_at + self._after_ms:
            return item
        return replace(item, state=READY, chunks=self._chunks, complete=True, source=GENERATED)

    def read_topic_and_answer(
        self, name: str, key: str, *, consistent: bool
    ) -> tuple[TopicItem | None, AnswerItem | None]:
        """Both."""
        return self._topic, self.read_answer(key)

    def ask(self, asked: AskedQuestion, *, topic: TopicItem, seen: AnswerItem | None, now_ms: int) -> Asked:
        """The first and only claim."""
        identity = {name: getattr(asked, name) for name in AskedQuestion.__slots__}
        self._item = AnswerItem(
            **identity,
            state=PENDING,
            epoch=1,
            token="preview",  # noqa: S106 - the name of a run
            revision=topic.revision,
            asked_at=now_ms,
            lease_until=now_ms + _FAR_AHEAD_MS,  # a worker is at it, so nobody sends the request again
            expires_at=(now_ms + _FAR_AHEAD_MS) // 1000,
        )
        return Asked(MISS, self._item)

    def record_call(self, call: CallItem, *, events: Sequence[str] = (), is_first: bool = False, now_ms: int) -> None:
        """No call was made, so there is none to note."""
