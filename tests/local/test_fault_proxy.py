"""The proxy does to a connection what it is told to, while the connection is open."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local.fault_proxy import Fault, FaultProxy

BODY = b"x" * 4_000


class _Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        pass


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Broken connections are what these tests are about."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with _QuietServer(("127.0.0.1", 0), _Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def proxy(upstream: str) -> Iterator[FaultProxy]:
    with FaultProxy(upstream) as running:
        yield running


def _connect(proxy: FaultProxy, *, timeout: float = 10) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=timeout)


def _post(connection: http.client.HTTPConnection) -> tuple[int, bytes]:
    connection.request("POST", "/", body=b"question" * 20_000)
    response = connection.getresponse()
    return response.status, response.read()


def test_without_a_fault_everything_passes_and_connections_are_counted(proxy: FaultProxy) -> None:
    connection = _connect(proxy)
    assert [_post(connection), _post(connection)] == [(200, BODY), (200, BODY)]
    assert proxy.connections == 1
    connection.close()


def test_a_status_is_answered_on_open_connections_too_and_only_while_it_lasts(proxy: FaultProxy) -> None:
    connection = _connect(proxy)
    _post(connection)
    with proxy.failing(Fault(status=503, body=b'{"__type": "Unavailable"}')):
        assert _post(connection) == (503, b'{"__type": "Unavailable"}')
    assert _post(connection)[0] == 200
    connection.close()


def test_a_delay_holds_data_back_in_both_directions(proxy: FaultProxy) -> None:
    connection = _connect(proxy)
    with proxy.failing(Fault(delay_seconds=0.2)):
        began = time.monotonic()
        assert _post(connection)[0] == 200
    assert time.monotonic() - began >= 0.4
    connection.close()


def test_a_throttled_answer_takes_its_bytes_time(proxy: FaultProxy) -> None:
    connection = _connect(proxy)
    _post(connection)
    with proxy.failing(Fault(bytes_per_second=10_000)):
        began = time.monotonic()
        connection.request("POST", "/", body=b"?")
        assert connection.getresponse().read() == BODY
    assert time.monotonic() - began >= len(BODY) / 10_000 * 0.8
    connection.close()


def test_a_black_hole_accepts_and_never_answers(proxy: FaultProxy) -> None:
    with proxy.failing(Fault(is_black_hole=True)):
        connection = _connect(proxy, timeout=0.5)
        with pytest.raises(TimeoutError):
            _post(connection)
        connection.close()


def test_a_cut_resets_the_connection_in_the_middle_of_the_answer(proxy: FaultProxy) -> None:
    with proxy.failing(Fault(cut_after_bytes=1_000)):
        connection = _connect(proxy)
        with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
            _post(connection)
        connection.close()
    connection = _connect(proxy)
    assert _post(connection)[0] == 200
    connection.close()


def test_a_refusing_proxy_listens_again_on_the_same_port(proxy: FaultProxy) -> None:
    port = proxy.port
    with proxy.failing(Fault(is_refusing=True)):
        connection = _connect(proxy)
        with pytest.raises(ConnectionError):
            _post(connection)
    connection = _connect(proxy)
    assert (_post(connection)[0], proxy.port) == (200, port)
    connection.close()
