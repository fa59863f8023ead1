"""One JSON line for one event: ids and names, never a caller's number or words."""

from __future__ import annotations

import json
import logging

logger = logging.getLogger("connectgenai")


def log_event(name: str, **fields: str | int | float) -> None:
    """Logs one event at INFO; empty fields are left out."""
    if logger.isEnabledFor(logging.INFO):
        logger.info(json.dumps({"event": name, **{k: v for k, v in fields.items() if v != ""}}))
