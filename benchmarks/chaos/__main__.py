"""`make chaos`: the product under everything at once, and Celery's defaults beside it; exit status 1 when a promise was broken."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.chaos.naive import run_naive
from benchmarks.chaos.plan import COMPARED_QUICK, FULL, QUICK, Plan
from benchmarks.chaos.product import run_product
from benchmarks.chaos.report import is_kept, is_rough, save, show, sum_up


def main(arguments: Sequence[str]) -> int:
    """Only the full plan's figures of both designs are kept."""
    wanted = _read(arguments)
    plan, compared = (QUICK, COMPARED_QUICK) if wanted.quick else (FULL, FULL)
    ours = _play_ours(replace(plan, callers=wanted.callers))
    naive = None if wanted.alone else _play_naive(replace(compared, callers=wanted.callers))
    show(ours, naive, print)
    if naive and not wanted.quick and wanted.callers == FULL.callers:
        save(ours, naive)
    if not wanted.quick and not is_rough(ours):
        print("Too little went wrong for this to prove anything.")
        return 1
    return 0 if is_kept(ours) else 1


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("--quick", action="store_true", help="play a small plan")
    parser.add_argument("--alone", action="store_true", help="leave Celery's defaults out")
    parser.add_argument("--callers", type=int, default=FULL.callers, help="so many for each question")
    return parser.parse_args(arguments)


def _play_ours(plan: Plan) -> dict[str, Any]:
    print(f"{plan.questions} questions x {plan.callers} callers on the product ...", flush=True)
    figures, found = sum_up(plan, run_product(plan))
    for fault in [*found.lost, *found.stale, *found.wrong][:20]:
        print(f"  {fault}")
    return figures


def _play_naive(plan: Plan) -> dict[str, Any]:
    print(f"{plan.questions} questions x {plan.callers} callers on Celery's defaults ...", flush=True)
    return sum_up(plan, run_naive(plan))[0]


sys.exit(main(sys.argv[1:]))
