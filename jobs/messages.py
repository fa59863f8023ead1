"""What lies on a queue -> what Celery may run: our one task for plain JSON, an allowed one for Celery's own envelopes, nothing else.

Stock kombu 5.7 dies of a third of malformed bodies, and whoever may send could call any registered task with any arguments.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from typing import Any

from connectgenai.wire.request import GENERATE_TASK, GenerationRequest, RequestError

MAX_CHARACTERS = 262_144
_TEXT_HEADERS = (
    "eta",
    "expires",
    "group",
    "root_id",
    "parent_id",
    "shadow",
    "origin",
    "argsrepr",
    "kwargsrepr",
    "lang",
)
_CANVAS = ("callbacks", "errbacks", "chain", "chord")
_JSON = {"content-type": "application/json", "content-encoding": "utf-8"}


class PoisonError(ValueError):
    """Not a message for us; `reason` is a stable word that tells why, without the message's words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_message(
    message: Mapping[str, Any], *, queue: str, allowed_tasks: Collection[str], silent_queues: Collection[str]
) -> dict[str, Any]:
    """A Celery message (protocol 2) for an SQS message; PoisonError when it is none.

    `silent_queues` are those whose tasks leave no result. The routing is never the sender's: acknowledgements go to the
    queue that the message came from.
    """
    plain = _decode(message["Body"])
    if "headers" in plain or "properties" in plain:
        payload = _read_envelope(plain, allowed_tasks)
    else:
        payload = _read_request(plain, message["MessageId"], is_silent=queue in silent_queues)
    payload["properties"]["delivery_info"] = {"exchange": "", "routing_key": queue}
    return payload


def _decode(body: str) -> dict[str, Any]:
    text = body.strip()
    if not text.startswith("{"):  # Celery's own producer encodes its envelopes
        try:
            text = base64.b64decode(text, validate=True).decode()
        except ValueError:
            raise PoisonError("not_json") from None
    plain = _load(text)
    if not isinstance(plain, dict):
        raise PoisonError("not_an_object")
    return plain


def _load(text: str) -> Any:
    """Plain JSON: kombu's own loader would turn {"__type__": ...} into objects."""
    if len(text) > MAX_CHARACTERS:
        raise PoisonError("too_long")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # an integer of 5,000 digits is a ValueError too
        raise PoisonError("not_json") from None


def _read_request(plain: dict[str, Any], message_id: str, *, is_silent: bool) -> dict[str, Any]:
    try:
        GenerationRequest.from_dict(plain)
    except RequestError:
        raise PoisonError("not_a_request") from None
    headers = {
        "lang": "json",
        "task": GENERATE_TASK,
        "id": message_id,
        "root_id": message_id,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "eta": None,
        "expires": None,
        "timelimit": [None, None],
        "argsrepr": "()",
        "kwargsrepr": "{...}",  # a bare request holds a question's words, which no log may show
        "ignore_result": is_silent,
    }
    body = json.dumps([[], {"request": plain}, {}])
    return {"headers": headers, "body": body, "properties": {"correlation_id": message_id}, **_JSON}


def _read_envelope(plain: dict[str, Any], allowed_tasks: Collection[str]) -> dict[str, Any]:
    headers, properties, body = plain.get("headers"), plain.get("properties"), plain.get("body")
    _need(isinstance(headers, dict) and isinstance(properties, dict) and isinstance(body, str), "bad_envelope")
    assert isinstance(headers, dict)
    assert isinstance(properties, dict)
    _need(plain.get("content-type") == "application/json" and "compression" not in headers, "bad_envelope")
    _need(_is_name(headers.get("task")) and _is_name(headers.get("id")), "bad_envelope")
    _need(headers["task"] in allowed_tasks, "task_not_allowed")
    _need(all(headers.get(name) is None or isinstance(headers[name], str) for name in _TEXT_HEADERS), "bad_envelope")
    _need(type(headers.get("retries", 0)) is int and _is_time_limit(headers.get("timelimit")), "bad_envelope")
    body = _decode_body(str(body), properties.get("body_encoding"))
    correlation_id = properties.get("correlation_id")
    kept = {"correlation_id": correlation_id if isinstance(correlation_id, str) else headers["id"]}
    return {"headers": {**headers, "timelimit": [None, None]}, "body": body, "properties": kept, **_JSON}


def _decode_body(body: str, encoding: object) -> str:
    _need(encoding in (None, "utf-8", "base64"), "bad_envelope")
    if encoding == "base64":
        try:
            body = base64.b64decode(body, validate=True).decode()
        except ValueError:
            raise PoisonError("bad_envelope") from None
    parts = _load(body)
    _need(isinstance(parts, list) and len(parts) == 3, "bad_envelope")
    args, kwargs, embed = parts
    _need(args == [] and kwargs == {} and (embed is None or isinstance(embed, dict)), "bad_arguments")
    _need(not any((embed or {}).get(name) for name in _CANVAS), "canvas_not_allowed")
    return body


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 155 and value.isprintable()


def _is_time_limit(value: object) -> bool:
    return value is None or (
        isinstance(value, list) and len(value) == 2 and all(v is None or isinstance(v, int | float) for v in value)
    )


def _need(is_so: bool, reason: str) -> None:
    if not is_so:
        raise PoisonError(reason)
