"""How the site and the workers log: one line of JSON each in production, plain lines for a person who debugs."""

from __future__ import annotations

from typing import Any

JSON, PLAIN = "json", "plain"
# At DEBUG, libraries tell what is sent and received: callers' words. So no command line can go below INFO.
_LOWEST = "INFO"


def logging_settings(*, is_plain: bool) -> dict[str, Any]:
    """The settings for logging.config.dictConfig; everything goes to stdout, for whatever collects it."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            JSON: {"()": "connectgenai.wire.log.JsonFormatter"},
            PLAIN: {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": PLAIN if is_plain else JSON,
            },
        },
        "root": {"handlers": ["stdout"], "level": _LOWEST},
        "loggers": {
            # whatever handlers they bring: one line for one thing, and that through the root's
            **{name: {"handlers": [], "level": _LOWEST, "propagate": True} for name in _WITH_OWN_HANDLERS},
            "gunicorn.access": {"level": "WARNING"},  # the balancer in front keeps one, and probes would fill it
            "botocore": {"level": "WARNING"},
            "docx": {"level": "CRITICAL"},
            "pypdf": {"level": "CRITICAL"},  # quotes what it cannot read
        },
    }


_WITH_OWN_HANDLERS = ("celery", "django", "django.server", "gunicorn.error")
