"""Polls against the emulator, on a real event loop: where they go, how often, and what they leave behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kombu.asynchronous import Hub

from connectgenai.wire.request import LIVE_QUEUE, PREWARM_QUEUE
from jobs.polling import Answer, BoundedCurl, Poller
from local.fault_proxy import Fault, FaultProxy
from local.provision import local_client
from tests.aws import Aws
from tests.jobs.workers import send

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated; use:DeprecationWarning")  # kombu's own


class Bench:
    """A poller with its event loop, and what it delivered."""

    def __init__(self, client: Any, *, room: int = 100) -> None:
        self.hub, self.room = Hub(), room
        self.delivered: list[tuple[str, str]] = []
        self.poller = Poller(
            self.hub, client, wait_seconds=1, visibility_seconds=30, count_free=lambda: self.room, deliver=self._deliver
        )

    def _deliver(self, queue: str, messages: list[dict[str, Any]]) -> None:
        self.delivered += [(queue, message["Body"]) for message in messages]
        self.room -= len(messages)

    def turn_until(self, is_so: Callable[[], object], *, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline
            self.hub.run_once()

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.poller.close()
        self.hub.close()


@pytest.fixture
def bench(aws: Aws) -> Iterator[Bench]:
    with Bench(aws.sqs) as made:
        yield made


def test_several_queues_are_polled_side_by_side(aws: Aws, bench: Bench) -> None:
    for queue in (LIVE_QUEUE, PREWARM_QUEUE):
        bench.poller.add(queue, url=aws.queue_urls[queue])
    send(aws, "a", queue=PREWARM_QUEUE)
    send(aws, "b", queue=LIVE_QUEUE)
    bench.turn_until(lambda: len(bench.delivered) == 2)
    assert set(bench.delivered) == {(PREWARM_QUEUE, "a"), (LIVE_QUEUE, "b")}


def test_no_more_is_asked_for_than_there_is_room(aws: Aws, bench: Bench) -> None:
    for number in range(5):
        send(aws, str(number))
    bench.room = 3
    bench.poller.add(LIVE_QUEUE, url=aws.queue_urls[LIVE_QUEUE])
    bench.turn_until(lambda: bench.room == 0)
    for _ in range(5):
        bench.hub.run_once()
    assert len(bench.delivered) == 3
    bench.room = 1
    bench.poller.wake()
    bench.turn_until(lambda: len(bench.delivered) == 4)


def test_a_drained_poller_delivers_what_its_last_poll_brings(aws: Aws, bench: Bench) -> None:
    bench.poller.add(LIVE_QUEUE, url=aws.queue_urls[LIVE_QUEUE])
    bench.hub.run_once()
    send(aws, "late")
    bench.poller.drain()
    assert bench.delivered == [(LIVE_QUEUE, "late")]


def test_failing_polls_are_repeated_ever_more_slowly(aws: Aws) -> None:
    with FaultProxy(aws.endpoint_url) as proxy, Bench(local_client("sqs", proxy.url)) as bench:
        proxy.fault = Fault(status=503)
        bench.poller.add(LIVE_QUEUE, url=aws.queue_urls[LIVE_QUEUE])
        began = time.monotonic()
        bench.turn_until(lambda: proxy.connections >= 4)
        assert time.monotonic() - began >= 0.2 + 0.4 + 0.8
        assert LIVE_QUEUE in bench.poller.answered_at


def test_polls_leave_no_timers_behind(aws: Aws, bench: Bench) -> None:
    for number in range(60):
        send(aws, str(number))
    bench.poller.add(LIVE_QUEUE, url=aws.queue_urls[LIVE_QUEUE])
    bench.turn_until(lambda: len(bench.delivered) == 60)
    waiting = [entry for entry in bench.hub.timer.queue if not entry.entry.canceled]
    assert len(waiting) < 8
    assert max(entry.eta for entry in waiting) - time.monotonic() < 60


def test_a_refusal_proves_no_service_and_an_outage_does() -> None:
    assert [Answer(status=status).proves_service for status in (200, 503, 403, 400, 599)] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_poll_is_bounded_by_its_wait() -> None:
    hub = Hub()
    curl = BoundedCurl(hub, limit_seconds=15)
    curl._set_timeout(300_000)
    curl._set_timeout(15_000)
    alive = [entry.eta - time.monotonic() for entry in hub.timer.queue if not entry.entry.canceled]
    assert max(alive) <= 15
    curl.close()
    hub.close()
