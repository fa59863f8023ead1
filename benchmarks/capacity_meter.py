"""Counts what DynamoDB would charge: a proxy in front of the emulator that asks for each request's consumed capacity."""

from __future__ import annotations

import http.client
import json
import math
import threading
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

READS = ("GetItem", "BatchGetItem")
KEPT_HEADERS = ("Content-Type", "x-amz-crc32", "x-amzn-RequestId", "x-amzn-ErrorType")
READ_UNIT_BYTES = 4096


class CapacityMeter:
    """A running proxy at `url`, with the units and requests that went through it; use it in a `with` statement."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self._lock = threading.Lock()
        self._read_units = self._write_units = 0.0
        self._requests: Counter[str] = Counter()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.meter = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True, name="capacity")

    def __enter__(self) -> CapacityMeter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def read(self) -> tuple[float, float, Counter[str]]:
        """Read units, write units, and the number of requests by operation, all since the start."""
        with self._lock:
            return self._read_units, self._write_units, self._requests.copy()

    def count(self, operation: str, request: dict[str, Any], reply: dict[str, Any]) -> None:
        """Adds one request to the account."""
        with self._lock:
            self._requests[operation] += 1
            if operation in READS:
                self._read_units += read_units(operation, request, reply)
            else:
                self._write_units += _write_units(reply)


def read_units(operation: str, request: dict[str, Any], reply: dict[str, Any]) -> float:
    """What the read costs by DynamoDB's rule: each item in steps of 4 KB, half a unit unless strongly consistent.

    The emulator counts every item as one step, so the sizes are counted here. An item that is not there costs one step.
    """
    if operation == "GetItem":
        return _item_units(reply.get("Item", {}), is_consistent=request.get("ConsistentRead", False))
    units = 0.0
    for table, asked in request["RequestItems"].items():
        items = reply.get("Responses", {}).get(table, [])
        padded = items + [{}] * (len(asked["Keys"]) - len(items))
        units += sum(_item_units(item, is_consistent=asked.get("ConsistentRead", False)) for item in padded)
    return units


def _item_units(item: Mapping[str, Any], *, is_consistent: bool) -> float:
    steps = max(1, math.ceil(item_bytes(item) / READ_UNIT_BYTES))
    return steps * (1.0 if is_consistent else 0.5)


def item_bytes(item: Mapping[str, Any]) -> int:
    """An item's size as DynamoDB counts it (developer guide, "DynamoDB item sizes and formats")."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    kind, plain = next(iter(value.items()))
    if kind == "S":
        return len(plain.encode())
    if kind == "N":
        return math.ceil(len(plain.strip("-0.").replace(".", "")) / 2) + 1
    if kind == "L":
        return 3 + sum(1 + _value_bytes(child) for child in plain)
    return 1


def _write_units(reply: dict[str, Any]) -> float:
    """As the emulator counts them, index included; a write whose condition does not hold costs one unit."""
    consumed = reply.get("ConsumedCapacity", {})
    return float(consumed.get("CapacityUnits", 1.0))


class _Server(ThreadingHTTPServer):
    meter: CapacityMeter
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self._upstream = http.client.HTTPConnection(self.server.meter.upstream, timeout=60)

    def finish(self) -> None:
        self._upstream.close()
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is BaseHTTPRequestHandler's
        """Logs nothing."""

    def do_POST(self) -> None:
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({**request, "ReturnConsumedCapacity": "TOTAL"}).encode()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        self._upstream.request("POST", "/", body, headers)
        reply = self._upstream.getresponse()
        content = reply.read()
        self.server.meter.count(operation, request, json.loads(content))
        self.send_response(reply.status)
        for name in KEPT_HEADERS:
            if value := reply.headers.get(name):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


_HOP = frozenset({"host", "content-length", "connection", "expect"})
