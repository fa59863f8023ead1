"""The Consumer: a flow polls for what to play next. Everything it decides is decided in connectgenai.wire.answering."""

from __future__ import annotations

import time
from typing import Any

from lambdas.desk import open_desk, reply_to

# What is left of the invocation when a hold must end: to record the call and to reply.
RESERVE_MS = 800

desk = open_desk()


def handler(event: object, context: Any) -> dict[str, str]:
    """Amazon Connect's "Invoke AWS Lambda function" event in, a flat map of strings out."""
    deadline_ms = time.time_ns() // 1_000_000 + context.get_remaining_time_in_millis() - RESERVE_MS
    return reply_to(lambda: desk.poll(event, deadline_ms=deadline_ms))
