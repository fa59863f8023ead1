"""Lines hold ids and numbers of our own; words, telephone numbers and errors' texts are hidden, whoever logs them."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from connectgenai.wire.log import HIDDEN, JsonFormatter, describe_error, log_event, log_problem
from connectgenai.wire.metrics import EmbeddedFormatter

CANARY = "the quokka said so"


@pytest.fixture(params=[JsonFormatter, EmbeddedFormatter])
def out(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What all loggers write, through each of our formatters."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(request.param())
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def make_record(name: str, message: Any, *arguments: Any) -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "x.py", 1, message, arguments, None)


def say(name: str, message: Any, *arguments: Any) -> dict[str, Any]:
    """The line that a library's record becomes."""
    text = JsonFormatter().format(make_record(name, message, *arguments))
    assert "quokka" not in text
    line: dict[str, Any] = json.loads(text)
    return line


def read(out: io.StringIO) -> dict[str, Any]:
    (line,) = out.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_an_event_is_one_line_with_its_time_and_level(out: io.StringIO) -> None:
    log_event("tested", key="faq.0a1b", epoch=3, reason="")
    line = read(out)
    assert line.pop("time").endswith("+00:00")
    assert line == {"event": "tested", "level": "INFO", "key": "faq.0a1b", "epoch": 3}


def test_a_problem_is_an_error(out: io.StringIO) -> None:
    log_problem("tested")
    assert read(out)["level"] == "ERROR"


@pytest.mark.parametrize(
    "value",
    ["faq.63d334395c216e978464c670fdfc5f40", "46949371-e817-4ea9-8686-954483699c7a", "C#c1#faq.0a", "us.anthropic.x-v1:0",
     "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.x", "127.0.0.1", "202", "2027"],
)  # fmt: skip
def test_what_looks_like_an_id_is_shown(out: io.StringIO, value: str) -> None:
    log_event("tested", field=value)
    assert read(out)["field"] == value


@pytest.mark.parametrize(
    "value",
    [
        "two words",
        "+15550187264",
        "15550187264",
        "555-018-7264",
        "555.018.7264",
        "8842901",
        "wörter",
        "a\nb",
        "x" * 257,
    ],
)
def test_what_does_not_is_hidden(out: io.StringIO, value: str) -> None:
    log_event("tested", field=value)
    assert read(out)["field"] == HIDDEN


@pytest.mark.parametrize(
    ("message", "arguments", "said"),
    [
        ("Task %s took %d s", ("jobs.x", 3), "Task jobs.x took 3 s"),
        ("got %s", (CANARY,), f"got {HIDDEN}"),
        ("got %r and %s", (ValueError(CANARY), [CANARY]), f"got 'ValueError' and {HIDDEN}"),
        ("Error at %s", ("/page?q=quokka",), "Error at /page"),
        ("raised: %(exc)s", ({"exc": f"HandBackError('{CANARY}')"},), "raised: HandBackError"),
        ("is %d", (CANARY,), "is %d"),
        ("%s %s", (CANARY,), "%s %s"),
        (ValueError(CANARY), (), "ValueError"),
    ],
)
def test_of_librarys_lines_the_template_is_shown_and_no_word_of_the_arguments(
    message: Any, arguments: tuple[Any, ...], said: str
) -> None:
    assert say("celery.tests", message, *arguments)["message"] == said


def test_a_sentence_without_arguments_is_believed_of_those_only_that_quote_nobody() -> None:
    assert say("pypdf.reader", CANARY)["message"] == HIDDEN
    assert say("kombu.transport", "Connection lost")["message"] == "Connection lost"


def test_an_error_is_told_by_its_kind_its_cause_and_its_place(out: io.StringIO) -> None:
    try:
        try:
            int(CANARY)
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        logging.getLogger("django.request").exception("failed")
    line = read(out)
    assert (line["error"], line["caused_by"]) == ("RuntimeError", ["ValueError"])
    assert line["frames"][0].split(":")[0] == "tests/wire/test_log.py"
    assert "quokka" not in out.getvalue()


def test_a_warning_is_told_by_its_kind_and_place() -> None:
    text = warnings.formatwarning(CANARY, UserWarning, "/app/jobs/tasks.py", 12, line=CANARY)
    assert say("py.warnings", text)["message"] == "tasks.py:12: UserWarning"
    assert say("py.warnings", CANARY)["message"] == HIDDEN


def test_what_cannot_be_described_is_hidden_and_not_printed_by_logging_itself() -> None:
    class Stubborn(str):
        """A text that cannot be filled in."""

        def __mod__(self, _: Any) -> str:
            raise RuntimeError(CANARY)

    line = say("celery.tests", Stubborn("x %s"), CANARY)
    assert (line["message"], line["error"]) == (HIDDEN, "RuntimeError")


def test_a_chain_of_causes_without_end_is_cut() -> None:
    first, second = ValueError(), KeyError()
    first.__context__, second.__context__ = second, first
    assert len(describe_error(first)["caused_by"]) == 5


def test_without_our_formatter_the_canary_would_be_seen() -> None:
    record = make_record("celery", "got %s", CANARY)
    assert CANARY in logging.Formatter().format(record)
    assert CANARY not in JsonFormatter().format(record)
