"""A fault in the program leaves no words behind: not in our line, and not in what the runtime logs of the error."""

from __future__ import annotations

import io
import json
import logging
import traceback
from collections.abc import Iterator

import pytest

from connectgenai.wire.flow import Reply
from connectgenai.wire.log import logger
from connectgenai.wire.metrics import EmbeddedFormatter
from lambdas.desk import CrashError, reply_to


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """What a Lambda writes."""
    stream, level = io.StringIO(), logger.level
    handler = logging.StreamHandler(stream)
    handler.setFormatter(EmbeddedFormatter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(level)


def stumble() -> Reply:
    raise ValueError("the quokka said 5550187264")


def test_a_reply_is_passed_on(out: io.StringIO) -> None:
    assert reply_to(lambda: Reply("202"))["statusCode"] == "202"
    assert out.getvalue() == ""


def test_a_crash_is_counted_and_told_by_its_kind_and_place(out: io.StringIO) -> None:
    with pytest.raises(CrashError, match=r"^ValueError$"):
        reply_to(stumble)
    line = json.loads(out.getvalue())
    assert (line["event"], line["level"], line["error"], line["errors_total"]) == ("crashed", "ERROR", "ValueError", 1)
    assert line["frames"][-1].endswith(" stumble")
    assert "quokka" not in out.getvalue()


def test_what_the_runtime_logs_of_a_crash_holds_no_words(out: io.StringIO) -> None:
    try:
        reply_to(stumble)
    except CrashError as error:
        said = "".join(traceback.format_exception(error))
    assert "CrashError: ValueError" in said
    assert "quokka" not in said
    assert "5550187264" not in said
