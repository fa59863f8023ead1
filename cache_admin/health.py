"""/healthz: the process lives. /readyz: the database, in the shape that the code wants, DynamoDB and SQS serve it, and how quickly."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from cache_admin import gateways
from connectgenai.wire.store import StoreError

Respond = Callable[[HttpRequest], HttpResponse]


class NotMigratedError(Exception):
    """`manage.py migrate` has not been run since the code was changed."""


def answer_probes(get_response: Respond) -> Respond:
    """A middleware before all others: load balancers ask by IP address, over plain HTTP, and that is no allowed host."""

    def respond(request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info)
        if probe is None:
            return get_response(request)
        response = probe()
        response["Cache-Control"] = "no-store"
        return response

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
    except (DatabaseError, StoreError, ClientError, BotoCoreError, NotMigratedError) as error:
        found = {"ok": False, "error": type(error).__name__}
    return {**found, "seconds": round(time.monotonic() - began, 3)}


@cache  # of success only: nobody takes a migration back beneath a running site
def check_migrations() -> None:
    """NotMigratedError unless the database has the shape that the code wants."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigratedError


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


CHECKS: dict[str, Callable[[], object]] = {
    "database": _ask_database,
    "migrations": check_migrations,
    "dynamodb": lambda: gateways.answer_store().read_topic("readyz"),
    "sqs": lambda: gateways.count_queued("CONNECTGENAI_LIVE_QUEUE_URL"),
}
PROBES: dict[str, Callable[[], JsonResponse]] = {"/healthz": report_life, "/readyz": report_readiness}
