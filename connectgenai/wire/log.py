"""One JSON line for one event: ids, names and numbers of our own, never a caller's number or words.

Nothing is trusted to be an id because it lies where an id should: what does not look like one is hidden, and so are the
texts of errors, which quote what they choke on.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

Field = str | int | float

HIDDEN = "(hidden)"
MOST_FRAMES = 12
# Those whose own sentences are known to quote nobody; others are heard only where template and arguments can be told apart.
_SPEAKERS = frozenset({"beat", "cache_admin", "celery", "connectgenai", "django", "flows", "gunicorn", "jobs", "kombu"})
_ID = re.compile(r"[\w.:/#@=,*\[\]-]{1,256}", re.ASCII)
_NUMBER = re.compile(
    r"(?!(?:\d{1,3}\.){3}\d{1,3}$)[\d.:/,-]{7,}", re.ASCII
)  # of a telephone or an account, but no IP address
_WARNING = re.compile(r"(?:\S*/)?([\w.-]+:\d+: \w+): ", re.ASCII)  # Python's own, as warnings.formatwarning writes it
_SHOWN_ERROR = re.compile(r"(\w+(?:Error|Exception|Reject|Lost))\(", re.ASCII)  # as Celery shows what a task raised

logger = logging.getLogger("connectgenai")


@dataclass(frozen=True, slots=True)
class Event:
    """What has happened, and to whom; as text it is one line of JSON."""

    name: str
    fields: Mapping[str, Field]

    def __str__(self) -> str:
        return json.dumps({"event": self.name, **self.fields})


def log_event(name: str, **fields: Field) -> None:
    """Logs one event; empty fields are left out, and texts that are no ids are hidden."""
    _log(logging.INFO, name, fields)


def log_problem(name: str, **fields: Field) -> None:
    """The same for an event that somebody should look into."""
    _log(logging.ERROR, name, fields)


def _log(level: int, name: str, fields: Mapping[str, Field]) -> None:
    if logger.isEnabledFor(level):
        known = {k: _clean(v) if isinstance(v, str) else v for k, v in fields.items() if v != ""}
        logger.log(level, Event(name, known))


def _clean(text: str) -> str:
    return text if _ID.fullmatch(text) and not _NUMBER.fullmatch(text) else HIDDEN


class JsonFormatter(logging.Formatter):
    """Any record as one line of JSON, whoever logged it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        try:
            return json.dumps(self.describe(record))
        except Exception as error:  # noqa: BLE001 - or logging itself would print the record, words and all
            line = {"event": "log", "level": record.levelname, "logger": record.name, "message": HIDDEN}
            return json.dumps({**line, "error": type(error).__name__})

    def describe(self, record: logging.LogRecord) -> dict[str, Any]:
        """What the line says."""
        return describe_record(record)


def describe_record(record: logging.LogRecord) -> dict[str, Any]:
    """What a record's line says."""
    time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    event = record.msg
    if isinstance(event, Event):
        line = {"event": event.name, "level": record.levelname, "time": time, **event.fields}
    else:
        said = {"logger": record.name, "message": _fill_in(record)}
        line = {"event": "log", "level": record.levelname, "time": time, **said}
    if isinstance(status := getattr(record, "status_code", None), int):  # Django's, of a request that failed
        line["status"] = status
    return {**line, **describe_error(record.exc_info[1])} if record.exc_info else line


def _fill_in(record: logging.LogRecord) -> str:
    """The message with those of its arguments that are ids or numbers."""
    if record.name == "py.warnings":
        warning = _WARNING.match(record.getMessage())
        return warning[1] if warning else HIDDEN
    if not isinstance(record.msg, str):
        return str(_clean_argument(record.msg))
    if not record.args:
        return record.msg if record.name.partition(".")[0] in _SPEAKERS else HIDDEN
    try:
        return str(record.msg % _clean_arguments(record.args))
    except (TypeError, ValueError, KeyError):  # as %d of what is hidden
        return record.msg


def _clean_arguments(arguments: Any) -> Any:
    if isinstance(arguments, Mapping):
        return {name: _clean_argument(value) for name, value in arguments.items()}
    return tuple(map(_clean_argument, arguments)) if isinstance(arguments, tuple) else arguments


def _clean_argument(value: object) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, BaseException):
        return type(value).__name__
    if not isinstance(value, str):
        return HIDDEN
    shown_error = _SHOWN_ERROR.match(value)
    return shown_error[1] if shown_error else _clean(value.partition("?")[0])  # a search's words stand after the ?


def describe_error(error: BaseException | None) -> dict[str, Any]:
    """An error's kind, where it happened, and what led to it; never its text, nor any value."""
    if error is None:
        return {}
    causes = [type(cause).__name__ for cause in _find_causes(error)]
    line: dict[str, Any] = {"error": type(error).__name__, "frames": _describe_frames(error.__traceback__)}
    return {**line, "caused_by": causes} if causes else line


def _find_causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__ or error.__context__
    for _ in range(5):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__


def _describe_frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-MOST_FRAMES:]
    return [f"{'/'.join(frame.filename.rsplit('/', 3)[1:])}:{frame.lineno} {frame.name}" for frame in frames]


def log_to_stdout(formatter: logging.Formatter) -> None:
    """For a process that has nothing else to set up logging with: all goes to stdout, from INFO on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.getLogger("botocore").setLevel(logging.WARNING)
