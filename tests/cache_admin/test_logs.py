"""The settings of logging, as the site and the workers have them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from connectgenai.environment import read_address
from connectgenai.logs import logging_settings

ROOT = Path(__file__).resolve().parents[2]
SPEAK = """
import logging, logging.config
from connectgenai.logs import logging_settings
logging.config.dictConfig(logging_settings(is_plain={is_plain}))
from connectgenai.wire.log import log_event
log_event("tested", key="faq.1")
for name in ("celery.worker", "django.request", "django.server", "gunicorn.error", "kombu", "root"):
    logging.getLogger(name).error("from %s", name)
    logging.getLogger(name).debug("secret %s", name)
for name in ("botocore.parsers", "pypdf", "gunicorn.access"):
    logging.getLogger(name).info("secret")
"""


def speak(*, is_plain: bool) -> list[str]:
    """What a process with these settings says."""
    code = SPEAK.format(is_plain=is_plain)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_everything_is_said_once_and_in_json() -> None:
    lines = [json.loads(line) for line in speak(is_plain=False)]
    assert [line.get("logger", line["event"]) for line in lines] == [
        "tested", "celery.worker", "django.request", "django.server", "gunicorn.error", "kombu", "root",
    ]  # fmt: skip


def test_who_debugs_reads_plain_lines() -> None:
    lines = speak(is_plain=True)
    assert len(lines) == 7
    assert lines[1].endswith(" ERROR celery.worker from celery.worker")


def test_nothing_below_info_is_ever_logged() -> None:
    found = logging_settings(is_plain=False)
    levels = {found["root"]["level"], *(logger["level"] for logger in found["loggers"].values())}
    assert not levels & {"DEBUG", "NOTSET"}


@pytest.mark.parametrize(
    ("value", "address"),
    [("", ""), ("9464", "127.0.0.1:9464"), ("0", "127.0.0.1:0"), (":9464", "127.0.0.1:9464"),
     ("0.0.0.0:9464", "0.0.0.0:9464"), ("[::1]:9464", "[::1]:9464")],
)  # fmt: skip
def test_an_address_is_a_port_of_this_machine_unless_it_says_otherwise(value: str, address: str) -> None:
    assert read_address({"CONNECTGENAI_METRICS_ADDRESS": value}, "CONNECTGENAI_METRICS_ADDRESS") == address


@pytest.mark.parametrize("value", ["metrics", "127.0.0.1:", "127.0.0.1:65536", "-1", "a host:9464", "9464.5"])
def test_what_is_no_address_is_refused_by_name(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="CONNECTGENAI_METRICS_ADDRESS must be HOST:PORT or PORT"):
        read_address({"CONNECTGENAI_METRICS_ADDRESS": value}, "CONNECTGENAI_METRICS_ADDRESS")
