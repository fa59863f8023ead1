"""`make chaos`: the product under everything at once, and Celery's defaults beside it; exit status 1 when a promise was broken."""

from __future__ import annotations

import sys

from benchmarks.chaos.naive import run_naive
from benchmarks.chaos.plan import COMPARED, COMPARED_QUICK, FULL, QUICK
from benchmarks.chaos.product import run_product
from benchmarks.chaos.report import is_kept, is_rough, save, show, sum_up


def main(arguments: list[str]) -> int:
    """`--quick` plays a small plan and keeps no figures; `--alone` leaves Celery's defaults out."""
    is_quick = "--quick" in arguments
    plan = QUICK if is_quick else FULL
    print(f"{plan.questions} questions x {plan.callers} callers on the product ...", flush=True)
    ours, found = sum_up(plan, run_product(plan))
    for fault in [*found.lost, *found.stale, *found.wrong][:20]:
        print(f"  {fault}")
    naive = None
    if "--alone" not in arguments:
        compared = COMPARED_QUICK if is_quick else COMPARED
        print(f"{compared.questions} questions x {compared.callers} callers on Celery's defaults ...", flush=True)
        naive, _ = sum_up(compared, run_naive(compared))
    show(ours, naive, print)
    if not is_quick:
        save(ours, naive)
    if not is_quick and not is_rough(ours):
        print("Too little went wrong for this to prove anything.")
        return 1
    return 0 if is_kept(ours) else 1


sys.exit(main(sys.argv[1:]))
