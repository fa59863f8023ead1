"""What must never reach a task: bodies that a queue may hold, each with the reason it is buried for."""

from __future__ import annotations

import base64
import json
import pickle
from typing import Any

from connectgenai.wire.request import GENERATE_TASK, MIRROR_TASK

CANARY = "xyzzy-canary"  # must not be found in any log
REQUEST: dict[str, Any] = {"v": 1, "topic": "faq", "question": CANARY}
HEADERS: dict[str, Any] = {"task": MIRROR_TASK, "id": "id-of-the-sender", "retries": 0, "canary": CANARY}


def _b64(data: str | bytes) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def _request(**changes: Any) -> str:
    return json.dumps({**REQUEST, **changes})


def envelope(body: Any = "[[], {}, {}]", *, properties: Any = None, headers: Any = None, **changes: Any) -> str:
    """A Celery envelope that is good, but for what is changed."""
    whole = {"body": body, "content-type": "application/json", "content-encoding": "utf-8"}
    return json.dumps({**whole, "headers": headers or HEADERS, "properties": properties or {"x": CANARY}, **changes})


def _headers(**changes: Any) -> str:
    return envelope(headers={**HEADERS, **changes})


def _arguments(*parts: Any, task: str = GENERATE_TASK) -> str:
    return envelope(json.dumps(parts), headers={**HEADERS, "task": task})


def _without(name: str, plain: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plain.items() if key != name}


class _Exploit:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("open('exploited', 'w')",)


_PLAIN = {
    "blank": (" \n", "not_json"),
    "text": (CANARY, "not_json"),
    "text that is base64 by chance": ("canary00", "not_json"),
    "null": ("null", "not_json"),
    "number": ("123", "not_json"),
    "string": (json.dumps(CANARY), "not_json"),
    "array": ("[1, 2, 3]", "not_json"),
    "truncated": ('{"v": 1, "question": "' + CANARY, "not_json"),
    "python": ("{'v': 1, 'question': '" + CANARY + "'}", "not_json"),
    "trailing comma": ('{"question": "' + CANARY + '",}', "not_json"),
    "byte order mark": ("\ufeff" + _request(), "not_json"),
    "two objects": (_request() + _request(), "not_json"),
    "yaml": ("question: !!python/object/apply:os.system [" + CANARY + "]", "not_json"),
    "xml": (f"<question>{CANARY}</question>", "not_json"),
    "NaN": ('{"v": 1, "topic": "t", "question": "q", "deadline": NaN}', "not_json"),
    "infinite": ('{"v": 1, "topic": "t", "question": "q", "x": 1e999}', "not_json"),
    "half a character": ('{"v": 1, "topic": "t", "question": "\\ud800"}', "not_json"),
    "integer of 5,000 digits": ('{"v": 1, "topic": "t", "question": "q", "x": ' + "9" * 5_000 + "}", "not_json"),
    "integer of 4,000 digits": (_request(deadline=10**4_000), "not_a_request"),
    "base64 of noise": (_b64(bytes(range(256))), "not_json"),
    "base64 of text": (_b64(CANARY), "not_json"),
    "base64 of an array": (_b64(json.dumps([CANARY])), "not_an_object"),
    "base64 of null": (_b64("null"), "not_an_object"),
    "base64 of a number": (_b64("17"), "not_an_object"),
    "base64 of a string": (_b64(json.dumps(CANARY)), "not_an_object"),
    "base64 of a bare call": (_b64(json.dumps([[], {}, {}])), "not_an_object"),
    "base64 of a pickle": (_b64(pickle.dumps(_Exploit())), "not_json"),
    "base64 twice": (_b64(_b64(_request())), "not_json"),
    "base64 with bad padding": (_b64(_request())[:-3], "not_json"),
    "deep array": ("[" * 5_000, "not_json"),
    "deep array, base64": (_b64("[" * 5_000), "too_deep"),
    "deep array, closed": (_b64("[" * 900 + "]" * 900), "too_deep"),
    "deep object": ('{"a":' * 5_000, "too_deep"),
    "deep object, closed": ('{"a":' * 5_000 + "1" + "}" * 5_000, "too_deep"),
    "request with a deep extra": (_request(x=json.loads("[" * 400 + "]" * 400)), "too_deep"),
    "too long": ("x" * 70_000, "not_json"),
    "too long, of base64 letters": ("QUJD" * 25_000, "too_long"),
    "request, too long": (_request(x="x" * 70_000), "too_long"),
    "request, far too long": (_request(x="x" * 250_000), "too_long"),
    "typed value": (_request(x={"__type__": "datetime", "__value__": CANARY}), "typed_json"),
    "typed value of an unknown type": (_request(x=[{"__type__": CANARY, "__value__": 1}]), "typed_json"),
    "typed object": (json.dumps({"__type__": "bytes", "__value__": 5}), "typed_json"),
    "empty object": ("{}", "not_a_request"),
    "other version": (_request(v=2), "not_a_request"),
    "version as text": (_request(v="1"), "not_a_request"),
    "no question": (json.dumps({"v": 1, "topic": CANARY}), "not_a_request"),
    "question as list": (_request(question=[CANARY]), "not_a_request"),
    "question as number": (_request(question=5), "not_a_request"),
    "question as null": (_request(question=None), "not_a_request"),
    "question too long": (_request(question=CANARY * 100), "not_a_request"),
    "key without epoch": (json.dumps({"v": 1, "key": CANARY}), "not_a_request"),
    "key and question": (_request(key="k", epoch=1), "not_a_request"),
    "epoch as text": (json.dumps({"v": 1, "key": CANARY, "epoch": "1"}), "not_a_request"),
    "epoch as bool": (json.dumps({"v": 1, "key": CANARY, "epoch": True}), "not_a_request"),
    "epoch as fraction": (json.dumps({"v": 1, "key": CANARY, "epoch": 1.5}), "not_a_request"),
    "negative epoch": (json.dumps({"v": 1, "key": CANARY, "epoch": -1}), "not_a_request"),
    "EventBridge": (json.dumps({"version": "0", "id": "i", "detail-type": "t", "detail": REQUEST}), "not_a_request"),
    "SNS": (json.dumps({"Type": "Notification", "Message": _request()}), "not_a_request"),
    "S3 event": (
        json.dumps({"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": CANARY}}}]}),
        "not_a_request",
    ),
    "Celery protocol 1": (
        json.dumps({"task": "jobs.forbidden", "id": "i", "args": [CANARY], "kwargs": {}}),
        "not_a_request",
    ),
    "Celery protocol 1, base64": (_b64(json.dumps({"task": "jobs.forbidden", "id": "i", "args": []})), "not_a_request"),
}
_SHAPES = {
    "null properties": (json.dumps({"properties": None}), "bad_envelope"),
    "null headers": (json.dumps({"headers": None}), "bad_envelope"),
    "empty headers and properties": (json.dumps({"headers": {}, "properties": {}}), "bad_envelope"),
    "only headers": (json.dumps({"headers": HEADERS}), "bad_envelope"),
    "only properties": (json.dumps({"properties": {"body_encoding": "base64"}}), "bad_envelope"),
    "headers as list": (envelope(headers=[CANARY]), "bad_envelope"),
    "headers as text": (envelope(headers=CANARY), "bad_envelope"),
    "properties as list": (envelope(properties=[CANARY]), "bad_envelope"),
    "properties as text": (envelope(properties=CANARY), "bad_envelope"),
    "body as list": (envelope([[], {}, {}]), "bad_envelope"),
    "body as object": (envelope({"canary": CANARY}), "bad_envelope"),
    "body as null": (envelope(None), "bad_envelope"),
    "body as number": (envelope(7), "bad_envelope"),
    "no body": (json.dumps(_without("body", json.loads(envelope()))), "bad_envelope"),
    "no content type": (json.dumps(_without("content-type", json.loads(envelope()))), "bad_envelope"),
    "pickle": (
        envelope(
            _b64(pickle.dumps(([], {"request": _Exploit()}, {}))),
            properties={"body_encoding": "base64"},
            **{"content-type": "application/x-python-serialize"},
        ),
        "bad_envelope",
    ),
    "pickle called JSON": (
        envelope(_b64(pickle.dumps(_Exploit())), properties={"body_encoding": "base64"}),
        "bad_envelope",
    ),
    "yaml body": (envelope(CANARY, **{"content-type": "application/x-yaml"}), "bad_envelope"),
    "content type as list": (envelope(**{"content-type": ["application/json"]}), "bad_envelope"),
    "compressed": (_headers(compression="application/x-gzip"), "bad_envelope"),
    "unknown encoding": (envelope(properties={"body_encoding": "rot13"}), "bad_envelope"),
    "encoding as list": (envelope(properties={"body_encoding": [CANARY]}), "bad_envelope"),
    "body not base64": (envelope("*" + CANARY, properties={"body_encoding": "base64"}), "bad_envelope"),
    "body of noise": (envelope(_b64(bytes(range(256))), properties={"body_encoding": "base64"}), "bad_envelope"),
}
_HEADERS = {
    "no task": (envelope(headers=_without("task", HEADERS)), "bad_envelope"),
    "task as null": (_headers(task=None), "bad_envelope"),
    "task as list": (_headers(task=[MIRROR_TASK]), "bad_envelope"),
    "task as object": (_headers(task={"name": CANARY}), "bad_envelope"),
    "task unknown": (_headers(task=f"os.system.{CANARY}"), "task_not_allowed"),
    "task forbidden": (_headers(task="jobs.forbidden"), "task_not_allowed"),
    "task forbidden, base64": (_b64(_headers(task="jobs.forbidden")), "task_not_allowed"),
    "Celery's own chain": (_headers(task="celery.chain"), "task_not_allowed"),
    "Celery's own clean-up": (_headers(task="celery.backend_cleanup"), "task_not_allowed"),
    "task allowed but absent": (_headers(task="jobs.absent"), "task_unknown"),
    "no id": (envelope(headers=_without("id", HEADERS)), "bad_envelope"),
    "id as number": (_headers(id=5), "bad_envelope"),
    "empty id": (_headers(id=""), "bad_envelope"),
    "id of two lines": (_headers(id=f"a\n{CANARY}"), "bad_envelope"),
    "id too long": (_headers(id="i" * 156), "bad_envelope"),
    "retries as text": (_headers(retries="0"), "bad_envelope"),
    "retries as bool": (_headers(retries=True), "bad_envelope"),
    "retries negative": (_headers(retries=-1), "bad_envelope"),
    "retries as null": (_headers(retries=None), "bad_envelope"),
    "eta as word": (_headers(eta=CANARY), "bad_envelope"),
    "eta as number": (_headers(eta=1_800_000_000), "bad_envelope"),
    "eta before time": (_headers(eta="0001-01-01T00:00:00+14:00"), "bad_envelope"),
    "eta next century": (_headers(eta="2126-01-01T00:00:00+00:00"), "too_late"),
    "expires as list": (_headers(expires=[CANARY]), "bad_envelope"),
    "expires as word": (_headers(expires=CANARY), "bad_envelope"),
    "result wish as word": (_headers(ignore_result=CANARY), "bad_envelope"),
    "member of a group": (_headers(group="g"), "canvas_not_allowed"),
}
_CALL: dict[str, Any] = {"task": "jobs.forbidden", "args": [CANARY], "kwargs": {}, "options": {}, "subtask_type": None}
_ARGUMENTS = {
    "body of text": (envelope(CANARY), "not_json"),
    "body of two parts": (_arguments([], {}), "bad_envelope"),
    "body of four parts": (_arguments([], {}, {}, {}), "bad_envelope"),
    "body of an object": (envelope(json.dumps({"args": [], "kwargs": {}})), "bad_envelope"),
    "body deep": (envelope("[" * 5_000), "too_deep"),
    "body too long": (envelope(json.dumps([[], {"x": "x" * 40_000}, "x" * 40_000])), "too_long"),
    "args as object": (_arguments({}, {}, {}), "bad_arguments"),
    "args for our task": (_arguments([REQUEST], {}, {}), "bad_arguments"),
    "args as null": (_arguments(None, {}, {}), "bad_arguments"),
    "kwargs as list": (_arguments([], [], {}), "bad_arguments"),
    "kwargs missing": (_arguments([], {}, {}), "bad_arguments"),
    "kwargs too many": (_arguments([], {"request": REQUEST, "self": CANARY}, {}), "bad_arguments"),
    "kwargs for a task without": (_arguments([], {"request": REQUEST}, {}, task=MIRROR_TASK), "bad_arguments"),
    "request as text": (_arguments([], {"request": CANARY}, {}), "bad_arguments"),
    "request that is none": (_arguments([], {"request": {"v": 1, "x": CANARY}}, {}), "not_a_request"),
    "typed request": (
        _arguments([], {"request": {**REQUEST, "x": {"__type__": "date", "__value__": 1}}}, {}),
        "typed_json",
    ),
    "embed as list": (_arguments([], {}, [CANARY]), "bad_envelope"),
    "callback": (_arguments([], {"request": REQUEST}, {"callbacks": [_CALL]}), "canvas_not_allowed"),
    "error callback": (_arguments([], {"request": REQUEST}, {"errbacks": [_CALL]}), "canvas_not_allowed"),
    "chain": (_arguments([], {"request": REQUEST}, {"chain": [_CALL]}), "canvas_not_allowed"),
    "chord": (_arguments([], {"request": REQUEST}, {"chord": _CALL}), "canvas_not_allowed"),
}
# name -> (body, reason)
POISON: dict[str, tuple[str, str]] = {**_PLAIN, **_SHAPES, **_HEADERS, **_ARGUMENTS}
