"""The SQS message that asks for a generation: plain JSON, so that anything that may send can ask, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

LIVE_QUEUE = "cgai-live"
PREWARM_QUEUE = "cgai-prewarm"
HOUSEKEEPING_QUEUE = "cgai-housekeeping"
DEAD_LETTER_QUEUE = "cgai-dead"
GENERATE_TASK = "jobs.generate_answer"
MIRROR_TASK = "jobs.mirror_changes"
LEARN_TASK = "jobs.learn_estimates"
FORGET_TASK = "jobs.forget_results"
LOOK_TASK = "jobs.look_at_parked"
RECONCILE_TASK = "jobs.reconcile_mirror"
BATCH_TASK = "jobs.drive_batches"

VERSION = 1
_LIMITS = {"key": 200, "topic": 64, "question": 1_000, "language": 20, "contact_id": 256}


class RequestError(ValueError):
    """The message is not a generation request; the text says why, without its words."""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """Either a claimed ticket (`key` and `epoch`), whose words lie in the answer item, or a bare `topic` and `question` to warm.

    `deadline` (epoch milliseconds) is when nobody waits any more: work not begun by then is dropped; 0 means never.
    """

    key: str = ""
    epoch: int = 0
    topic: str = ""
    question: str = ""
    language: str = ""
    deadline: int = 0
    contact_id: str = ""

    def to_json(self) -> str:
        """The message body; no caller's words travel with a claimed ticket."""
        plain = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}
        return json.dumps({"v": VERSION, **plain})

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> GenerationRequest:
        """The request in a decoded message; RequestError says what is wrong with it."""
        if plain.get("v", VERSION) != VERSION:
            raise RequestError(f"version {plain.get('v')!r} is not {VERSION}")
        known = {name: plain[name] for name in cls.__slots__ if name in plain}
        _check_types(known)
        request = cls(**known)
        if bool(request.key) == bool(request.topic and request.question) or bool(request.key) != bool(request.epoch):
            raise RequestError("either key and epoch, or topic and question, are needed")
        return request


def _check_types(known: dict[str, Any]) -> None:
    for name, value in known.items():
        if name in _LIMITS and not (isinstance(value, str) and len(value) <= _LIMITS[name]):
            raise RequestError(f"{name} must be text of at most {_LIMITS[name]} characters")
        if name not in _LIMITS and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53):
            raise RequestError(f"{name} must be a whole number")
