"""What lies on a queue -> what Celery may run: our one task for plain JSON, an allowed one for Celery's own envelopes, nothing else.

Stock kombu 5.7 dies of a third of malformed bodies, and whoever may send could call any registered task with any arguments.
So the message that Celery sees is made here; of the sender's, only values that were checked one by one are in it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectgenai.wire.request import GENERATE_TASK, GenerationRequest, RequestError

MAX_CHARACTERS = 65_536  # a request has 2,000 at most
MAX_DEPTH = 20  # kombu decodes the body again, deeper in the stack: what merely passes our decoder may overflow there
MAX_ID_CHARACTERS = 155  # the task history's column
_CANVAS = ("callbacks", "errbacks", "chain", "chord")


class PoisonError(ValueError):
    """Not a message for us; `reason` is a stable word that tells why, without the message's words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Rules:
    """What a queue's messages may ask for.

    `allowed_tasks` are those that Celery's own envelopes may name; `silent_queues` those whose tasks leave no result.
    A task may be put off by `longest_delay_seconds`, since its message is held for so long.
    """

    allowed_tasks: Collection[str]
    silent_queues: Collection[str]
    longest_delay_seconds: float


def read_message(body: str, *, message_id: str, queue: str, rules: Rules, now_seconds: float) -> dict[str, Any]:
    """kombu's form of a Celery message (protocol 2) for an SQS message's body; PoisonError when it is none.

    The routing is never the sender's: acknowledgements go to the queue that the message came from.
    """
    plain = _decode(body)
    if "headers" in plain or "properties" in plain:
        headers, kwargs = _read_envelope(plain, rules, now_seconds=now_seconds)
    else:
        headers, kwargs = {"task": GENERATE_TASK, "id": message_id}, {"request": plain}
    if "request" in kwargs:
        _check_request(kwargs["request"])
    return _make_message(headers, kwargs, queue=queue, is_silent=queue in rules.silent_queues)


def _decode(body: str) -> dict[str, Any]:
    text = body.strip()
    if not text.startswith("{"):  # Celery's own producer encodes its envelopes
        text = _decode_base64(text, reason="not_json")
    plain = _load(text)
    if not isinstance(plain, dict):
        raise PoisonError("not_an_object")
    return plain


def _decode_base64(text: str, *, reason: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        raise PoisonError(reason) from None


def _load(text: str) -> Any:
    """Plain JSON: kombu's own loader would turn {"__type__": ...} into objects, or fail at it."""
    if len(text) > MAX_CHARACTERS:
        raise PoisonError("too_long")
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # no NaN, no halves of characters
    except RecursionError:
        raise PoisonError("too_deep") from None
    except ValueError:  # an integer of 5,000 digits is one too
        raise PoisonError("not_json") from None
    _check_nesting(value)
    return value


def _check_nesting(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
    if level:
        raise PoisonError("too_deep")


def _children(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        if "__type__" in item:
            raise PoisonError("typed_json")
        return item.values()
    return item if isinstance(item, list) else ()


def _check_request(request: Any) -> None:
    if not isinstance(request, dict):
        raise PoisonError("bad_arguments")
    try:
        GenerationRequest.from_dict(request)
    except RequestError:
        raise PoisonError("not_a_request") from None


def _read_envelope(plain: dict[str, Any], rules: Rules, *, now_seconds: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """The headers worth keeping and the task's arguments."""
    headers, properties, body = plain.get("headers"), plain.get("properties"), plain.get("body")
    if not (isinstance(headers, dict) and isinstance(properties, dict) and isinstance(body, str)):
        raise PoisonError("bad_envelope")
    _need(plain.get("content-type") == "application/json" and "compression" not in headers, "bad_envelope")
    _need(_is_id(headers.get("task")) and _is_id(headers.get("id")), "bad_envelope")
    _need(headers["task"] in rules.allowed_tasks, "task_not_allowed")
    _need(headers.get("group") is None, "canvas_not_allowed")
    kwargs = _read_arguments(body, properties.get("body_encoding"), task=headers["task"])
    return _keep_headers(headers, latest_seconds=now_seconds + rules.longest_delay_seconds), kwargs


def _keep_headers(headers: Mapping[str, Any], *, latest_seconds: float) -> dict[str, Any]:
    retries, ignore_result = headers.get("retries", 0), headers.get("ignore_result")
    _need(type(retries) is int and 0 <= retries < 1_000, "bad_envelope")
    _need(ignore_result is None or isinstance(ignore_result, bool), "bad_envelope")
    eta, expires = _read_moment(headers.get("eta")), _read_moment(headers.get("expires"))
    if eta is not None and eta.timestamp() > latest_seconds:
        raise PoisonError("too_late")
    kept: dict[str, Any] = {"task": headers["task"], "id": headers["id"], "retries": retries}
    kept["eta"] = eta and eta.isoformat()
    kept["expires"] = expires and expires.isoformat()
    return kept if ignore_result is None else {**kept, "ignore_result": ignore_result}


def _read_moment(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)  # type: ignore[arg-type]  # a TypeError is one of the answers
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise PoisonError("bad_envelope") from None


def _read_arguments(body: str, encoding: object, *, task: str) -> dict[str, Any]:
    """The task's keyword arguments: a request for our one task, none for the others."""
    _need(encoding in (None, "utf-8", "base64"), "bad_envelope")
    parts = _load(_decode_base64(body, reason="bad_envelope") if encoding == "base64" else body)
    if not (isinstance(parts, list) and len(parts) == 3):
        raise PoisonError("bad_envelope")
    args, kwargs, embed = parts
    _need(embed is None or isinstance(embed, dict), "bad_envelope")
    _need(not any((embed or {}).get(name) for name in _CANVAS), "canvas_not_allowed")
    expected = {"request"} if task == GENERATE_TASK else set()
    if not (args == [] and isinstance(kwargs, dict) and set(kwargs) == expected):
        raise PoisonError("bad_arguments")
    return kwargs


def _make_message(
    headers: Mapping[str, Any], kwargs: Mapping[str, Any], *, queue: str, is_silent: bool
) -> dict[str, Any]:
    task_id = headers["id"]
    made = {"lang": "json", "root_id": task_id, "parent_id": None, "group": None, "timelimit": [None, None]}
    # Constants, because these two go into logs and the task history: a request may hold a question's words.
    shown = {"argsrepr": "()", "kwargsrepr": "{...}", "ignore_result": is_silent}
    return {
        "headers": {**made, **shown, "retries": 0, "eta": None, "expires": None, **headers},
        "body": json.dumps([[], kwargs, {}]),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "properties": {"correlation_id": task_id, "delivery_info": {"exchange": "", "routing_key": queue}},
    }


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARACTERS and value.isprintable()


def _need(is_so: bool, reason: str) -> None:
    if not is_so:
        raise PoisonError(reason)
