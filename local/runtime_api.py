"""Lambda's Runtime API (2018-06-01) as one sandbox sees it: where its runtime client fetches events and leaves results.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

PREFIX = "/2018-06-01/runtime"
MAX_PAYLOAD = 6 * 1024 * 1024 + 100  # as AWS counts it: 6 MB and room for an error's frame


class Kind(Enum):
    """What a sandbox can report."""

    READY = auto()
    INIT_ERROR = auto()
    RESPONSE = auto()
    ERROR = auto()
    OVERSIZE = auto()
    EXIT = auto()
    TIMEOUT = auto()


@dataclass(frozen=True, slots=True)
class Report:
    """Something that came of the sandbox; the payload of an exit or a time-out is what happened, in words."""

    kind: Kind
    payload: bytes = b""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event for the function, with the time (epoch milliseconds) at which it will be killed."""

    request_id: str
    function_arn: str
    payload: bytes
    deadline_ms: int
    client_context: str = ""


class RuntimeApi:
    """Serves one sandbox at `address`: what goes into `invocations` comes out as `reports`."""

    def __init__(self) -> None:
        self.invocations: SimpleQueue[Invocation | None] = SimpleQueue()
        self.reports: SimpleQueue[Report] = SimpleQueue()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="runtime-api", daemon=True).start()

    def close(self) -> None:
        """Stops serving; a client that waits for its next event is sent away."""
        self.invocations.put(None)
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    api: RuntimeApi
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: the sandbox's process watcher reports a client that went away."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Without Nagle's algorithm and with buffered writes: else each answer may wait 40 ms for an acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        """The next event, once there is one."""
        if self.path != f"{PREFIX}/invocation/next":
            self._answer(404, b"{}")
            return
        self.server.api.reports.put(Report(Kind.READY))
        invocation = self.server.api.invocations.get()
        if invocation is None:
            self.close_connection = True
        else:
            self._answer(200, invocation.payload, **_describe(invocation))

    def do_POST(self) -> None:
        """A result, an error, or an error at initialisation."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match self.path.removeprefix(f"{PREFIX}/").split("/"):
            case ["init", "error"]:
                self._take(Report(Kind.INIT_ERROR, body))
            case ["invocation", request_id, "error"]:
                self._take(Report(Kind.ERROR, body, request_id))
            case ["invocation", request_id, "response"] if len(body) > MAX_PAYLOAD:
                self.server.api.reports.put(Report(Kind.OVERSIZE, _describe_oversize(len(body)), request_id))
                self._answer(413, b'{"errorType": "RequestEntityTooLarge"}')
            case ["invocation", request_id, "response"]:
                self._take(Report(Kind.RESPONSE, body, request_id))
            case _:
                self._answer(404, b"{}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Says nothing."""

    def _take(self, report: Report) -> None:
        self.server.api.reports.put(report)
        self._answer(202, b'{"status": "OK"}')

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(f"Lambda-Runtime-{name.replace('_', '-')}", value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _describe(invocation: Invocation) -> dict[str, str]:
    optional = {"Client_Context": invocation.client_context} if invocation.client_context else {}
    return {
        "Aws_Request_Id": invocation.request_id,
        "Invoked_Function_Arn": invocation.function_arn,
        "Deadline_Ms": str(invocation.deadline_ms),
        "Trace_Id": f"Root=1-{invocation.deadline_ms // 1000:08x}-{invocation.request_id.replace('-', '')[:24]};Sampled=0",
        **optional,
    }


def _describe_oversize(size: int) -> bytes:
    message = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes)."
    return json.dumps({"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}).encode()
