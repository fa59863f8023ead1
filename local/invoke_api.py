"""Lambda's Invoke API over HTTP, as boto3 calls it.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import base64
import json
import re
import threading
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from local.sandbox import Result

# A name, a partial ARN (account:function:name) or an ARN, each with or without a version or alias.
_NAME = re.compile(r"(?:(?:arn:[\w-]+:lambda:[\w-]+:)?\d{12}:function:)?(?P<name>[\w-]+)(?::(?P<qualifier>[\w$-]+))?")
_PATH = re.compile(r"/2015-03-31/functions/(?P<function>[^/]+)/invocations")
_MAX_REQUEST = {"RequestResponse": 6 * 1024 * 1024, "Event": 1024 * 1024, "DryRun": 6 * 1024 * 1024}


class ThrottledError(Exception):
    """As many invocations as the account may have are under way."""


class UnknownFunctionError(Exception):
    """There is no function of that name."""


class Invoker(Protocol):
    """What runs the functions; see LambdaService."""

    def invoke(self, name: str, payload: bytes, *, qualifier: str, client_context: str) -> Result: ...
    def invoke_later(self, name: str, payload: bytes, *, qualifier: str, client_context: str) -> None: ...
    def find(self, name: str) -> object: ...


@dataclass(frozen=True, slots=True)
class _Call:
    kind: str
    name: str
    qualifier: str
    payload: bytes
    client_context: str


class _RefusedError(Exception):
    """The call itself is wrong: HTTP status, the exception's name in AWS's documentation, and a message."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status, self.name = status, name


class InvokeApi:
    """The HTTP server, on a free port of 127.0.0.1."""

    def __init__(self, invoker: Invoker) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.invoker = invoker
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="invoke-api", daemon=True).start()

    def close(self) -> None:
        """Stops serving new calls."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    invoker: Invoker
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: a client that went away is no matter of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Without Nagle's algorithm and with buffered writes: else each answer may wait 40 ms for an acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        """Invoke."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self._run(self._read_call(body))
        except _RefusedError as error:
            self._refuse(error.status, error.name, str(error))
        except UnknownFunctionError as error:
            self._refuse(404, "ResourceNotFoundException", f"Function not found: {error}")
        except ThrottledError:
            self._refuse(429, "TooManyRequestsException", "Rate Exceeded.", Reason="ConcurrentInvocationLimitExceeded")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Says nothing."""

    def _read_call(self, body: bytes) -> _Call:
        parts = urlsplit(self.path)
        path = _PATH.fullmatch(parts.path)
        if path is None:
            raise _RefusedError(404, "UnknownOperationException", "Only Invoke is served here")
        name, qualifier = _read_name(unquote(path["function"]))
        qualifier = parse_qs(parts.query).get("Qualifier", [qualifier])[0]
        kind = self.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
        context = base64.b64decode(self.headers.get("X-Amz-Client-Context", "")).decode()
        return _Call(kind, name, qualifier, _check_payload(kind, body or b"{}"), context)

    def _run(self, call: _Call) -> None:
        more = {"qualifier": call.qualifier, "client_context": call.client_context}
        if call.kind == "DryRun":
            self.server.invoker.find(call.name)
            self._answer(204, b"")
        elif call.kind == "Event":
            self.server.invoker.invoke_later(call.name, call.payload, **more)
            self._answer(202, b"")
        else:
            result = self.server.invoker.invoke(call.name, call.payload, **more)
            error = {"X_Amz_Function_Error": "Unhandled"} if result.is_error else {}
            self._answer(200, result.payload, request_id=result.request_id, X_Amz_Executed_Version="$LATEST", **error)

    def _refuse(self, status: int, name: str, message: str, **more: str) -> None:
        body = {"Type": "User", "message": message, "Message": message, **more}  # AWS writes it both ways
        self._answer(status, json.dumps(body).encode(), x_amzn_ErrorType=name)

    def _answer(self, status: int, body: bytes, *, request_id: str = "", **headers: str) -> None:
        self.send_response(status)
        self.send_header("x-amzn-RequestId", request_id or str(uuid.uuid4()))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _read_name(text: str) -> tuple[str, str]:
    """The function's name and its version or alias ("": none given)."""
    match = _NAME.fullmatch(text)
    if match is None:
        raise _RefusedError(400, "ValidationException", f"{text!r} is not a function's name")
    return match["name"], match["qualifier"] or ""


def _check_payload(kind: str, payload: bytes) -> bytes:
    if kind not in _MAX_REQUEST:
        raise _RefusedError(400, "InvalidParameterValueException", f"{kind!r} is not an invocation type")
    if len(payload) > _MAX_REQUEST[kind]:
        message = f"Request must be smaller than {_MAX_REQUEST[kind]} bytes for the InvokeFunction operation"
        raise _RefusedError(413, "RequestTooLargeException", message)
    try:
        json.loads(payload)
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        raise _RefusedError(400, "InvalidRequestContentException", message) from None
    return payload
