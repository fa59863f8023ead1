"""Is the site alive, and can it work?"""

from __future__ import annotations

import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse

from cache_admin import gateways
from connectgenai.wire.config import aws_client
from connectgenai.wire.request import PREWARM_QUEUE
from connectgenai.wire.store import StoreError


def healthz(_: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(_: HttpRequest) -> JsonResponse:
    """Each thing the site works with, and how many milliseconds it took; status 503 when one of them fails."""
    parts = {"database": _ask_database, "dynamodb": _ask_dynamodb, "sqs": _ask_sqs}
    found = {name: _time(ask) for name, ask in parts.items()}
    is_ready = all("error" not in part for part in found.values())
    return JsonResponse({"status": "ok" if is_ready else "not ready", **found}, status=200 if is_ready else 503)


def _time(ask: Callable[[], object]) -> dict[str, float | str]:
    began = time.monotonic()
    try:
        ask()
    except (DatabaseError, StoreError, ClientError, BotoCoreError) as error:
        return {"error": type(error).__name__}
    return {"ms": round((time.monotonic() - began) * 1000, 1)}


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_dynamodb() -> None:
    gateways.answer_store().read_topic("readyz")


def _ask_sqs() -> None:
    aws_client("sqs").get_queue_attributes(QueueUrl=settings.QUEUE_URLS[PREWARM_QUEUE], AttributeNames=["QueueArn"])
