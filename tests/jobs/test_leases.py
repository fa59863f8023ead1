"""The heartbeat: leases live as long as their runs, and no longer."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import LEASE_MS
from jobs.leases import RENEW_SECONDS, Lease, LeaseKeeper
from tests.jobs.stage import Stage
from tests.jobs.workers import wait_until


def start(stage: Stage, *, number: int = 0) -> tuple[GenerationRequest, Lease]:
    request = stage.ask(f"What does ticket {number} cost?")
    lease = Lease(request.key, request.epoch, token=f"run{number}")
    assert stage.store.start(lease.key, epoch=lease.epoch, token=lease.token, revision=1, now_ms=stage.now_ms())
    return request, lease


def count_keepers() -> int:
    return sum(thread.name == "lease-keeper" for thread in threading.enumerate())


def test_three_beats_fit_into_a_lease() -> None:
    assert RENEW_SECONDS * 3_000 <= LEASE_MS


def test_a_held_lease_is_renewed_and_a_let_go_one_is_not(stage: Stage) -> None:
    request, lease = start(stage)
    first = stage.read(request).lease_until
    with stage.shop.leases.hold(lease):
        wait_until(lambda: stage.read(request).lease_until > first)
    time.sleep(0.5)  # a beat that was under way
    last = stage.read(request).lease_until
    time.sleep(1)
    assert stage.read(request).lease_until == last
    assert not lease.is_lost


def test_one_thread_renews_all_leases(stage: Stage) -> None:
    before, held = count_keepers(), [start(stage, number=number) for number in range(8)]
    first = {request.key: stage.read(request).lease_until for request, _ in held}
    with ExitStack() as holding:
        for _, lease in held:
            holding.enter_context(stage.shop.leases.hold(lease))
        wait_until(lambda: all(stage.read(request).lease_until > first[request.key] for request, _ in held))
        assert count_keepers() == before + 1


def test_a_lease_that_another_has_is_lost(stage: Stage) -> None:
    request, lease = start(stage)
    with stage.shop.leases.hold(lease):
        stage.store.invalidate(request.key, reason="", now_ms=stage.now_ms())
        wait_until(lambda: lease.is_lost)


def test_what_the_run_has_just_renewed_by_a_write_of_its_own_costs_no_other(stage: Stage) -> None:
    request, lease = start(stage)
    first = stage.read(request).lease_until
    lease.renewed_at = stage.now_ms() + 60_000
    with stage.shop.leases.hold(lease):
        time.sleep(1)
    assert stage.read(request).lease_until == first


def test_a_keeper_whose_thread_is_gone_gets_another(stage: Stage) -> None:
    request, lease = start(stage)
    gone = threading.Thread(target=lambda: None)
    gone.start()
    gone.join()  # as after a fork: the object is there, the thread is not
    keeper = LeaseKeeper(store=stage.store, now_ms=stage.now_ms, renew_seconds=0.2, _thread=gone)
    first = stage.read(request).lease_until
    with keeper.hold(lease):
        wait_until(lambda: stage.read(request).lease_until > first)


def test_a_dynamodb_that_is_away_does_not_end_the_heartbeat(stage: Stage) -> None:
    request, lease = start(stage)
    first = stage.read(request).lease_until
    table, stage.store._table._name = stage.store._table._name, "no-such-table"
    try:
        with stage.shop.leases.hold(lease):
            time.sleep(1)
            stage.store._table._name = table
            wait_until(lambda: stage.read(request).lease_until > first)
    finally:
        stage.store._table._name = table
    assert not lease.is_lost
