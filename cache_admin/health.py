"""/healthz: the process lives. /readyz: the database, DynamoDB and SQS serve it, and how quickly."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from cache_admin import gateways
from connectgenai.wire.store import StoreError

Respond = Callable[[HttpRequest], HttpResponse]


def answer_probes(get_response: Respond) -> Respond:
    """A middleware before all others: load balancers ask by IP address, over plain HTTP, and that is no allowed host."""

    def respond(request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info)
        return probe() if probe else get_response(request)

    return respond


def report_life() -> JsonResponse:
    """200 as long as the process answers; a broken database is no reason to restart it."""
    return JsonResponse({"status": "ok"})


def report_readiness() -> JsonResponse:
    """200 when every part serves, else 503; each part with the seconds it took. Errors are named, not shown."""
    parts = {name: _time(check) for name, check in CHECKS.items()}
    is_ready = all(part["ok"] for part in parts.values())
    return JsonResponse({"status": "ok" if is_ready else "unavailable", **parts}, status=200 if is_ready else 503)


def _time(check: Callable[[], object]) -> dict[str, Any]:
    began = time.monotonic()
    try:
        check()
        found: dict[str, Any] = {"ok": True}
    except (DatabaseError, StoreError, ClientError, BotoCoreError) as error:
        found = {"ok": False, "error": type(error).__name__}
    return {**found, "seconds": round(time.monotonic() - began, 3)}


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


CHECKS: dict[str, Callable[[], object]] = {
    "database": _ask_database,
    "dynamodb": lambda: gateways.answer_store().read_topic("readyz"),
    "sqs": lambda: gateways.count_queued("CONNECTGENAI_LIVE_QUEUE_URL"),
}
PROBES: dict[str, Callable[[], JsonResponse]] = {"/healthz": report_life, "/readyz": report_readiness}
