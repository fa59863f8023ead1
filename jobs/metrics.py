"""The worker's metrics for Prometheus: what connectgenai/wire/metrics.py reads off events, summed up in this process."""

from __future__ import annotations

import logging
from functools import partial

from celery.worker import state
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from connectgenai.wire.log import Event, log_event, log_problem
from connectgenai.wire.log import logger as events
from connectgenai.wire.metrics import COUNTER, GAUGE, METRICS, NAMESPACE, SECONDS, Measured, measure_event

# From a hit's first words to the longest that a generation may take.
BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0, 55.0, 90.0, 180.0)


class Tally(logging.Handler):
    """Counts what is logged; a registry of its own, so that a process may have two."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        # Prometheus's client appends "_total" to a counter's name by itself
        self._counters = {
            metric.name: Counter(metric.name, metric.meaning, metric.labels, namespace=NAMESPACE, registry=registry)
            for metric in METRICS
            if metric.kind == COUNTER
        }
        make_histogram = partial(Histogram, namespace=NAMESPACE, registry=registry, buckets=BUCKETS)
        self._histograms = {
            metric.name: make_histogram(metric.name, metric.meaning, metric.labels)
            for metric in METRICS
            if metric.kind == SECONDS
        }

    def emit(self, record: logging.LogRecord) -> None:
        """Counts an event; any other record is none of ours."""
        if isinstance(record.msg, Event):
            for measured in measure_event(record.msg):
                self._add(measured)

    def _add(self, measured: Measured) -> None:
        name, labels = measured.metric.name, measured.labels
        if counter := self._counters.get(name):
            (counter.labels(*labels) if labels else counter).inc(measured.value)
        elif histogram := self._histograms.get(name):
            (histogram.labels(*labels) if labels else histogram).observe(measured.value)


def make_registry(*, slots: int) -> CollectorRegistry:
    """A registry that from now on counts what this process logs."""
    registry = CollectorRegistry()
    events.addHandler(Tally(registry))
    values = {"slots_busy": lambda: len(state.active_requests), "slots": lambda: slots}
    for metric in METRICS:
        if metric.kind == GAUGE:
            gauge = Gauge(metric.name, metric.meaning, namespace=NAMESPACE, registry=registry)
            gauge.set_function(values[metric.name])
    return registry


def serve_metrics(address: str, *, slots: int) -> None:
    """Offers /metrics at HOST:PORT for as long as the process lives; a port that is taken costs the metrics, not the worker."""
    host, _, port = address.rpartition(":")
    registry = make_registry(slots=slots)
    try:
        server, _ = start_http_server(int(port), addr=host.strip("[]"), registry=registry)
    except OSError as error:
        log_problem("metrics_not_served", host=host, port=int(port), error=type(error).__name__)
    else:
        log_event("metrics_served", host=host, port=server.server_port)
