"""What came of it: the figures, and the table that shows both designs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.chaos.judge import Verdict, judge
from benchmarks.chaos.plan import Plan
from benchmarks.chaos.product import Happened, requests

RESULT = Path(__file__).resolve().parents[1] / "results" / "chaos.json"
LINES = {
    "questions": "questions", "callers": "callers", "kills": "workers killed", "stops": "workers frozen past the lease",
    "lost_sends": "sends lost", "doubled_sends": "sends doubled", "faults": "injected faults of the model",
    "withdrawals": "invalidations and edits", "answered": "callers answered", "handed_over": "callers handed over, with a reason",
    "lost": "**callers lost**", "stale": "**stale texts heard**", "wrong": "**wrong or cut off texts heard**",
    "extra_generations": "generations that were not needed", "bound": "kills x slots of a worker",
    "most_per_question": "most generations of one question between two withdrawals",
    "most_requests_per_question": "the same, with the requests that were made to fail",
    "fenced": "runs refused at the store: withdrawn, edited, taken over", "duplicates": "messages dropped for free",
    "seconds": "seconds",
}  # fmt: skip


def sum_up(plan: Plan, happened: Happened) -> tuple[dict[str, Any], Verdict]:
    """The figures of a run, and what they were made of."""
    found = judge(
        happened.calls,
        withdrawals=happened.withdrawals,
        begun=happened.authors.begun,
        generations=requests(happened.model_calls),
        requests=requests(happened.model_calls, with_faulty=True),
    )
    figures = {
        "questions": plan.questions,
        "callers": len(happened.calls),
        "kills": happened.injuries.kills,
        "stops": happened.injuries.stops,
        "lost_sends": happened.sends.get("lost", 0),
        "doubled_sends": happened.sends.get("doubled", 0),
        "faults": sum(bool(call["fault"]) for call in happened.model_calls),
        "model_requests": len(happened.model_calls),
        "withdrawals": len(happened.withdrawals),
        "answered": found.answered,
        "handed_over": sum(found.handed_over.values()),
        "reasons": dict(found.handed_over),
        "lost": len(found.lost),
        "stale": len(found.stale),
        "wrong": len(found.wrong),
        "extra_generations": found.extra_generations,
        "bound": happened.injuries.kills * plan.slots,
        "most_per_question": found.most_per_question,
        "most_requests_per_question": found.most_requests_per_question,
        "fenced": happened.outcomes["fenced"],
        "duplicates": happened.outcomes["duplicate"],
        "seconds": round(happened.seconds),
    }
    return figures, found


def is_rough(figures: Mapping[str, Any]) -> bool:
    """Whether enough was done to the system for its promises to mean anything."""
    done = ("kills", "stops", "lost_sends", "doubled_sends", "withdrawals")
    return all(figures[name] for name in done) and figures["faults"] >= 0.15 * figures["model_requests"]


def is_kept(figures: Mapping[str, Any]) -> bool:
    """Whether everything that must never happen has not happened."""
    broken = figures["lost"] or figures["stale"] or figures["wrong"]
    return not broken and figures["extra_generations"] <= figures["bound"] and figures["most_per_question"] <= 3


def show(ours: Mapping[str, Any], naive: Mapping[str, Any] | None, say: Callable[[str], None]) -> None:
    """Both designs side by side."""
    say("| | connectgenai | Celery's defaults |" if naive else "| | connectgenai |")
    say("|---|---|---|" if naive else "|---|---|")
    for name, words in LINES.items():
        say(f"| {words} | {ours[name]:,} |" + (f" {naive[name]:,} |" if naive else ""))


def save(ours: Mapping[str, Any], naive: Mapping[str, Any] | None) -> None:
    """Keeps the figures."""
    RESULT.write_text(json.dumps({**ours, "defaults": naive}, indent=2) + "\n")
