"""How much of everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Each a share of the model's requests; together more than 15 %
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "throttle", "rate": 0.04},
    {"kind": "service_unavailable", "rate": 0.03},
    {"kind": "clean_cut", "rate": 0.03},
    {"kind": "broken_frame", "rate": 0.03},
    {"kind": "exception_event", "rate": 0.02},
    {"kind": "model_timeout", "rate": 0.02},
    {"kind": "stall", "rate": 0.01},
    {"kind": "max_tokens", "rate": 0.02},
    {"kind": "guardrail", "rate": 0.01},
)
LOST_SENDS, DOUBLE_SENDS = 0.05, 0.05
ON_THE_LINE = 0.7  # of all withdrawals and edits are of a case that somebody waits for or listens to at that moment


@dataclass(frozen=True, slots=True)
class Plan:
    """One chaos: `questions` with `callers` each, on `lines` lines; times in seconds, 0 for never."""

    questions: int = 600
    callers: int = 3
    lines: int = 48
    workers: int = 6
    slots: int = 6
    kill_every: float = 3.0
    stop_every: float = 8.0
    meddle_every: float = 0.5
    answer_seconds: float = 1.0
    seed: int = 1


FULL = Plan()
QUICK = Plan(questions=40, lines=24, workers=3, kill_every=5.0, stop_every=2.0)
COMPARED_QUICK = Plan(
    questions=20, lines=24, workers=3, kill_every=5.0
)  # of Celery's defaults; they get the full plan too
