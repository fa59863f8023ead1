"""Opens every page again and again, as a browser would, and says how long each takes."""

from __future__ import annotations

import gc
import time
from datetime import datetime
from typing import Any
from unittest import mock

from django.contrib.auth.models import User
from django.db import connection, reset_queries
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.measure import Say, percentile

Samples = dict[str, list[float]]


def open_client() -> Client:
    """A superuser's session."""
    # without Django's test environment, which keeps every template's context, and the garbage collector busy with them
    client = Client()
    client.force_login(User.objects.get(username="bench"))
    return client


def time_pages(client: Client, pages: dict[str, str], *, count: int, now: datetime, say: Say) -> Samples:
    """Milliseconds of each page, `count` times; what a page is when first opened in the process does not count."""
    began = time.monotonic()
    samples: Samples = {}
    client.get(pages.get("home", next(iter(pages.values()))))
    gc.collect()
    gc.freeze()  # as the site's own server does (gunicorn.conf.py)
    with mock.patch.object(timezone, "now", return_value=now):  # when the last hour's calls were made
        for name, url in pages.items():
            if (reply := client.get(url)).status_code != 200:
                say(f"{name}: {url} says {reply.status_code} {reply.get('Location', '')}; left out")
                continue
            samples[name] = [_time(client, url) for _ in range(count)]
    say(f"{connection.vendor}: {len(samples)} pages, {count} times each, in {time.monotonic() - began:.0f} s")
    return samples


def explain(client: Client, url: str, *, limit: int = 3) -> list[str]:
    """The page's slowest queries, for whoever wants to mend it."""
    reset_queries()
    with CaptureQueriesContext(connection) as captured:
        client.get(url)
    slowest = sorted(captured.captured_queries, key=lambda query: -float(query["time"]))[:limit]
    return [f"{query['time']} s  {query['sql'][:1_500]}" for query in slowest]


def sum_up(samples: Samples) -> dict[str, tuple[float, float]]:
    """p50 and p95 of each page."""
    return {name: (percentile(times, 0.5), percentile(times, 0.95)) for name, times in samples.items()}


def _time(client: Client, url: str) -> float:
    began = time.perf_counter()
    response: Any = client.get(url)
    if response.streaming:
        list(response.streaming_content)
    return (time.perf_counter() - began) * 1_000
