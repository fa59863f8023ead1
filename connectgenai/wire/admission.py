"""Whether a question that costs a generation is taken now: a hand-over at once beats a wait in vain."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectgenai.wire.capacity import ModelCapacity, expected_wait_ms
from connectgenai.wire.items import TopicItem
from connectgenai.wire.limits import caller_count
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy

_GOOD_FOR_MS = 1_000  # how long a model's item, once read, is good enough to say no by


@dataclass(slots=True)
class Admission:
    """The Producer's side of back-pressure; one for a process, safe to use from many threads."""

    store: AnswerStore
    _read: dict[str, tuple[int, ModelCapacity]] = field(default_factory=dict)

    def find_refusal(self, topic: TopicItem, language: str, caller: str, *, now_ms: int) -> str:
        """Why not: `busy`, `caller_limit`, `topic_limit`; "" takes the question, and has counted it."""
        if self._has_no_room(topic, language, now_ms):
            return "busy"
        counted = [
            (topic.asks_per_caller if caller else 0, caller_count(topic.name, caller), 3600, "caller_limit"),
            (topic.asks_per_minute, topic.name, 60, "topic_limit"),
        ]
        for limit, name, seconds, reason in counted:
            if limit and not self.store.limits.count_ask(name, limit=limit, window_seconds=seconds, now_ms=now_ms):
                return reason
        return ""

    def _has_no_room(self, topic: TopicItem, language: str, now_ms: int) -> bool:
        """Whether the caller's patience would end before the first words, with the fallback model too."""
        policy = topic.languages().get(language) or WaitPolicy()
        left_ms = round(policy.max_wait * 1000) - topic.estimate_seconds * 1000
        models = [model_id for model_id in (topic.model_id, topic.fallback_model_id) if model_id]
        waits = [self._expect(model_id, topic.max_tokens, now_ms) for model_id in models]
        return bool(waits) and min(waits) > max(left_ms, 0)

    def _expect(self, model_id: str, tokens: int, now_ms: int) -> int:
        read_at, capacity = self._read.get(model_id, (0, None))
        if capacity is None or now_ms - read_at > _GOOD_FOR_MS:
            capacity = self.store.limits.read_capacity(model_id)
            self._read[model_id] = (now_ms, capacity)
        tokens = capacity.weigh(input_tokens=0, output_tokens=tokens)
        return expected_wait_ms(capacity, tokens=tokens, now_ms=now_ms)
