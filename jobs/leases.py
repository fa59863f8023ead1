"""The heartbeat: one thread renews the leases of all generations of this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from connectgenai.wire.log import log_problem
from connectgenai.wire.store import LEASE_MS, AnswerStore, FencedError, StoreError

RENEW_SECONDS = LEASE_MS / 1000 / 3


@dataclass(slots=True)
class Lease:
    """One run's hold on an answer; `is_lost` once it is no longer this run's to write."""

    key: str
    epoch: int
    token: str
    renewed_at: int = 0  # epoch milliseconds; the run's own writes renew it too
    is_lost: bool = False


@dataclass(slots=True)
class LeaseKeeper:
    """Renews leases while the model is silent, so that a long thought is not mistaken for a dead worker."""

    store: AnswerStore
    now_ms: Callable[[], int]
    renew_seconds: float = RENEW_SECONDS
    _held: dict[str, Lease] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    @contextmanager
    def hold(self, lease: Lease) -> Iterator[Lease]:
        """Keeps a lease alive inside the `with` statement."""
        with self._lock:
            self._held[lease.token] = lease
            if self._thread is None or not self._thread.is_alive():  # a forked process has the object, not the thread
                self._thread = threading.Thread(target=self._run, daemon=True, name="lease-keeper")
                self._thread.start()
        try:
            yield lease
        finally:
            with self._lock:
                self._held.pop(lease.token, None)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(self.renew_seconds):
            for lease in self._find_due():
                self._renew(lease)

    def _find_due(self) -> list[Lease]:
        """Those that no write of their run's has renewed within half a beat, the oldest first."""
        latest = self.now_ms() - round(self.renew_seconds * 500)
        with self._lock:
            due = [lease for lease in self._held.values() if not lease.is_lost and lease.renewed_at <= latest]
        return sorted(due, key=lambda lease: lease.renewed_at)

    def _renew(self, lease: Lease) -> None:
        now = self.now_ms()
        try:
            self.store.renew_lease(lease.key, epoch=lease.epoch, token=lease.token, now_ms=now)
            lease.renewed_at = now
        except FencedError:
            lease.is_lost = True
        except StoreError:  # the next beat may reach DynamoDB again; until then the lease runs on
            log_problem("lease_not_renewed", key=lease.key, epoch=lease.epoch)
