"""What a worker offers to Prometheus."""

from __future__ import annotations

import logging
import socket
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from connectgenai.wire.log import Event, log_event, logger
from connectgenai.wire.metrics import METRICS
from jobs.metrics import Tally, make_registry, serve_metrics


@pytest.fixture(autouse=True)
def tallies() -> Iterator[list[logging.Handler]]:
    """The handlers that a test adds are gone after it."""
    before, level = list(logger.handlers), logger.level
    logger.setLevel(logging.INFO)
    yield before
    logger.handlers[:] = before
    logger.setLevel(level)


def find_port(caplog: pytest.LogCaptureFixture) -> int:
    (event,) = [r.msg for r in caplog.records if isinstance(r.msg, Event) and r.msg.name == "metrics_served"]
    return int(event.fields["port"])


def test_events_are_summed_up() -> None:
    registry = make_registry(slots=4)
    for seconds in (1, 3):
        told = {"outcome": "answered", "model": "m"}
        log_event("generation", **told, ms_total=seconds * 1000, input_tokens=10, output_tokens=5)
    labels = {"outcome": "answered", "model": "m"}
    assert registry.get_sample_value("connectgenai_generations_total", labels) == 2
    assert registry.get_sample_value("connectgenai_generation_seconds_sum", {"model": "m"}) == 4.0
    assert registry.get_sample_value("connectgenai_generation_seconds_bucket", {"model": "m", "le": "2.0"}) == 1
    assert registry.get_sample_value("connectgenai_input_tokens_total", {"model": "m"}) == 20
    assert registry.get_sample_value("connectgenai_slots") == 4
    assert registry.get_sample_value("connectgenai_slots_busy") == 0


def test_a_worker_knows_every_metric_by_its_name() -> None:
    registry = make_registry(slots=1)
    known = {family.name for family in registry.collect()}
    assert known == {f"connectgenai_{metric.name.removesuffix('_total')}" for metric in METRICS}


def test_what_is_no_event_of_ours_counts_for_nothing() -> None:
    registry = CollectorRegistry()
    before = generate_latest(registry)
    Tally(registry).emit(logging.LogRecord("celery", logging.INFO, "x", 1, "generation", None, None))
    assert before == b""
    assert "generation" not in {sample.name for family in registry.collect() for sample in family.samples}


def test_metrics_are_offered_on_a_port_of_their_own(caplog: pytest.LogCaptureFixture) -> None:
    serve_metrics("127.0.0.1:0", slots=4)
    log_event("dead_letter", reason="not_json")
    with urllib.request.urlopen(f"http://127.0.0.1:{find_port(caplog)}/metrics", timeout=30) as reply:
        text = reply.read().decode()
    assert 'connectgenai_dead_letters_total{reason="not_json"} 1.0' in text


def test_a_port_that_is_taken_costs_the_metrics_and_not_the_worker(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        serve_metrics(f"127.0.0.1:{taken.getsockname()[1]}", slots=4)
    assert "metrics_not_served" in caplog.text
