"""Plays awslambdaric's native module `runtime_client` where AWS does not build it (macOS); never imported by the product."""

from __future__ import annotations

import http.client
import os

_API = "/2018-06-01/runtime/invocation"
_HEADERS = ("Aws-Request-Id", "Trace-Id", "Invoked-Function-Arn", "Deadline-Ms", "Client-Context", "Cognito-Identity")
_agent = {"User-Agent": "aws-lambda-python"}
_connection = http.client.HTTPConnection(os.environ.get("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"))


def initialize_client(user_agent: str) -> None:
    """Says who calls."""
    _agent["User-Agent"] = user_agent


def next() -> tuple[bytes, dict[str, str | int | None]]:  # noqa: A001 - the native module's name
    """Waits for the next event; RuntimeError when there is none to come."""
    reply, body = _call("GET", "/next", b"", {}, expected=200, failure="Failed to get next")
    names = {f"Lambda-Runtime-{name}": reply.getheader(f"Lambda-Runtime-{name}") for name in _HEADERS}
    return body, {
        **names,
        "Lambda-Runtime-Deadline-Ms": int(names["Lambda-Runtime-Deadline-Ms"] or 0),
        "Content-Type": reply.getheader("Content-Type"),
    }


def post_invocation_result(request_id: str, body: bytes, content_type: str, _invocation_id: str | None = None) -> None:
    """Sends the function's result; RuntimeError when it is not accepted."""
    headers = {"Content-Type": content_type}
    _call("POST", f"/{request_id}/response", body, headers, expected=202, failure="Failed to post invocation response")


def post_error(request_id: str, body: str, xray_fault: str, _invocation_id: str | None = None) -> None:
    """Sends the function's error; RuntimeError when it is not accepted."""
    headers = {"Content-Type": "application/json", "Lambda-Runtime-Function-XRay-Error-Cause": xray_fault}
    _call(
        "POST", f"/{request_id}/error", body.encode(), headers, expected=202, failure="Failed to post invocation error"
    )


def _call(
    method: str, path: str, body: bytes, headers: dict[str, str], *, expected: int, failure: str
) -> tuple[http.client.HTTPResponse, bytes]:
    try:
        _connection.request(method, _API + path, body, {**_agent, **headers})
        reply = _connection.getresponse()
        content = reply.read()
    except (OSError, http.client.HTTPException) as error:
        raise RuntimeError(failure) from error
    if reply.status != expected:
        raise RuntimeError(failure)
    return reply, content
