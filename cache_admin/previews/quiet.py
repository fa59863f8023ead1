"""Keeps what a preview does out of the logs, and so out of the metrics that are read off them: nobody has called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from connectgenai.wire.log import logger

_is_quiet: ContextVar[bool] = ContextVar("is_quiet", default=False)
logger.addFilter(lambda _record: not _is_quiet.get())


@contextmanager
def keep_quiet() -> Iterator[None]:
    """On this thread nothing of ours is logged meanwhile."""
    before = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(before)
