"""The heartbeat: one thread renews the leases of all generations of this process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from connectgenai.wire.store import LEASE_MS, AnswerStore, FencedError, StoreError

RENEW_SECONDS = LEASE_MS / 1000 / 3
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Lease:
    """One run's hold on an answer; `is_lost` once another has taken over."""

    key: str
    epoch: int
    token: str
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
            if self._thread is None:
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
            with self._lock:
                held = list(self._held.values())
            for lease in held:
                self._renew(lease)

    def _renew(self, lease: Lease) -> None:
        try:
            self.store.renew_lease(lease.key, epoch=lease.epoch, token=lease.token, now_ms=self.now_ms())
        except FencedError:
            lease.is_lost = True
        except StoreError:  # the next beat may reach DynamoDB again; until then the lease runs on
            logger.warning("lease_not_renewed key=%s", lease.key)
